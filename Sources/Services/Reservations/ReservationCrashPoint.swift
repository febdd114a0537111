import Platform

/// The moments of a reservation at which a crash is most likely to lose a seat or sell it twice: `TIKETI_CRASH_AT` of a
/// debug build names one.
package enum ReservationCrashPoint: String, Sendable, CaseIterable {
    case beforeHold
    /// The seats are held, and the buyer doesn't know.
    case afterHold
    /// The seats are kept for a payment, and Payments doesn't know.
    case confirmingRecorded
    case releaseWritten
    case releaseRecorded
    /// The tickets are made, and Payments doesn't know.
    case saleRecorded
    /// A cancellation, and what is due for it, is written, and not committed.
    case cancellationWritten
    case cancellationRecorded
    /// Holds are ended, and that is not committed.
    case expiryWritten

    func reached() {
        CrashPlan.reached(rawValue)
    }
}
