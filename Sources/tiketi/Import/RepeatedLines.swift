import Core

/// Numbers the occurrences of identical lines: two requests in one second may leave the same line, and both count.
///
/// The numbers depend on the lines before alone, so a file that has grown since numbers its old lines as before.
/// Two lines whose hashes collide share a count; their numbers then skip, which harms nothing.
struct RepeatedLines {
    /// Lines remembered, some 50 bytes each. Where more are, those of the oldest minute in the log are forgotten;
    /// identical lines carry the same time, so they lie close together.
    static let maxRemembered = 2_000_000

    private let maxRemembered: Int
    private var counts: [Int64: [UInt64: UInt32]] = [:]
    private var remembered = 0

    init(maxRemembered: Int = Self.maxRemembered) {
        self.maxRemembered = maxRemembered
    }

    /// How often this line has come, with this time: 1 for the first.
    mutating func occurrence(of line: UnsafeRawBufferPointer, at timestamp: Int64) -> UInt32 {
        let minute = floorDiv(timestamp, 60_000)
        let hash = Murmur3.hash64(line)
        let count = (counts[minute]?[hash] ?? 0) + 1
        counts[minute, default: [:]][hash] = count
        if count == 1 {
            remembered += 1
            if remembered > maxRemembered, let oldest = counts.keys.min() {
                remembered -= counts.removeValue(forKey: oldest)!.count
            }
        }
        return count
    }
}
