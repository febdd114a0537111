package import Core
package import Storage

/// Keeps the partitions of the raw batches: makes coming ones, drops those past retention.
package enum Partitions {
    /// Days ahead for which a partition is there.
    package static let daysAhead = 7
    /// What could not be derived for so long, as with a batch that can't be read, is not waited for: the disk would fill.
    static let maxDetailsWait = "7 days"

    package struct Result: Sendable, Equatable {
        package var made: [Day] = []
        package var dropped: [Day] = []
        /// Past retention, but not all of their beacons are counted yet, or some are damaged.
        package var kept: [Day] = []
    }

    /// A partition; its name is ours: letters, digits and `_`.
    private struct Partition {
        var name: String
        var day: Day
    }

    /// Makes those of today and of coming days that are missing.
    static func make(today: Day, on connection: PostgresConnection) throws -> [Day] {
        try (0...daysAhead).map { today + $0 }.filter { day in
            try connection.query("SELECT ensure_events_partition(\(day))")[0].get(0)
        }
    }

    /// - Parameter keepDays: raw batches received on that many days before `today` (UTC) stay.
    package static func run(
        today: Day, keepDays: Int, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Result {
        var result = Result(made: try make(today: today, on: connection))
        try finishDropping(into: &result, on: connection)
        for partition in try partitions(on: connection) where partition.day < today - keepDays {
            // Until a batch is folded it is in no rollup, and until a day's details are derived in none of those: it may
            // not go.
            if try isWaiting(partition.day, on: connection)
                || hasDetailsToDerive(partition.day, calendar: calendar, on: connection)
            {
                result.kept.append(partition.day)
                continue
            }
            // First the record, so that a rebuild never takes a half-dropped day for an empty one. An older one stays as it
            // is: then a late spool had brought more of a day that was dropped before.
            try connection.execute(
                """
                INSERT INTO dropped_event_days (day, dropped_at) VALUES (\(partition.day), 'infinity')
                ON CONFLICT DO NOTHING
                """)
            // Two transactions of its own, without blocking readers; not allowed inside one of ours.
            try connection.execute(
                "ALTER TABLE analytics_events DETACH PARTITION \(unescaped: partition.name) CONCURRENTLY")
            try drop(detached: partition, into: &result, on: connection)
        }
        return result
    }

    /// Goes on where an earlier run was interrupted: a partition half detached, or detached and still there.
    private static func finishDropping(into result: inout Result, on connection: PostgresConnection) throws {
        for row in try connection.query(
            """
            SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'analytics_events'::regclass AND i.inhdetachpending
            """)
        {
            let name = try row.get(0, as: String.self)
            try connection.execute("ALTER TABLE analytics_events DETACH PARTITION \(unescaped: name) FINALIZE")
        }
        let detached = try connection.query(
            """
            SELECT c.relname::text, day FROM dropped_event_days
            JOIN pg_class c ON c.relname = 'analytics_events_' || to_char(day, 'YYYYMMDD') AND c.relkind = 'r'
            WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'analytics_events'::regclass)
                AND NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = c.oid)
            ORDER BY day
            """
        ).map { Partition(name: try $0.get(0), day: try $0.get(1)) }
        for partition in detached { try drop(detached: partition, into: &result, on: connection) }
    }

    /// Days of receipt that are being dropped, or whose dropping was interrupted: what they hold is in no query, and may
    /// still come back.
    static func halfDropped(on connection: PostgresConnection) throws -> [Day] {
        try connection.query(
            """
            SELECT day FROM dropped_event_days WHERE dropped_at = 'infinity' OR EXISTS (
                SELECT FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
                WHERE c.relname = 'analytics_events_' || to_char(day, 'YYYYMMDD') AND c.relkind = 'r'
                    AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'analytics_events'::regclass)
                    AND (i.inhrelid IS NULL OR i.inhdetachpending))
            ORDER BY day
            """
        ).map { try $0.get(0) }
    }

    /// Drops a partition to which nothing can be added any more. Where a batch came before it was detached it is attached
    /// again, and nothing of it is gone.
    private static func drop(
        detached partition: Partition, into result: inout Result, on connection: PostgresConnection
    ) throws {
        guard try !isWaiting(partition.day, on: connection) else {
            try connection.execute(
                """
                ALTER TABLE analytics_events ATTACH PARTITION \(unescaped: partition.name)
                FOR VALUES FROM ('\(unescaped: "\(partition.day)")') TO ('\(unescaped: "\(partition.day + 1)")')
                """)
            try connection.execute(
                "DELETE FROM dropped_event_days WHERE day = \(partition.day) AND dropped_at = 'infinity'")
            result.kept.append(partition.day)
            return
        }
        try connection.transaction { connection in
            try connection.execute("DROP TABLE \(unescaped: partition.name)")
            try connection.execute("DELETE FROM rollup_folded WHERE received_day = \(partition.day)")
            try connection.execute(
                "UPDATE dropped_event_days SET dropped_at = now() WHERE day = \(partition.day) AND dropped_at = 'infinity'"
            )
        }
        result.dropped.append(partition.day)
    }

    private static func isWaiting(_ day: Day, on connection: PostgresConnection) throws -> Bool {
        try connection.query(
            """
            SELECT EXISTS (SELECT 1 FROM rollup_pending WHERE received_day = \(day))
                OR EXISTS (SELECT 1 FROM damaged_batches WHERE received_day = \(day))
            """)[0].get(0)
    }

    /// Whether details will still be derived from it: of reporting days that can't be counted any more without it.
    private static func hasDetailsToDerive(
        _ day: Day, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Bool {
        let marked = try connection.query(
            """
            SELECT day FROM detail_dirty
            WHERE day <= \(day + 1) AND marked_at > now() - \(maxDetailsWait)::text::interval
            """
        ).map { try $0.get(0, as: Day.self) }
        return try marked.contains { try RawOfDay.mayBeWhole($0, calendar: calendar, on: connection) }
    }

    /// Ascending by day.
    private static func partitions(on connection: PostgresConnection) throws -> [Partition] {
        try connection.query(
            """
            SELECT c.relname::text, to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i
            JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'analytics_events'::regclass AND c.relname ~ '^analytics_events_[0-9]{8}$'
            ORDER BY 2
            """
        ).map { Partition(name: try $0.get(0), day: try $0.get(1)) }
    }
}
