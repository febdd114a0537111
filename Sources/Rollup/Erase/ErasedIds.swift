import Core
import Storage

/// The `messageId`s of erased beacons that had been counted. Raw beacons hold them no more; a retry is a repeat all the
/// same, also after a rebuild.
enum ErasedIds {
    /// Minutes written in one statement.
    private static let maxMinutes = 10_000

    static func add(
        timed: [(minute: Int32, id: UInt64)], stamped: [(id: UInt64, receivedAt: Int64)],
        on connection: PostgresConnection
    ) throws {
        if !timed.isEmpty {
            try connection.execute(
                """
                INSERT INTO erased_message_ids (minute, id)
                SELECT * FROM unnest(\(timed.map(\.minute)), \(timed.map { Int64(bitPattern: $0.id) }))
                ON CONFLICT DO NOTHING
                """)
        }
        if !stamped.isEmpty {
            try connection.execute(
                """
                INSERT INTO erased_stamped_ids (id, received_at)
                SELECT * FROM unnest(\(stamped.map { Int64(bitPattern: $0.id) }),
                    \(stamped.map { PostgresTimestamp(ms: $0.receivedAt) }))
                ON CONFLICT DO NOTHING
                """)
        }
    }

    /// By minute, ascending.
    static func timed(
        _ instants: Range<Int64>, on connection: PostgresConnection
    ) throws -> [Int32: [UInt64]] {
        let first = Int32(clamping: floorDiv(instants.lowerBound, 60_000))
        let last = Int32(clamping: floorDiv(instants.upperBound - 1, 60_000))
        var ids: [Int32: [UInt64]] = [:]
        for row in try connection.query(
            "SELECT minute, array_agg(id) FROM erased_message_ids WHERE minute >= \(first) AND minute <= \(last) GROUP BY 1"
        ) {
            ids[try row.get(0)] = try row.get(1, as: [Int64].self).map { UInt64(bitPattern: $0) }.sorted()
        }
        return ids
    }

    /// Writes them into the ledger of ids, from which a rebuild has just removed what raw beacons don't hold.
    static func restore(from first: Int32, through last: Int32, on connection: PostgresConnection) throws {
        var next = Int64(first)
        while true {
            let rows = try connection.query(
                """
                SELECT minute, array_agg(id) FROM erased_message_ids
                WHERE minute >= \(next) AND minute <= \(last)
                GROUP BY minute ORDER BY minute LIMIT \(Int64(maxMinutes))
                """
            ).map { row in
                (
                    minute: try row.get(0, as: Int32.self),
                    ids: try row.get(1, as: [Int64].self).map { UInt64(bitPattern: $0) }.sorted()
                )
            }
            guard let end = rows.last else { return }
            // No fold has this number, nor does a rebuild.
            try connection.execute(
                """
                INSERT INTO message_ids (minute, run, ids)
                SELECT minute, -1, ids
                FROM unnest(\(rows.map(\.minute)), \(rows.map { HashSetRun.encode(sorted: $0.ids) })) AS k (minute, ids)
                """)
            next = Int64(end.minute) + 1
        }
    }
}
