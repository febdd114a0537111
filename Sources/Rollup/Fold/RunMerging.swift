/// Which of a bucket's sorted runs a fold writes anew together with what it adds, so that buckets have few runs and no run
/// is written more than a few times: those no more than twice as large as what is gathered so far, offered from the
/// smallest.
struct RunMerging {
    /// A run is merged into no larger one than this.
    static let maxRunBytes = 2 << 20
    /// All that one fold takes in.
    static let maxFoldBytes = 24 << 20

    private var remaining = maxFoldBytes

    /// Whether a run of so many bytes is to be merged with the `gathered` bytes.
    mutating func takes(_ bytes: Int, with gathered: Int) -> Bool {
        guard bytes <= 2 * gathered, gathered + bytes <= Self.maxRunBytes, bytes <= remaining else { return false }
        remaining -= bytes
        return true
    }
}
