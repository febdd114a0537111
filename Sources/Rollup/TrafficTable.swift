import Core
import Storage

/// Reads and writes the traffic tables of one family.
enum TrafficTable {
    static let columns = "page_views, seat_views, beacons, sessions, session_ms, visitors"

    /// - Parameter undecodable: names the row, given what is wrong with it.
    static func cell(
        _ row: PostgresRow, from first: Int, undecodable: (_ reason: String) throws -> UndecodableRow
    ) throws -> TrafficCell {
        TrafficCell(
            pageViews: try row.get(first), seatViews: try row.get(first + 1), beacons: try row.get(first + 2),
            sessions: try row.get(first + 3), sessionMs: try row.get(first + 4),
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
            JOIN \(unescaped: family.table(.hour)) t
            ON t.\(unescaped: family.idColumn) = k.entity AND t.hour = k.hour
            """)
        for row in rows {
            let number = Int(try row.get(0, as: Int32.self))
            cells[number] = try cell(row, from: 1) {
                .hour(family, keys[number].entity.string, keys[number].hour, calendar, reason: $0)
            }
        }
        return cells
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
