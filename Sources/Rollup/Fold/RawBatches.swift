import Core
import Storage

/// Raw batches by name.
enum RawBatches {
    struct Unreadable: Error, Equatable, CustomStringConvertible {
        /// Of a batch whose repeats are recorded in a ledger that says what can't be.
        static let noRepeats = "its recorded repeats are none of its beacons"

        var key: BatchKey
        var reason: String

        var description: String { "raw batch \(key) can't be read: \(reason)" }
    }

    /// Years 1 to 9999: what can be a bucket. No beacon has another instant, so a batch with one is damaged.
    static let instants: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    static func load(_ key: BatchKey, columns: ColumnSet, on connection: PostgresConnection) throws -> BeaconBatch {
        let rows = try connection.query(
            """
            SELECT payload FROM analytics_events
            WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """)
        guard rows.count == 1 else { throw Unreadable(key: key, reason: "it is gone") }
        return try rows[0].withBytes(0) { try decode($0, of: key, columns: columns) }
    }

    /// The rows whose `flags` are as wanted, as a batch of their own, and their places; with the instants unchecked.
    static func load(
        _ key: BatchKey, columns: ColumnSet, on connection: PostgresConnection,
        where isWanted: (BeaconBatch.Flags) -> Bool
    ) throws -> (beacons: BeaconBatch, rows: [Int])? {
        let rows = try connection.query(
            """
            SELECT payload FROM analytics_events
            WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """)
        guard rows.count == 1 else { throw Unreadable(key: key, reason: "it is gone") }
        var places: [Int] = []
        do {
            let beacons = try rows[0].withBytes(0) { bytes in
                try BatchBlock.decode(bytes, columns: columns, filter: .flags) { batch in
                    places = batch.flags.indices.filter { isWanted(batch.flags[$0]) }
                    return places
                }
            }
            return beacons.map { ($0, places) }
        } catch let error as BlockError {
            throw Unreadable(key: key, reason: "\(error)")
        }
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, of key: BatchKey, columns: ColumnSet
    ) throws(Unreadable) -> BeaconBatch {
        let batch: BeaconBatch
        do {
            batch = try BatchBlock.decode(bytes, columns: columns)
        } catch {
            throw Unreadable(key: key, reason: "\(error)")
        }
        for column in [batch.receivedAt, batch.timestamp, batch.claimed] {
            guard column.allSatisfy({ instants.contains($0) }) else {
                throw Unreadable(key: key, reason: "an instant outside of the years 1 to 9999")
            }
        }
        return batch
    }

    /// Puts other beacons in a batch's place. It may be empty: the row stays, since it says how far its node has shipped.
    ///
    /// - Throws: `Unreadable` where the batch is gone.
    static func replace(_ key: BatchKey, by beacons: BeaconBatch, lastSeq: Int64, on connection: PostgresConnection)
        throws
    {
        let block = BatchBlock.encode(beacons)
        let times: (first: Int64, last: Int64)? = beacons.timestamp.min().map { ($0, beacons.timestamp.max()!) }
        let replaced = try connection.execute(
            """
            UPDATE analytics_events SET last_seq = \(lastSeq), beacons = \(Int32(beacons.count)),
                min_time = coalesce(\(times.map { PostgresTimestamp(ms: $0.first) }), received_at),
                max_time = coalesce(\(times.map { PostgresTimestamp(ms: $0.last) }), received_at),
                schema_version = \(BatchBlock.schemaVersion), crc = \(Int64(block.crc)), payload = \(block.bytes),
                entity_filter = \(EntityFilter.encode(beacons, ofBlock: block.crc))
            WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """)
        // A partition that is being detached is gone from one statement to the next.
        guard replaced == 1 else { throw Unreadable(key: key, reason: "it is gone") }
    }
}
