import Core
import Storage

/// Derives breakdowns and funnels of the days in `detail_dirty`, each from its raw beacons.
enum DeriveDetails {
    /// One runner derives details at a time; the others leave them to it.
    static let lock: Int64 = 0x7469_6b65_7469_0002

    /// Marks days whose hours have changed.
    ///
    /// - Parameter fold: the number of the one that adds to them; nil where what they have may be wrong.
    static func mark(_ days: Set<Day>, fold: Int64? = nil, on connection: PostgresConnection) throws {
        guard !days.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO detail_dirty AS d (day, first_fold, wrong_marks)
            SELECT day, \(fold), \(Int64(fold == nil ? 1 : 0)) FROM unnest(\(days.sorted())) AS k (day)
            ON CONFLICT (day) DO UPDATE SET marks = d.marks + 1, wrong_marks = d.wrong_marks + EXCLUDED.wrong_marks,
                first_fold = CASE WHEN EXCLUDED.first_fold IS NOT NULL THEN d.first_fold END
            """)
    }

    /// Marked days that have waited for so long, the oldest first.
    static func due(olderThanMs age: Int64, on connection: PostgresConnection) throws -> [Day] {
        try connection.query(
            """
            SELECT day FROM detail_dirty WHERE marked_at <= now() - make_interval(secs => \(Double(age) / 1000)) ORDER BY day
            """
        ).map { try $0.get(0) }
    }

    /// Replaces a day's details, where all of its raw beacons are there; else keeps what it has. False where another
    /// runner is at it.
    ///
    /// A fold that commits meanwhile marks the day again, and that mark stays, as one made when this began.
    static func run(_ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection) throws -> Bool {
        try connection.transaction { connection in
            guard try connection.query("SELECT pg_try_advisory_xact_lock(\(lock))")[0].get(0, as: Bool.self) else {
                return false
            }
            let found = try connection.query(
                """
                SELECT marks, wrong_marks, (SELECT coalesce(max(fold_seq), 0) FROM rollup_folded) FROM detail_dirty
                WHERE day = \(day)
                """
            ).first
            guard let found else { return true }
            let (marks, wrongMarks) = (try found.get(0, as: Int64.self), try found.get(1, as: Int64.self))
            let lastFold = try found.get(2, as: Int64.self)
            var outcome = Outcome.incomplete
            if try RawOfDay.mayBeWhole(day, calendar: calendar, on: connection) {
                try connection.execute("SAVEPOINT before_details")
                outcome = try replace(day, calendar: calendar, on: connection)
                if outcome != .replaced { try connection.execute("ROLLBACK TO SAVEPOINT before_details") }
            }
            // The next run sees what became of the partition.
            if outcome == .disturbed { return true }
            let isLast = try connection.execute("DELETE FROM detail_dirty WHERE day = \(day) AND marks = \(marks)") == 1
            if !isLast, outcome == .replaced {
                // It waits as if it was marked first when this began. Folds are numbered in the order of their commits.
                try connection.execute(
                    """
                    UPDATE detail_dirty SET marked_at = now(),
                        first_fold = CASE WHEN wrong_marks = \(wrongMarks) THEN \(lastFold + 1) END
                    WHERE day = \(day)
                    """)
            }
            return true
        }
    }

    private enum Outcome {
        case replaced
        /// Some of the day's raw beacons are gone: what was written is not to be kept.
        case incomplete
        /// Partitions were detached, or attached again, between two looks.
        case disturbed
    }

    private static func replace(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Outcome {
        try connection.execute(.planForValues)
        let dropped = try RawOfDay.dropped(day, on: connection)
        for table in ["traffic_breakdown_daily", "event_funnel_daily"] {
            try connection.execute("DELETE FROM \(unescaped: table) WHERE day = \(day)")
        }
        // Rows are collected first: nothing can be written while a statement is being read.
        let details = try DayDetails(
            day, calendar: calendar, on: connection,
            eachRows: { try write($0, of: day, on: connection) },
            eachFunnels: { try write($0, of: day, on: connection) })
        // Once more: a partition that was detached between two looks at the batches was recorded before that.
        guard try RawOfDay.dropped(day, on: connection) == dropped else { return .disturbed }
        let isWhole =
            try dropped.isEmpty || details.beacons == RawOfDay.counted(day, calendar: calendar, on: connection)
        return isWhole ? .replaced : .incomplete
    }

    private static func write(
        _ rows: [BreakdownRows.Key: BreakdownRows.Row], of day: Day, on connection: PostgresConnection
    ) throws {
        let sorted = rows.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO traffic_breakdown_daily
            SELECT artist, \(day), dimension, kind, value, page_views, beacons, visitors
            FROM unnest(\(sorted.map(\.key.artist.string)), \(sorted.map(\.key.dimension)), \(sorted.map(\.key.kind)),
                \(sorted.map(\.key.value.string)), \(sorted.map(\.value.pageViews)), \(sorted.map(\.value.beacons)),
                \(sorted.map(\.value.visitors.bytes)))
                AS k (artist, dimension, kind, value, page_views, beacons, visitors)
            """)
    }

    private static func write(
        _ funnels: [ExactText: DayDetails.Funnel], of day: Day, on connection: PostgresConnection
    ) throws {
        let sorted = funnels.sorted { $0.key < $1.key }
        guard !sorted.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO event_funnel_daily
            SELECT event, \(day), viewers, seat_viewers
            FROM unnest(\(sorted.map(\.key.string)), \(sorted.map(\.value.viewers.bytes)),
                \(sorted.map(\.value.seatViewers.bytes))) AS k (event, viewers, seat_viewers)
            """)
    }
}
