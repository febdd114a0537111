import Core

/// Decides which frames make up a batch: a pure state machine, no IO and no clock.
struct BatchCutter {
    /// A batch is cut once it holds this many beacons; one large frame may take it beyond.
    static let targetBeacons = 32_768
    /// No batch holds more, whatever its frames hold; the block format's own bound is above it.
    static let maxBeacons = 60_000
    /// Nor more bytes of records; one large frame is a batch of its own.
    static let maxBytes = 32 << 20
    /// How long a batch that isn't full waits for more, from the receipt of its first beacon.
    static let lingerMs: Int64 = 200

    private(set) var builder = BeaconBatchBuilder()
    private(set) var first: Spool.Position?
    private(set) var last: Spool.Position?
    private(set) var receivedAt: Int64 = 0
    private var bytes = 0

    var isEmpty: Bool { first == nil }
    var isFull: Bool { builder.count >= Self.targetBeacons || bytes >= Self.maxBytes }

    /// Whether the frame belongs to the batch: same identity, same UTC day of receipt, and room for it.
    func accepts(_ frame: SpoolReader.Frame) -> Bool {
        guard let last else { return true }
        return !isFull && last.identity == frame.position.identity && frame.beacons + builder.count <= Self.maxBeacons
            && frame.records.count + bytes <= Self.maxBytes
            && floorDiv(receivedAt, 86_400_000) == floorDiv(frame.receivedAt, 86_400_000)
    }

    mutating func add(_ frame: SpoolReader.Frame) throws {
        if first == nil {
            first = frame.position
            receivedAt = frame.receivedAt
        }
        last = frame.position
        bytes += frame.records.count
        try frame.records.withUnsafeBytes { try builder.append(records: $0) }
    }

    /// The batch; the cutter is empty afterwards.
    mutating func cut() -> (batch: BeaconBatch, first: Spool.Position, last: Spool.Position, receivedAt: Int64) {
        let cut = (builder.finish(), first!, last!, receivedAt)
        self = BatchCutter()
        return cut
    }
}
