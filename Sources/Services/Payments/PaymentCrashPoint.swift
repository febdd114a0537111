import Platform

/// The moments of a payment at which a crash is most likely to lose or double money or tickets: `TIKETI_CRASH_AT` of a
/// debug build names one.
package enum PaymentCrashPoint: String, Sendable, CaseIterable {
    /// The seats are about to be kept for it.
    case beforeGuard
    /// They are, and that isn't stored.
    case afterGuard
    /// That is stored, and Toss not asked.
    case beforeTossConfirm
    /// Toss has taken the money, or not, and nobody here knows.
    case afterTossConfirm
    /// The approval and its message are committed, by one statement, and Reservations doesn't know.
    case approvalRecorded
    case beforeTickets
    /// The tickets are made, and that isn't stored.
    case afterTickets
    case ticketsRecorded
    /// A refund has its number and is committed to; Toss isn't asked.
    case beforeTossCancel
    /// Toss has given the money back, or not, and nobody here knows.
    case afterTossCancel
    /// The refund and its message are written, and not committed.
    case refundWritten
    case refundRecorded

    func reached() {
        CrashPlan.reached(rawValue)
    }

    static func afterCommit(of event: PaymentSaga.Event) -> PaymentCrashPoint? {
        switch event {
        case .approved, .approvedAndCanceled: .approvalRecorded
        case .sold, .seatsLost: .ticketsRecorded
        default: nil
        }
    }
}
