package import Core
package import Storage

/// Drops the hours of months long past: their days and months stay for ever. Money keeps its hours: its ledger stays too.
package enum HourlyRetention {
    /// Whole months before the current one that keep their hours.
    package static let defaultMonths = 25
    /// Beacons are accepted for 400 days: those of an earlier month are rare then, not the rule.
    package static let minMonths = 14
    package static let maxMonths = 1200

    package struct Result: Sendable, Equatable {
        package var pruned: [Day] = []
        /// Left for the next run: they wait to be derived, or don't agree with their hours.
        package var kept: [Day] = []
    }

    /// A day is one transaction: folding waits for no more than that.
    ///
    /// - Parameter today: the reporting day.
    package static func run(
        today: Day, keepMonths: Int, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Result {
        precondition(keepMonths >= minMonths)
        var end = today.firstOfMonth
        for _ in 0..<keepMonths { end = (end - 1).firstOfMonth }
        var result = Result()
        var day = try first(from: nil, calendar: calendar, on: connection)
        while let next = day, next < end {
            switch try prune(next, calendar: calendar, on: connection) {
            case .pruned: result.pruned.append(next)
            case .kept: result.kept.append(next)
            case .empty: break
            }
            day = try first(from: next + 1, calendar: calendar, on: connection)
        }
        return result
    }

    /// The first day with an hour of any family.
    private static func first(
        from: Day?, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Day? {
        let start = PostgresTimestamp(ms: from.map { calendar.start(of: $0) } ?? .min)
        let firsts = try TrafficFamily.allCases.compactMap { family in
            try connection.query(
                "SELECT min(hour) FROM \(unescaped: family.table(.hour)) WHERE hour >= \(start)"
            )[0].get(0, as: PostgresTimestamp?.self)
        }
        return firsts.map(\.ms).min().map { calendar.day(of: $0) }
    }

    private enum Outcome { case pruned, kept, empty }

    private static func prune(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Outcome {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            let range = calendar.range(of: day)
            let (lower, upper) = (PostgresTimestamp(ms: range.lowerBound), PostgresTimestamp(ms: range.upperBound))
            // What is in the hours of a pruned day isn't in the day yet.
            let isWaiting = try connection.query(
                """
                SELECT EXISTS (
                    SELECT FROM rollup_dirty WHERE grain = 'day' AND family <> 'revenue'
                        AND bucket = \(PostgresTimestamp(ms: Int64(day.daysSince1970) * 86_400_000)))
                OR EXISTS (SELECT FROM pruned_days WHERE day = \(day))
                """)[0].get(0, as: Bool.self)
            if isWaiting { return .kept }
            if try !Verify.dayAgrees(day, calendar: calendar, on: connection) { return .kept }
            var removed = 0
            for family in TrafficFamily.allCases {
                removed += try connection.execute(
                    "DELETE FROM \(unescaped: family.table(.hour)) WHERE hour >= \(lower) AND hour < \(upper)")
            }
            guard removed > 0 else { return .empty }
            try connection.execute(
                "INSERT INTO pruned_days (day, starts_at, ends_at) VALUES (\(day), \(lower), \(upper))")
            return .pruned
        }
    }
}
