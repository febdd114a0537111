import Core
import Storage

/// The ledger of `messageId`s that were counted, in Postgres.
enum MessageIds {
    /// A minute's runs are merged into one when there are more.
    static let maxRuns = 8

    /// Decides the claimed batches' repeats and records their new ids. Under the apply lock.
    static func decide(
        _ messages: inout RepeatedMessages, run: Int64, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> RepeatedMessages.Decision {
        var runs: [Int32: [[UInt64]]] = [:]
        for row in try connection.query(
            "SELECT minute, ids FROM message_ids WHERE minute = ANY(\(messages.minutes)) ORDER BY minute, run")
        {
            let minute = try row.get(0, as: Int32.self)
            runs[minute, default: []].append(
                try row.withBytes(1) { bytes in
                    do {
                        return try HashSetRun.decode(bytes)
                    } catch {
                        throw UndecodableRow.ids(ofMinute: minute, calendar, reason: "\(error)")
                    }
                })
        }
        let ids = messages.stamped.map { Int64(bitPattern: $0.id) }
        var stampedBefore: [UInt64: Int64] = [:]
        if !ids.isEmpty {
            for row in try connection.query(
                "SELECT id, received_at FROM stamped_message_ids WHERE id = ANY(\(ids))")
            {
                stampedBefore[UInt64(bitPattern: try row.get(0))] = try row.get(1, as: PostgresTimestamp.self).ms
            }
        }
        var seen: [Int32: [UInt64]] = [:]
        let decision = messages.decide(
            seen: { minute in
                let merged = (runs[minute] ?? []).reduce(into: []) { union(&$0, $1) }
                seen[minute] = merged
                return merged
            }, stampedBefore: stampedBefore)
        try record(decision, runs: runs, seen: seen, run: run, on: connection)
        return decision
    }

    private static func record(
        _ decision: RepeatedMessages.Decision, runs: [Int32: [[UInt64]]], seen: [Int32: [UInt64]], run: Int64,
        on connection: PostgresConnection
    ) throws {
        var rewritten: [Int32] = []
        var minutes: [Int32] = []
        var blobs: [[UInt8]] = []
        for (minute, new) in decision.newIds.sorted(by: { $0.key < $1.key }) {
            var ids = new
            if (runs[minute]?.count ?? 0) >= maxRuns {
                rewritten.append(minute)
                union(&ids, seen[minute] ?? [])
            }
            minutes.append(minute)
            blobs.append(HashSetRun.encode(sorted: ids))
        }
        if !rewritten.isEmpty {
            try connection.execute("DELETE FROM message_ids WHERE minute = ANY(\(rewritten))")
        }
        if !minutes.isEmpty {
            try connection.execute(
                """
                INSERT INTO message_ids (minute, run, ids)
                SELECT minute, \(run), ids FROM unnest(\(minutes), \(blobs)) AS new (minute, ids)
                """)
        }
        let stamped = decision.stamped.sorted { $0.key < $1.key }
        if !stamped.isEmpty {
            try connection.execute(
                """
                INSERT INTO stamped_message_ids AS s (id, received_at)
                SELECT * FROM unnest(\(stamped.map { Int64(bitPattern: $0.key) }),
                    \(stamped.map { PostgresTimestamp(ms: $0.value) }))
                ON CONFLICT (id) DO UPDATE SET received_at = EXCLUDED.received_at
                """)
        }
    }

    /// Both ascending and distinct, before and after.
    static func union(_ ids: inout [UInt64], _ others: [UInt64]) {
        if ids.isEmpty {
            ids = others
            return
        }
        var merged: [UInt64] = []
        merged.reserveCapacity(ids.count + others.count)
        var left = 0
        var right = 0
        while left < ids.count && right < others.count {
            if ids[left] < others[right] {
                merged.append(ids[left])
                left += 1
            } else {
                if ids[left] == others[right] { left += 1 }
                merged.append(others[right])
                right += 1
            }
        }
        merged += ids[left...]
        merged += others[right...]
        ids = merged
    }
}
