/// The moments of a message's way at which a crash is most likely to lose or double it: `TIKETI_CRASH_AT` of a debug build
/// names one. Each comes only where there are messages.
package enum BusCrashPoint: String, Sendable, CaseIterable {
    /// Rows of the outbox are read, and not published.
    case outboxTaken
    /// They are in the stream, and that isn't stored.
    case outboxPublished
    case outboxRecorded
    /// Entries are read, and nothing of them is stored.
    case messagesTaken
    /// Their effects are committed, and the stream doesn't know.
    case messagesStored
    case messagesConfirmed

    func reached() {
        CrashPlan.reached(rawValue)
    }
}
