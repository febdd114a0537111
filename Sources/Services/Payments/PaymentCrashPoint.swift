import Platform

/// The moments of a payment at which a crash is most likely to lose or double money or tickets: `TIKETI_CRASH_AT` of a
/// debug build names one.
package enum PaymentCrashPoint: String, Sendable, CaseIterable {
    /// The seats are about to be kept for it.
    case beforeGuard
    /// They are, or not, and nobody here knows.
    case afterGuard
    /// They are, and Toss is not asked.
    case beforeTossConfirm
    /// Toss has taken the money, or not, and nobody here knows.
    case afterTossConfirm
    /// It has, and Reservations doesn't know.
    case beforeTickets
    /// The tickets are made, and that isn't stored, nor the approval.
    case afterTickets
    /// The approval, its message and the tickets are committed, by one statement.
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
        case .approvedAndSold, .sold, .seatsLost: .ticketsRecorded
        default: nil
        }
    }
}
