import Core
import Storage

/// A day that was proven, with a digest of all that the proof rested on: raw batches, what is recorded of them, and every
/// stored row that it looked at. Where all of this is as it was, so is what the proof said.
///
/// Postgres makes the digest where the rows are, in less than half of the time that a proof takes. By its hash functions of
/// 64 bits under a seed that is drawn for each digest: what differs has the same one with a chance of 2⁻⁶⁴.
struct ProvenDay: Sendable {
    let seed: Int64
    /// The last session slot that the proof looked at.
    let lastSlot: Int32
    let digest: String
    /// How many the day has.
    let beacons: Int

    /// Whether all that the proof rested on is as it was.
    ///
    /// - Parameter batches: as `batches(of:_:on:)` finds them.
    func holds(
        _ day: Day, _ ground: DayProof.Ground, _ batches: [BatchKey], on connection: PostgresConnection
    ) throws -> Bool {
        try digest == Self.digest(day, ground, batches, seed: seed, lastSlot: lastSlot, on: connection)
    }

    /// A batch whose beacons are further apart is asked itself whether some are of a day: one that was kept on a phone for
    /// weeks would make its batch one of each day in between.
    private static let maxSpanMs: Int64 = 86_400_000

    /// The batches that have beacons of the day, or such as claim to.
    static func batches(
        of day: Day, _ ground: DayProof.Ground, on connection: PostgresConnection
    ) throws -> [BatchKey] {
        let range = ground.calendar.range(of: day)
        let claimed = ground.claimed(by: range)
        return try ground.batches(near: range).map { ground.batches[$0] }.filter { batch in
            if batch.times.upperBound - batch.times.lowerBound <= maxSpanMs { return true }
            let beacons = try RawBatches.load(batch.key, columns: [.timestamp, .claimed], on: connection)
            return beacons.timestamp.contains(where: range.contains)
                || beacons.claimed.contains(where: claimed.contains)
        }.map(\.key)
    }

    private static func digest(
        _ day: Day, _ ground: DayProof.Ground, _ batches: [BatchKey], seed: Int64, lastSlot: Int32,
        on connection: PostgresConnection
    ) throws -> String {
        let range = ground.calendar.range(of: day)
        let claimed = ground.claimed(by: range)
        let minutes = (
            first: Int32(clamping: floorDiv(claimed.lowerBound, 60_000)),
            last: Int32(clamping: floorDiv(claimed.upperBound - 1, 60_000))
        )
        let slots = (first: SessionPiece.slot(of: range.lowerBound) - 1, last: lastSlot)
        // All of a row's bytes at once: the hash of a record adds those of its columns up, so that two rows could exchange
        // a column, and that of a large number is one of 32 bits.
        let hash: SQL = "hash_record_extended(ROW(record_send(t)), \(seed)) AS hash"
        // Batch by batch: joined, each row of every partition would be read as a whole first.
        func ofBatches(_ keys: [BatchKey], _ table: SQL) -> SQL {
            """
            SELECT hash FROM unnest(\(keys.map(\.node)), \(keys.map(\.seq))) AS k (node, seq)
            CROSS JOIN LATERAL (
                SELECT \(sql: hash) FROM \(sql: table) AND (t.node, t.seq) = (k.node, k.seq) OFFSET 0) batch
            """
        }
        var hashes: [SQL] = []
        // A statement for each partition, which is found when it is planned.
        for (received, keys) in Dictionary(grouping: batches, by: \.day).sorted(by: { $0.key < $1.key }) {
            hashes.append(ofBatches(keys, "analytics_events t WHERE received_day = \(received)"))
            // Compaction keeps more beside these.
            hashes.append(
                ofBatches(
                    keys,
                    """
                    (SELECT received_day, node, seq, fold_seq, duplicates FROM rollup_folded) t
                    WHERE received_day = \(received)
                    """))
        }
        var tables: [SQL] = [
            "message_ids t WHERE minute >= \(minutes.first) AND minute <= \(minutes.last)",
            "erased_message_ids t WHERE minute >= \(minutes.first) AND minute <= \(minutes.last)",
            "session_slots t WHERE slot >= \(slots.first) AND slot <= \(slots.last)",
            "traffic_breakdown_daily t WHERE day = \(day)",
            "event_funnel_daily t WHERE day = \(day)",
        ]
        for family in TrafficFamily.allCases {
            tables.append("\(unescaped: family.table(.day)) t WHERE day = \(day)")
            tables.append(
                """
                \(unescaped: family.table(.hour)) t WHERE hour >= \(PostgresTimestamp(ms: range.lowerBound))
                    AND hour < \(PostgresTimestamp(ms: range.upperBound))
                """)
        }
        hashes += tables.map { "SELECT \(sql: hash) FROM \(sql: $0)" }
        let sums = try hashes.map { hashes in
            let row = try connection.query("SELECT count(*), sum(hash)::text FROM (\(sql: hashes)) rows")[0]
            return "\(try row.get(0, as: Int64.self)):\(try row.get(1, as: String?.self) ?? "0")"
        }
        return ([claimed.lowerBound, claimed.upperBound].map(String.init) + sums).joined(separator: " ")
    }
}

extension ProvenDay {
    /// In the snapshot of the proof.
    init(
        _ day: Day, _ ground: DayProof.Ground, _ batches: [BatchKey], lastSlot: Int32, beacons: Int,
        on connection: PostgresConnection
    ) throws {
        let seed = Int64.random(in: .min ... .max)
        self.init(
            seed: seed, lastSlot: lastSlot,
            digest: try Self.digest(day, ground, batches, seed: seed, lastSlot: lastSlot, on: connection),
            beacons: beacons)
    }
}
