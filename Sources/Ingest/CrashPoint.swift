import Platform

/// A moment at which the torture test kills a process: the places where a crash is most likely to lose or double.
///
/// `CrashPlan` says how a debug build is told of one. One moment that matters isn't here: before COMMIT everything is in
/// Postgres's hands, so there the test has Postgres itself wait (`CommitGate`).
package enum CrashPoint: String, Sendable, CaseIterable {
    // A start, before the port opens.

    /// The spool is mended and its new life begun, of which Postgres doesn't know.
    case spoolOpened
    /// Postgres knows the new life, and where the earlier ones stand.
    case nodeKnown

    // A request and its answer.

    /// A group is taken from those that wait, and nothing of it written.
    case groupTaken
    /// Its frame is written, and not synced. Nobody in the group was answered.
    case frameWritten
    /// It is synced. Nobody in the group was answered.
    case frameSynced

    // The spool's files.

    /// A new segment has a name: nothing is in it and nothing synced.
    case segmentMade
    /// It is whole and synced, and its name is not.
    case segmentSynced
    /// Everything in a segment is in Postgres, and it is there still.
    case segmentStored
    /// It was removed, and that is not synced.
    case segmentRemoved

    // A batch's way.

    /// A batch is named and encoded, and not sent to Postgres.
    case batchEncoded
    /// Postgres has committed it and said so, and nobody has seen the answer. Where another process is killed here, the
    /// answer is lost.
    case batchCommitted
    /// It is known to be stored, and Redis hasn't its counts.
    case countersWaiting
    /// Redis has its views, and not its visitors. Nobody but the counters themselves remembers that they were added.
    case countersAdded

    // The end, after SIGTERM.

    /// Nothing is taken any more, and what was taken isn't stored.
    case drainBegun
    /// All of it is stored, and Postgres knows that nothing more will come. The counters may wait for Redis.
    case drainShipped

    /// Does what `TIKETI_CRASH_AT` asks for here.
    ///
    /// - Returns: whether another process was killed just now.
    @discardableResult
    func reached() -> Bool { CrashPlan.reached(rawValue) }

    #if DEBUG
        /// Begins the line on stderr that says that a process is being killed.
        package static let mark = CrashPlan.mark
    #endif
}
