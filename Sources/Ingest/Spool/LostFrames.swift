/// Frames that were acknowledged and are gone: damaged on the disk, or missing from it.
struct LostFrames: Sendable {
    var identity: UInt64
    var seqs: Range<UInt64>
    /// Among `seqs`, those that are there.
    var except: Set<UInt64> = []

    func contains(_ position: Spool.Position) -> Bool {
        position.identity == identity && seqs.contains(position.seq) && !except.contains(position.seq)
    }
}
