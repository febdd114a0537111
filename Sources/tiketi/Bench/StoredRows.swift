import Core
import Ingest
import Platform
import Storage

/// Synthetic beacons stored as the shipper stores them.
struct StoredRows {
    /// The peers' rows: ten million over seven days. Fewer are the first so many of these, more are denser.
    static let peerRows = 10_000_000
    static let days = 7
    /// As the shipper cuts full batches.
    static let batchBeacons = 32_768

    var seed: UInt64
    var messageIds: SyntheticBeacons.MessageIds
    var rows: Int
    /// Batches of one node have one sequence.
    var node = "bench"

    /// Stores them and returns their blocks.
    func store(_ pool: PostgresPool, _ progress: (Int) -> Void = { _ in }) async throws -> [[UInt8]] {
        let today = floorDiv(ProcessSettings.clock(), 86_400_000)
        let first = (today - Int64(Self.days)) * 86_400_000
        let span = Double(Self.days) * 86_400_000 * min(1, Double(rows) / Double(Self.peerRows))
        try await pool.withConnection { connection in
            for day in 0..<Self.days {
                _ = try BatchStore.ensurePartition(
                    of: Day(daysSince1970: Int(today) - Self.days + day), on: connection)
            }
        }
        var beacons = SyntheticBeacons(seed: seed, messageIds: messageIds)
        var builder = BeaconBatchBuilder()
        var blocks: [[UInt8]] = []
        var batchStart = first
        var seq: Int64 = 1
        for row in 0...rows {
            let instant = first + Int64(Double(row) / Double(rows) * span)
            let isNewDay = floorDiv(instant, 86_400_000) != floorDiv(batchStart, 86_400_000)
            if builder.count == Self.batchBeacons || isNewDay || row == rows, builder.count > 0 {
                let batch = BatchStore.Batch(
                    node: node, firstSeq: seq, lastSeq: seq, receivedAt: batchStart, encoding: builder.finish())
                guard try await pool.withConnection({ try BatchStore.storeImported(batch, on: $0) }) else {
                    throw BenchProcess.Failed(description: "batch \(seq) is there already")
                }
                blocks.append(batch.block.bytes)
                seq += 1
                progress(row)
            }
            if row == rows { break }
            if builder.count == 0 { batchStart = instant }
            builder.append(beacons.next(at: instant))
        }
        return blocks
    }
}
