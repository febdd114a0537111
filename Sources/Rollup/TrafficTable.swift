import Core
import Storage

/// Reads and writes the traffic tables of one family.
enum TrafficTable {
    static let columns = "page_views, seat_views, beacons, sessions, session_ms, visitors"

    /// More than any bucket can have, and so little that what many add up to can be told.
    static let maxSum: Int64 = 1 << 53

    /// - Parameter undecodable: names the row, given what is wrong with it.
    static func cell(
        _ row: PostgresRow, from first: Int, undecodable: (_ reason: String) throws -> UndecodableRow
    ) throws -> TrafficCell {
        let sums = try (first..<first + 5).map { try row.get($0, as: Int64.self) }
        // Of a pruned day's hours they may be below zero.
        if let sum = sums.first(where: { $0.magnitude > UInt64(maxSum) }) {
            throw try undecodable("\(sum) is more than there can be")
        }
        return TrafficCell(
            pageViews: sums[0], seatViews: sums[1], beacons: sums[2], sessions: sums[3], sessionMs: sums[4],
            visitors: try row.withBytes(first + 5) { bytes in
                do {
                    return try VisitorSketch(bytes: bytes)
                } catch {
                    throw try undecodable("visitors \(error)")
                }
            })
    }

    /// The stored hours among `keys`, by index into them.
    static func hours(
        _ family: TrafficFamily, _ keys: [(entity: ExactText, hour: Int64)], calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> [Int: TrafficCell] {
        var cells: [Int: TrafficCell] = [:]
        let rows = try connection.query(
            """
            SELECT k.number, \(unescaped: columns)
            FROM unnest(\(keys.indices.map { Int32($0) }), \(keys.map(\.entity.string)),
                \(keys.map { PostgresTimestamp(ms: $0.hour) })) AS k (number, entity, hour)
            CROSS JOIN LATERAL (
                SELECT * FROM \(unescaped: family.table(.hour)) t
                WHERE t.\(unescaped: family.idColumn) = k.entity AND t.hour = k.hour
                -- Key by key, by the index, however large the table has become.
                OFFSET 0) t
            """)
        for row in rows {
            let number = Int(try row.get(0, as: Int32.self))
            cells[number] = try cell(row, from: 1) {
                .hour(family, keys[number].entity.string, keys[number].hour, calendar, reason: $0)
            }
        }
        return cells
    }

    /// The stored days among `keys`, by index into them.
    static func days(
        _ family: TrafficFamily, _ keys: [(entity: ExactText, day: Day)], calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> [(number: Int, Swift.Result<TrafficCell, UndecodableRow>)] {
        guard !keys.isEmpty else { return [] }
        return try connection.query(
            """
            SELECT k.number, \(unescaped: columns)
            FROM unnest(\(keys.indices.map { Int32($0) }), \(keys.map(\.entity.string)), \(keys.map(\.day)))
                AS k (number, entity, day)
            JOIN \(unescaped: family.table(.day)) t ON t.\(unescaped: family.idColumn) = k.entity AND t.day = k.day
            """
        ).map { row in
            let number = Int(try row.get(0, as: Int32.self))
            do {
                return (
                    number,
                    .success(
                        try cell(row, from: 1) {
                            .bucket(family, .day, keys[number].entity.string, keys[number].day, calendar, reason: $0)
                        })
                )
            } catch let row as UndecodableRow {
                return (number, .failure(row))
            }
        }
    }

    /// Removes all hours of each entity between two instants.
    static func remove<Bound: PostgresEncodable>(
        _ family: TrafficFamily, hoursOf entities: [ExactText], from lower: [Bound], to upper: [Bound],
        on connection: PostgresConnection
    ) throws where [Bound]: PostgresEncodable {
        guard !entities.isEmpty else { return }
        try connection.execute(
            """
            DELETE FROM \(unescaped: family.table(.hour)) t
            USING unnest(\(entities.map(\.string)), \(lower), \(upper)) AS k (entity, lower, upper)
            WHERE t.\(unescaped: family.idColumn) = k.entity AND t.hour >= k.lower AND t.hour < k.upper
            """)
    }

    /// Writes hours, replacing those that are there. Rows go in in the order given: sort them by key.
    static func write(
        _ family: TrafficFamily, hours: [(entity: ExactText, hour: Int64, cell: TrafficCell)],
        on connection: PostgresConnection
    ) throws {
        guard !hours.isEmpty else { return }
        try upsert(
            family, .hour, entities: hours.map(\.entity.string), cells: hours.map(\.cell),
            buckets: "\(hours.map { PostgresTimestamp(ms: $0.hour) })", on: connection)
    }

    /// Writes days or months.
    static func write(
        _ family: TrafficFamily, _ grain: Grain, buckets: [(entity: ExactText, bucket: Day, cell: TrafficCell)],
        on connection: PostgresConnection
    ) throws {
        guard !buckets.isEmpty else { return }
        try upsert(
            family, grain, entities: buckets.map(\.entity.string), cells: buckets.map(\.cell),
            buckets: "\(buckets.map(\.bucket))", on: connection)
    }

    private static func upsert(
        _ family: TrafficFamily, _ grain: Grain, entities: [String], cells: [TrafficCell], buckets: SQL,
        on connection: PostgresConnection
    ) throws {
        try connection.execute(
            """
            INSERT INTO \(unescaped: family.table(grain))
                (\(unescaped: family.idColumn), \(unescaped: grain.column), \(unescaped: columns))
            SELECT * FROM unnest(\(entities), \(sql: buckets), \(cells.map(\.pageViews)), \(cells.map(\.seatViews)),
                \(cells.map(\.beacons)), \(cells.map(\.sessions)), \(cells.map(\.sessionMs)),
                \(cells.map(\.visitors.bytes)))
            ON CONFLICT (\(unescaped: family.idColumn), \(unescaped: grain.column)) DO UPDATE SET
                page_views = EXCLUDED.page_views, seat_views = EXCLUDED.seat_views, beacons = EXCLUDED.beacons,
                sessions = EXCLUDED.sessions, session_ms = EXCLUDED.session_ms, visitors = EXCLUDED.visitors
            """)
    }

    /// Removes hours that hold nothing any more.
    static func remove(
        _ family: TrafficFamily, hours: [(entity: ExactText, hour: Int64)], on connection: PostgresConnection
    ) throws {
        guard !hours.isEmpty else { return }
        try connection.execute(
            """
            DELETE FROM \(unescaped: family.table(.hour)) t
            USING unnest(\(hours.map(\.entity.string)), \(hours.map { PostgresTimestamp(ms: $0.hour) })) AS k (entity, hour)
            WHERE t.\(unescaped: family.idColumn) = k.entity AND t.hour = k.hour
            """)
    }

    static func remove(
        _ family: TrafficFamily, _ grain: Grain, buckets: [(entity: ExactText, bucket: Day)],
        on connection: PostgresConnection
    ) throws {
        guard !buckets.isEmpty else { return }
        try connection.execute(
            """
            DELETE FROM \(unescaped: family.table(grain)) t
            USING unnest(\(buckets.map(\.entity.string)), \(buckets.map(\.bucket))) AS k (entity, bucket)
            WHERE t.\(unescaped: family.idColumn) = k.entity AND t.\(unescaped: grain.column) = k.bucket
            """)
    }
}
