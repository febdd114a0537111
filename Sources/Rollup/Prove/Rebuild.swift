package import Core
package import Storage

/// Replaces the rollups of a range by what the raw batches give, in one transaction: a reader sees the old numbers or
/// the new ones, never a mix. Ingest goes on meanwhile; folding waits.
package enum Rebuild {
    package struct Result: Sendable, Equatable {
        package var days: ClosedRange<Day>?
        package var beacons = 0
        /// Hourly rows that were wrong, over all families.
        package var changedHours = 0
        /// Batches that had been set aside as damaged, can be read again and wait to be folded.
        package var retriedBatches = 0
        /// Batches that were in no ledger, neither folded nor waiting: now they wait.
        package var forgottenBatches = 0
        /// Rows of raw batches that said otherwise than their blocks, and were mended.
        package var mendedHeaders = 0
    }

    package enum Refusal: Error, CustomStringConvertible {
        /// Raw batches received on these days are gone, and they may hold beacons of the range.
        case rawDropped(days: [Day])

        package var description: String {
            switch self {
            case .rawDropped(let days):
                "the raw batches received on \(DayList(days)) are gone: "
                    + "choose --from \(days.max()! + 2) or later"
            }
        }
    }

    /// - Parameters:
    ///   - range: reporting days; nil for everything that is stored.
    ///   - conclude: what else belongs to the transaction.
    package static func run(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, on connection: PostgresConnection,
        conclude: (PostgresConnection) throws -> Void = { _ in }
    ) throws -> Result {
        try connection.transaction { connection in
            try ApplyLock.take(on: connection)
            try refuseWhereDropped(range, calendar: calendar, on: connection)
            let mendedHeaders = try BatchHeader.mend(range, on: connection)
            let recount = try Recount(range, calendar: calendar, isForReplacing: true, on: connection)
            // Once more: a partition that was detached before the batches were read was recorded before that.
            try refuseWhereDropped(range, calendar: calendar, on: connection)
            var result = Result(days: recount.days, beacons: recount.beacons, mendedHeaders: mendedHeaders)
            result.retriedBatches = try DamagedBatches.retry(on: connection)
            result.forgottenBatches = try BatchLedgers.putBackForgotten(on: connection)
            guard let days = recount.days else {
                try conclude(connection)
                return result
            }
            for family in TrafficFamily.allCases { result.changedHours += try replace(family, recount, on: connection) }
            try PrunedDays.restore(range == nil ? nil : days, on: connection)
            try replaceLedgers(recount, days, whole: range == nil, on: connection)
            try markDays(days, calendar: calendar, whole: range == nil, on: connection)
            // Before those of revenue, as messages mark them.
            let instants =
                range == nil
                ? .min..<Int64.max : calendar.start(of: days.lowerBound)..<calendar.start(of: days.upperBound + 1)
            try DeriveBookings.mark(instants, calendar: calendar, on: connection)
            try markRevenue(days, calendar: calendar, whole: range == nil, on: connection)
            try conclude(connection)
            return result
        }
    }

    private static func refuseWhereDropped(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws {
        // A beacon is received on its own day or later, which in UTC may be the day before: so the first day that can be
        // rebuilt is the second after the last that is gone.
        let from = range?.lowerBound ?? Day(daysSince1970: -1_000_000)
        let dropped = try connection.query(
            "SELECT day FROM dropped_event_days WHERE day >= \(from - 1) ORDER BY day"
        ).map { try $0.get(0, as: Day.self) }
        if !dropped.isEmpty { throw Refusal.rawDropped(days: dropped) }
    }

    private static func replace(
        _ family: TrafficFamily, _ recount: Recount, on connection: PostgresConnection
    ) throws -> Int {
        let table = family.table(.hour)
        try connection.execute(
            "CREATE TEMPORARY TABLE changed_hours ON COMMIT DROP AS \(sql: recount.differences(family))")
        let changed = try connection.execute(
            """
            DELETE FROM \(unescaped: table) t USING changed_hours c
            WHERE t.\(unescaped: family.idColumn) = c.entity AND t.hour = c.hour AND c.c_beacons IS NULL
            """)
        let written = try connection.execute(
            """
            INSERT INTO \(unescaped: table) AS t
                (\(unescaped: family.idColumn), hour, \(unescaped: TrafficTable.columns))
            SELECT entity, hour, c_page_views, c_seat_views, c_beacons, c_sessions, c_session_ms, c_visitors
            FROM changed_hours WHERE c_beacons IS NOT NULL ORDER BY entity, hour
            ON CONFLICT (\(unescaped: family.idColumn), hour) DO UPDATE SET
                page_views = EXCLUDED.page_views, seat_views = EXCLUDED.seat_views, beacons = EXCLUDED.beacons,
                sessions = EXCLUDED.sessions, session_ms = EXCLUDED.session_ms, visitors = EXCLUDED.visitors
            """)
        try connection.execute("DROP TABLE changed_hours")
        return changed + written
    }

    /// The repeats, id sets and sessions that later folds build on.
    private static func replaceLedgers(
        _ recount: Recount, _ days: ClosedRange<Day>, whole: Bool, on connection: PostgresConnection
    ) throws {
        for (key, repeats) in recount.changedRepeats {
            try connection.execute(
                """
                UPDATE rollup_folded SET duplicates = \(repeats)
                WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
                """)
        }
        let start = whole ? Int64.min / 2 : recount.calendar.start(of: days.lowerBound)
        let end = whole ? Int64.max / 2 : recount.calendar.start(of: days.upperBound + 1)
        let firstMinute = Int32(clamping: floorDiv(start, 60_000))
        let lastMinute = Int32(clamping: floorDiv(end - 1, 60_000))
        try connection.execute(
            "DELETE FROM message_ids WHERE minute >= \(firstMinute) AND minute <= \(lastMinute)")
        // Runs are numbered by the fold that made them; none has number 0.
        try connection.execute(
            """
            INSERT INTO message_ids (minute, run, ids)
            SELECT minute, 0, ids FROM recounted_ids WHERE minute >= \(firstMinute) AND minute <= \(lastMinute)
            """)
        try ErasedIds.restore(from: firstMinute, through: lastMinute, on: connection)
        let firstSlot = SessionPiece.slot(of: start)
        let lastSlot = SessionPiece.slot(of: end - 1)
        try connection.execute("DELETE FROM session_slots WHERE slot >= \(firstSlot) AND slot <= \(lastSlot)")
        try connection.execute(
            """
            INSERT INTO session_slots (slot, run, pieces)
            SELECT slot, 0, pieces FROM recounted_slots WHERE is_in_range ORDER BY slot
            """)
        try tellLaterSlots(recount.calendar, on: connection)
    }

    /// Pieces after the range of sessions that begin in it: when those begin may have changed.
    private static func tellLaterSlots(_ calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        let later = try connection.query(
            "SELECT slot, pieces FROM recounted_slots WHERE NOT is_in_range ORDER BY slot"
        ).map { row in
            let slot = try row.get(0, as: Int32.self)
            return (slot, try row.withBytes(1) { try SessionSlotRun.decode($0, slot: slot) })
        }
        for (slot, counted) in later {
            var stored: [SessionPiece] = []
            try SessionLedger.read([slot], calendar, on: connection) { _, _, _, pieces in
                stored = SessionPiece.merged(stored, pieces)
            }
            var position = 0
            var isChanged = false
            for piece in counted {
                while position < stored.count, stored[position].session < piece.session { position += 1 }
                guard position < stored.count, stored[position].session == piece.session,
                    stored[position].origin != piece.origin
                else { continue }
                stored[position].origin = piece.origin
                isChanged = true
            }
            guard isChanged else { continue }
            try connection.execute("DELETE FROM session_slots WHERE slot = \(slot)")
            try connection.execute(
                """
                INSERT INTO session_slots (slot, run, pieces)
                VALUES (\(slot), 0, \(SessionSlotRun.encode(sorted: stored, slot: slot)))
                """)
        }
    }

    /// Marks every bucket of the range that has a row anywhere, so that days and months are derived anew.
    private static func markDays(
        _ days: ClosedRange<Day>, calendar: ReportingCalendar, whole: Bool, on connection: PostgresConnection
    ) throws {
        let (first, last) = whole ? (Day.first, Day.last) : (days.lowerBound, days.upperBound)
        try DeriveDetails.mark(
            Set(
                try connection.query(
                    """
                    SELECT day FROM traffic_breakdown_daily WHERE day >= \(first) AND day <= \(last)
                    UNION SELECT day FROM event_funnel_daily WHERE day >= \(first) AND day <= \(last)
                    """
                ).map { try $0.get(0, as: Day.self) }), on: connection)
        for family in TrafficFamily.allCases {
            var keys: Set<DirtyLedger.Key> = []
            let lower = PostgresTimestamp(ms: whole ? .min : calendar.start(of: days.lowerBound))
            let upper = PostgresTimestamp(ms: whole ? .max : calendar.start(of: days.upperBound + 1))
            var lookup = DayLookup(calendar)
            try connection.stream(
                """
                SELECT \(unescaped: family.idColumn), hour FROM \(unescaped: family.table(.hour))
                WHERE hour >= \(lower) AND hour < \(upper)
                """
            ) { row in
                let day = lookup.day(of: try row.get(1, as: PostgresTimestamp.self).ms)
                keys.insert(.init(family: family.rawValue, entity: ExactText(try row.get(0)), bucket: day))
            }
            let range = whole ? Day(daysSince1970: -1_000_000)...Day(daysSince1970: 1_000_000) : days
            for grain in [Grain.day, .month] {
                let from = grain == .day ? range.lowerBound : range.lowerBound.firstOfMonth
                let rows = try connection.query(
                    """
                    SELECT \(unescaped: family.idColumn), \(unescaped: grain.column)
                    FROM \(unescaped: family.table(grain))
                    WHERE \(unescaped: grain.column) >= \(from) AND \(unescaped: grain.column) <= \(range.upperBound)
                    """
                ).map {
                    DirtyLedger.Key(family: family.rawValue, entity: ExactText(try $0.get(0)), bucket: try $0.get(1))
                }
                if grain == .day { keys.formUnion(rows) } else { try DirtyLedger.mark(rows, .month, on: connection) }
            }
            try DirtyLedger.mark(Array(keys), .day, on: connection)
            if family == .site { try DeriveDetails.mark(Set(keys.map(\.bucket)), on: connection) }
        }
    }

    private static func markRevenue(
        _ days: ClosedRange<Day>, calendar: ReportingCalendar, whole: Bool, on connection: PostgresConnection
    ) throws {
        let lower = PostgresTimestamp(ms: whole ? .min : calendar.start(of: days.lowerBound))
        let upper = PostgresTimestamp(ms: whole ? .max : calendar.start(of: days.upperBound + 1))
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT 'hour', 'revenue', '', hour FROM (
                SELECT date_trunc('hour', occurred_at) AS hour FROM revenue_ledger
                WHERE occurred_at >= \(lower) AND occurred_at < \(upper)
                UNION SELECT hour FROM revenue_hourly WHERE hour >= \(lower) AND hour < \(upper)
            ) hours
            -- As every other transaction that marks hours does: in order of time, or two of them wait for each other.
            ORDER BY hour
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
        let first = whole ? Day(daysSince1970: -1_000_000) : days.lowerBound
        let last = whole ? Day(daysSince1970: 1_000_000) : days.upperBound
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT 'day', 'revenue', '', day::timestamptz FROM revenue_daily
            WHERE day >= \(first) AND day <= \(last)
            UNION SELECT 'month', 'revenue', '', month::timestamptz FROM revenue_monthly
            WHERE month >= \(first.firstOfMonth) AND month <= \(last)
            ORDER BY 1, 4
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
    }
}
