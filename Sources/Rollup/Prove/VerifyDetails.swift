import Core
import Storage

/// Compares breakdowns and funnels with what raw beacons give, day by day.
enum VerifyDetails {
    private static let breakdown = "traffic_breakdown_daily"
    private static let funnel = "event_funnel_daily"

    /// Days whose details wait to be derived.
    static func dirty(_ days: ClosedRange<Day>, on connection: PostgresConnection) throws -> Set<Day> {
        Set(
            try connection.query(
                "SELECT day FROM detail_dirty WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)"
            ).map { try $0.get(0) })
    }

    static func compare(
        _ days: ClosedRange<Day>, calendar: ReportingCalendar, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let dirty = try dirty(days, on: connection)
        let stored = try connection.query(
            """
            SELECT day FROM site_traffic_daily WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
            UNION SELECT day FROM traffic_breakdown_daily WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
            UNION SELECT day FROM event_funnel_daily WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
            ORDER BY day
            """
        ).map { try $0.get(0, as: Day.self) }
        for day in stored where report.hasRoom && !dirty.contains(day) {
            guard try RawOfDay.isWhole(day, on: connection) else { continue }
            // A statement whose rows are thrown at is cancelled, which must not fail the transaction.
            try connection.execute("SAVEPOINT details_of_day")
            do {
                try compare(day, calendar: calendar, into: &report, on: connection)
            } catch is RawBatches.Unreadable {
                // It is a finding of its own.
                try connection.execute("ROLLBACK TO SAVEPOINT details_of_day")
            } catch let error as PostgresError where error.isCorruption {
                try connection.execute("ROLLBACK TO SAVEPOINT details_of_day")
            }
        }
    }

    private static func compare(
        _ day: Day, calendar: ReportingCalendar, into report: inout Verify.Report, on connection: PostgresConnection
    ) throws {
        var findings = report
        // By hash: there may be many.
        var (artists, events): (Set<UInt64>, Set<UInt64>) = ([], [])
        _ = try DayDetails(
            day, calendar: calendar, on: connection,
            eachRows: { rows in
                for key in rows.keys { artists.insert(Murmur3.hash64(key.artist.string)) }
                try compare(rows, of: day, into: &findings, on: connection)
            },
            eachFunnels: { funnels in
                for event in funnels.keys { events.insert(Murmur3.hash64(event.string)) }
                try compare(funnels, of: day, into: &findings, on: connection)
            })
        try connection.stream(
            """
            SELECT artist_id, dimension, kind, value FROM traffic_breakdown_daily WHERE day = \(day) ORDER BY 1, 2, 3, 4
            """
        ) { row in
            guard findings.hasRoom, !artists.contains(Murmur3.hash64(try row.get(0, as: String.self))) else { return }
            findings.add(breakdown, try name(row), "\(day)", "should not be there")
        }
        try connection.stream("SELECT event_id FROM event_funnel_daily WHERE day = \(day) ORDER BY event_id") { row in
            let event = try row.get(0, as: String.self)
            guard findings.hasRoom, !events.contains(Murmur3.hash64(event)) else { return }
            findings.add(funnel, event, "\(day)", "should not be there")
        }
        report = findings
    }

    private static func compare(
        _ funnels: [ExactText: DayDetails.Funnel], of day: Day, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        var funnels = funnels
        for row in try connection.query(
            """
            SELECT event_id, viewers, seat_viewers FROM event_funnel_daily
            WHERE day = \(day) AND event_id = ANY (\(funnels.keys.sorted().map(\.string))) ORDER BY event_id
            """)
        {
            let event = try row.get(0, as: String.self)
            guard let counted = funnels.removeValue(forKey: ExactText(event)) else { continue }
            if try counted.viewers.bytes != row.get(1) || counted.seatViewers.bytes != row.get(2) {
                report.add(funnel, event, "\(day)", "visitors differ")
            }
        }
        for event in funnels.keys.sorted() { report.add(funnel, event.string, "\(day)", "missing") }
    }

    private static func compare(
        _ rows: [BreakdownRows.Key: BreakdownRows.Row], of day: Day, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        var rows = rows
        for row in try connection.query(
            """
            SELECT artist_id, dimension, kind, value, page_views, beacons, visitors FROM traffic_breakdown_daily
            WHERE day = \(day) AND artist_id = ANY (\(Set(rows.keys.map(\.artist)).sorted().map(\.string))) ORDER BY 1, 2, 3, 4
            """)
        {
            let key = BreakdownRows.Key(
                artist: ExactText(try row.get(0)), dimension: try row.get(1), kind: try row.get(2),
                value: ExactText(try row.get(3)))
            guard let counted = rows.removeValue(forKey: key) else {
                report.add(breakdown, try name(row), "\(day)", "should not be there")
                continue
            }
            var differences: [String] = []
            let (views, beacons) = (try row.get(4, as: Int64.self), try row.get(5, as: Int64.self))
            if views != counted.pageViews { differences.append("page_views \(views), raw gives \(counted.pageViews)") }
            if beacons != counted.beacons { differences.append("beacons \(beacons), raw gives \(counted.beacons)") }
            if try row.get(6, as: [UInt8].self) != counted.visitors.bytes { differences.append("visitors differ") }
            if !differences.isEmpty {
                report.add(breakdown, try name(row), "\(day)", differences.joined(separator: "; "))
            }
        }
        for key in rows.keys.sorted() {
            report.add(
                breakdown, "\(key.artist) \(key.dimension) \(key.kind) \(key.value)", "\(day)", "missing")
        }
    }

    private static func name(_ row: PostgresRow) throws -> String {
        try (0..<4).map { try row.get($0, as: String.self) }.joined(separator: " ")
    }
}
