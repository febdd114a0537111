import Core
import Storage

/// Rankings of all artists or events.
enum TopQueries {
    /// Columns: id, value; the best first, those without any left out.
    static func ranked(
        _ family: TrafficFamily, _ metric: TopQuestion.Metric, _ plan: TopPlan, limit: Int,
        _ calendar: ReportingCalendar
    ) -> SQL {
        let column = metric == .sessions ? "sessions" : "page_views"
        return """
            WITH parts AS (
            \(sql: rows(family, [column], plan, calendar))
            )
            SELECT id, sum(\(unescaped: column))::bigint AS value FROM parts GROUP BY id HAVING sum(\(unescaped: column)) > 0
            ORDER BY value DESC, id COLLATE "C" LIMIT \(Int64(limit))
            """
    }

    /// Columns: id, beacons, sketch; the rows of one id next to each other.
    static func sketches(_ family: TrafficFamily, _ plan: TopPlan, _ calendar: ReportingCalendar) -> SQL {
        "SELECT id, beacons, visitors FROM (\n\(sql: rows(family, ["beacons", "visitors"], plan, calendar))\n) parts ORDER BY id"
    }

    private static func rows(
        _ family: TrafficFamily, _ names: [String], _ plan: TopPlan, _ calendar: ReportingCalendar
    ) -> SQL {
        let columns: SQL =
            "t.\(unescaped: family.idColumn) AS id, \(unescaped: names.map { "t.\($0)" }.joined(separator: ", "))"
        var arms: [SQL] = []
        if !plan.months.isEmpty {
            arms.append(
                """
                SELECT \(sql: columns) FROM \(sql: .table(plan.months))
                JOIN \(unescaped: family.table(.month)) t ON t.month BETWEEN r.first AND r.last
                """)
        }
        if !plan.days.isEmpty {
            arms.append(
                """
                SELECT \(sql: columns) FROM \(sql: .table(plan.days))
                JOIN \(unescaped: family.table(.day)) t ON t.day BETWEEN r.first AND r.last\
                \(sql: plan.dirtyDays.isEmpty ? "" : unlessDirty(family))
                """)
        }
        if !plan.dirtyDays.isEmpty {
            let midnights = plan.dirtyDays.map { PostgresTimestamp(ms: $0.midnightUTC) }
            let ranges = plan.dirtyDays.map(calendar.range(of:))
            arms.append(
                """
                SELECT \(sql: columns)
                FROM unnest(\(midnights), \(ranges.map { PostgresTimestamp(ms: $0.lowerBound) }),
                            \(ranges.map { PostgresTimestamp(ms: $0.upperBound) })) AS r(midnight, first, next)
                JOIN rollup_dirty d ON d.grain = 'day' AND d.family = \(family.rawValue) AND d.bucket = r.midnight
                JOIN \(unescaped: family.table(.hour)) t ON t.\(unescaped: family.idColumn) = d.entity
                  AND t.hour >= r.first AND t.hour < r.next
                """)
        }
        if !plan.hours.isEmpty {
            arms.append(
                """
                SELECT \(sql: columns) FROM \(sql: .table(plan.hours))
                JOIN \(unescaped: family.table(.hour)) t ON t.hour >= r.first AND t.hour < r.next
                """)
        }
        return .unionAll(arms)
    }

    private static func unlessDirty(_ family: TrafficFamily) -> SQL {
        """

        WHERE NOT EXISTS (
            SELECT FROM rollup_dirty d WHERE d.grain = 'day' AND d.family = \(family.rawValue)
            AND d.entity = t.\(unescaped: family.idColumn) AND d.bucket = t.day::timestamp AT TIME ZONE 'UTC'
            AND (SELECT true FROM pruned_days p WHERE p.day = t.day LIMIT 1) IS NULL)
        """
    }
}
