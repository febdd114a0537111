import Core
import Storage

/// The stored rows of one artist's, event's or the site's traffic.
enum TrafficQueries {
    /// Columns: grain; days since 1970, or for hours seconds; page views, seat views, sessions, session ms, beacons, sketch.
    static func rows(_ family: TrafficFamily, _ entity: String, _ cover: Cover) -> SQL {
        var arms: [SQL] = []
        if !cover.months.isEmpty { arms.append(days(.month, family, entity, cover.months)) }
        if !cover.days.isEmpty { arms.append(days(.day, family, entity, cover.days)) }
        if !cover.hours.isEmpty { arms.append(hours(family, entity, cover.hours)) }
        return .unionAll(arms)
    }

    private static func days(
        _ grain: Grain, _ family: TrafficFamily, _ entity: String, _ ranges: [ClosedRange<Day>]
    ) -> SQL {
        """
        SELECT '\(unescaped: grain.rawValue)', (t.\(unescaped: grain.column) - DATE '1970-01-01')::bigint,
               t.page_views, t.seat_views, t.sessions, t.session_ms, t.beacons, t.visitors
        FROM \(sql: .table(ranges))
        JOIN \(unescaped: family.table(grain)) t ON t.\(unescaped: family.idColumn) = \(entity)
          AND t.\(unescaped: grain.column) BETWEEN r.first AND r.last
        """
    }

    private static func hours(_ family: TrafficFamily, _ entity: String, _ ranges: [Range<Int64>]) -> SQL {
        """
        SELECT 'hour', extract(epoch FROM t.hour)::bigint,
               t.page_views, t.seat_views, t.sessions, t.session_ms, t.beacons, t.visitors
        FROM \(sql: .table(ranges))
        JOIN \(unescaped: family.table(.hour)) t ON t.\(unescaped: family.idColumn) = \(entity)
          AND t.hour >= r.first AND t.hour < r.next
        """
    }

    /// One stored row.
    struct Row {
        enum Place {
            /// A day, or the first day of a month.
            case day(Day)
            case hour(Int64)
        }

        let place: Place
        let cell: TrafficCell

        init(_ row: PostgresRow) throws {
            let number = try row.get(1, as: Int64.self)
            place =
                try row.get(0, as: String.self) == "hour"
                ? .hour(number * 1000) : .day(Day(daysSince1970: Int(number)))
            cell = TrafficCell(
                pageViews: try row.get(2), seatViews: try row.get(3), beacons: try row.get(6),
                sessions: try row.get(4), sessionMs: try row.get(5),
                visitors: try row.withBytes(7) { try VisitorSketch(bytes: $0) })
        }
    }
}
