import Core
import Storage

/// Compares the ids and sessions that later folds build on with what raw beacons give.
enum VerifyLedgers {
    /// - Parameter range: what was recounted; nil for everything.
    static func compare(
        _ recount: Recount, of range: ClosedRange<Day>?, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        guard let days = recount.days else { return }
        let start = range == nil ? Int64.min / 2 : recount.calendar.start(of: days.lowerBound)
        let end = range == nil ? Int64.max / 2 : recount.calendar.start(of: days.upperBound + 1)
        try compareIds(start..<end, recount.calendar, into: &report, on: connection)
        try compareSessions(start..<end, recount.calendar, into: &report, on: connection)
        if (range?.upperBound ?? .last) == .last {
            try compareStamped(from: start, into: &report, on: connection)
        }
    }

    private static func compareIds(
        _ instants: Range<Int64>, _ calendar: ReportingCalendar, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let first = Int32(clamping: floorDiv(instants.lowerBound, 60_000))
        let last = Int32(clamping: floorDiv(instants.upperBound - 1, 60_000))
        try connection.stream(
            """
            SELECT minute, stored.runs, counted.ids, erased.ids FROM (
                SELECT minute, array_agg(ids ORDER BY run) AS runs FROM message_ids
                WHERE minute >= \(first) AND minute <= \(last) GROUP BY minute
            ) stored FULL JOIN (
                SELECT minute, ids FROM recounted_ids WHERE minute >= \(first) AND minute <= \(last)
            ) counted USING (minute) FULL JOIN (
                SELECT minute, array_agg(id) AS ids FROM erased_message_ids
                WHERE minute >= \(first) AND minute <= \(last) GROUP BY minute
            ) erased USING (minute) ORDER BY minute
            """
        ) { row in
            let minute = try row.get(0, as: Int32.self)
            let bucket = Instant.iso8601(Int64(minute) * 60_000)
            var stored: [UInt64] = []
            var count = 0
            do {
                for run in try row.get(1, as: [[UInt8]]?.self) ?? [] {
                    let ids = try HashSetRun.decode(run)
                    count += ids.count
                    MessageIds.union(&stored, ids)
                }
            } catch let failure as SealedRun.Failure {
                report.add(.ids(ofMinute: minute, calendar, reason: "\(failure)"))
                return
            }
            var counted = try row.get(2, as: [UInt8]?.self).map { try HashSetRun.decode($0) } ?? []
            let erased = try row.get(3, as: [Int64]?.self) ?? []
            MessageIds.union(&counted, erased.map { UInt64(bitPattern: $0) }.sorted())
            if stored != counted {
                report.add("message_ids", "minute", bucket, "\(stored.count) ids, raw gives \(counted.count) others")
            } else if count > stored.count {
                report.add("message_ids", "minute", bucket, "\(count - stored.count) of its ids stand in two runs")
            }
        }
    }

    private static func compareSessions(
        _ instants: Range<Int64>, _ calendar: ReportingCalendar, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let first = SessionPiece.slot(of: instants.lowerBound)
        let last = SessionPiece.slot(of: instants.upperBound - 1)
        try connection.stream(
            """
            SELECT slot, stored.runs, counted.pieces FROM (
                SELECT slot, array_agg(pieces ORDER BY run) AS runs FROM session_slots
                WHERE slot >= \(first) AND slot <= \(last) GROUP BY slot
            ) stored FULL JOIN (
                SELECT slot, pieces FROM recounted_slots WHERE is_in_range
            ) counted USING (slot) ORDER BY slot
            """
        ) { row in
            let slot = try row.get(0, as: Int32.self)
            var stored: [SessionPiece] = []
            do {
                for run in try row.get(1, as: [[UInt8]]?.self) ?? [] {
                    stored = SessionPiece.merged(stored, try SessionSlotRun.decode(run, slot: slot))
                }
            } catch let failure as SealedRun.Failure {
                report.add(.sessions(ofSlot: slot, calendar, reason: "\(failure)"))
                return
            }
            let counted = try row.get(2, as: [UInt8]?.self).map { try SessionSlotRun.decode($0, slot: slot) } ?? []
            if stored != counted {
                report.add(
                    "session_slots", "slot", Instant.iso8601(SessionPiece.start(ofSlot: slot)),
                    "\(stored.count) pieces of sessions, raw gives \(counted.count) others")
            }
        }
    }

    /// What is older than two days is forgotten some time; younger ones are all there, and each is the one that was counted
    /// last of its id.
    ///
    /// - Parameter first: those that were received before were stamped by beacons that may be gone.
    private static func compareStamped(
        from first: Int64, into report: inout Verify.Report, on connection: PostgresConnection
    ) throws {
        for row in try connection.query(
            """
            SELECT to_hex(id), ms, said FROM (
                SELECT s.id, (extract(epoch FROM s.received_at) * 1000)::bigint AS ms, 'no beacon was received then' AS said
                FROM stamped_message_ids s WHERE extract(epoch FROM s.received_at) * 1000 >= \(first) AND NOT EXISTS (
                    SELECT 1 FROM recounted_stamped r
                    WHERE r.id = s.id AND r.received_ms = (extract(epoch FROM s.received_at) * 1000)::bigint)
                AND NOT EXISTS (
                    SELECT 1 FROM erased_stamped_ids e WHERE e.id = s.id AND e.received_at = s.received_at)
                UNION ALL
                SELECT s.id, (extract(epoch FROM s.received_at) * 1000)::bigint,
                    'it was counted last at another time'
                FROM stamped_message_ids s CROSS JOIN LATERAL (
                    SELECT received_ms FROM recounted_stamped r WHERE r.id = s.id AND NOT recorded
                    ORDER BY batch DESC, place DESC LIMIT 1) last
                WHERE s.received_at > now() - interval '2 days' AND extract(epoch FROM s.received_at) * 1000 >= \(first)
                    AND last.received_ms <> (extract(epoch FROM s.received_at) * 1000)::bigint
                    AND NOT EXISTS (SELECT FROM erased_stamped_ids e WHERE e.id = s.id)
                UNION ALL
                SELECT r.id, max(r.received_ms), 'missing' FROM recounted_stamped r
                WHERE NOT EXISTS (SELECT 1 FROM stamped_message_ids s WHERE s.id = r.id)
                GROUP BY r.id
                HAVING max(r.received_ms) > extract(epoch FROM now() - interval '2 days') * 1000
                    AND max(r.received_ms) >= \(first)
            ) differing ORDER BY 2, 1 LIMIT \(Verify.maxFindings)
            """)
        {
            report.add(
                "stamped_message_ids", try row.get(0), Instant.iso8601(try row.get(1)), try row.get(2))
        }
    }
}
