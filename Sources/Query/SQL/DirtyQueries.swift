import Core
import Storage

/// Which stored buckets are stale.
enum DirtyQueries {
    /// Of one artist, event or site, or of all revenue.
    static func buckets(family: String, entity: String, of plan: PeriodPlan) -> SQL {
        let range = range(of: plan)
        return """
            SELECT grain, bucket FROM rollup_dirty
            WHERE grain IN ('hour', 'day', 'month') AND family = \(family) AND entity = \(entity)
              AND bucket >= \(range.lowerBound) AND bucket < \(range.upperBound)
            """
    }

    /// Of any artist, or any event.
    static func buckets(family: String, of plan: PeriodPlan) -> SQL {
        let range = range(of: plan)
        return """
            SELECT DISTINCT grain, bucket FROM rollup_dirty
            WHERE grain IN ('day', 'month') AND family = \(family)
              AND bucket >= \(range.lowerBound) AND bucket < \(range.upperBound)
            """
    }

    static func read(_ sql: SQL, on connection: PostgresConnection, _ calendar: ReportingCalendar) throws
        -> DirtyBuckets
    {
        var months: Set<Day> = []
        var days: Set<Day> = []
        var hours: Set<Int64> = []
        for row in try connection.query(sql) {
            let bucket = try row.get(1, as: PostgresTimestamp.self).ms
            switch Grain(rawValue: try row.get(0)) {
            case .hour: hours.insert(bucket)
            case .day: days.insert(Day(midnightUTC: bucket))
            case .month: months.insert(Day(midnightUTC: bucket))
            case nil: break
            }
        }
        return DirtyBuckets(months: months, days: days, hours: hours, calendar)
    }

    /// Days and months are kept as their midnight in UTC, hours as they are: a range that has all of them.
    private static func range(of plan: PeriodPlan) -> Range<PostgresTimestamp> {
        let first = min(plan.days.lowerBound.firstOfMonth.midnightUTC, plan.start)
        let end = max((plan.days.upperBound + 1).midnightUTC, plan.end)
        return PostgresTimestamp(ms: first)..<PostgresTimestamp(ms: end)
    }
}

extension Day {
    init(midnightUTC instant: Int64) {
        self.init(daysSince1970: Int(floorDiv(instant, 86_400_000)))
    }

    var midnightUTC: Int64 { Int64(daysSince1970) * 86_400_000 }
}
