import Core
import Platform
import Storage

/// Which stored buckets are stale.
enum DirtyQueries {
    /// Of one artist, event or site, or of all revenue.
    static func buckets(family: String, entity: String, of plan: PeriodPlan) -> SQL {
        let range = range(of: plan)
        return """
            SELECT grain, bucket, \(sql: isPruned(family)) FROM rollup_dirty
            WHERE grain IN ('hour', 'day', 'month') AND family = \(family) AND entity = \(entity)
              AND bucket >= \(range.lowerBound) AND bucket < \(range.upperBound)
            """
    }

    /// Of any artist, or any event.
    static func buckets(family: String, of plan: PeriodPlan) -> SQL {
        let range = range(of: plan)
        return """
            SELECT grain, bucket, \(sql: isPruned(family)) FROM (
                SELECT DISTINCT grain, bucket FROM rollup_dirty
                WHERE grain IN ('day', 'month') AND family = \(family)
                  AND bucket >= \(range.lowerBound) AND bucket < \(range.upperBound)
            ) d
            """
    }

    /// Money keeps its hours.
    private static func isPruned(_ family: String) -> SQL {
        guard TrafficFamily(rawValue: family) != nil else { return "false" }
        return """
            grain = 'day'
                AND (SELECT true FROM pruned_days p WHERE p.day = (bucket AT TIME ZONE 'UTC')::date LIMIT 1) IS NOT NULL
            """
    }

    /// One row where some hours of the range are gone: the instant from which on hours are kept.
    static func hoursKept(_ plan: PeriodPlan) -> SQL {
        """
        SELECT ends_at FROM pruned_days WHERE EXISTS (
            SELECT FROM pruned_days WHERE day >= \(plan.days.lowerBound - 1) AND day <= \(plan.days.upperBound + 1)
                AND starts_at < \(PostgresTimestamp(ms: plan.end)) AND ends_at > \(PostgresTimestamp(ms: plan.start)))
        ORDER BY day DESC LIMIT 1
        """
    }

    /// - Throws: `InvalidParameter` where the plan reads hours that are gone.
    static func requireHours(_ plan: PeriodPlan, on connection: PostgresConnection) throws {
        guard plan.source == .hours, let row = try connection.query(hoursKept(plan)).first else { return }
        let kept = try row.get(0, as: PostgresTimestamp.self).ms
        throw InvalidParameter(
            field: "startDate",
            detail: "hours are kept from \(plan.calendar.day(of: kept - 1) + 1) on: ask for earlier days by the day, "
                + "in the reporting time zone")
    }

    static func read(_ sql: SQL, on connection: PostgresConnection, _ calendar: ReportingCalendar) throws
        -> DirtyBuckets
    {
        var months: Set<Day> = []
        var days: Set<Day> = []
        var hours: Set<Int64> = []
        var pruned: Set<Day> = []
        for row in try connection.query(sql) {
            let bucket = try row.get(1, as: PostgresTimestamp.self).ms
            switch Grain(rawValue: try row.get(0)) {
            case .hour: hours.insert(bucket)
            case .day:
                days.insert(Day(midnightUTC: bucket))
                if try row.get(2) { pruned.insert(Day(midnightUTC: bucket)) }
            case .month: months.insert(Day(midnightUTC: bucket))
            case nil: break
            }
        }
        return DirtyBuckets(months: months, days: days, hours: hours, pruned: pruned, calendar)
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
