import Core
import Storage

/// The ledger of `messageId`s that were counted, in Postgres.
enum MessageIds {
    /// Decides the claimed batches' repeats and records their new ids. Under the apply lock.
    ///
    /// Memory holds one stored run at a time, and what is merged with new ids.
    ///
    /// - Parameters:
    ///   - run: a number that no other fold has.
    ///   - eachNew: gets every minute's new ids, ascending.
    static func decide(
        _ messages: inout RepeatedMessages, run: Int64, calendar: ReportingCalendar,
        on connection: PostgresConnection, eachNew: (_ minute: Int32, _ ids: [UInt64]) -> Void = { _, _ in }
    ) throws -> RepeatedMessages.Decision {
        var written = WrittenRuns()
        var merging = RunMerging()
        var left = messages.minutes[...]
        var current: CurrentMinute?
        func record(_ minute: CurrentMinute) {
            let new = messages.decide(minute.ids)
            eachNew(minute.number, new)
            written.add(minute, new)
        }
        /// Those before the minute have no ids stored.
        func finish(before minute: Int32?) {
            if let finished = current { record(finished) }
            current = nil
            while let next = left.first, minute.map({ next < $0 }) ?? true {
                left.removeFirst()
                record(CurrentMinute(next, &messages))
            }
        }
        try connection.stream(
            """
            SELECT minute, run, ids FROM message_ids WHERE minute = ANY(\(messages.minutes))
            ORDER BY minute, octet_length(ids), run
            """
        ) { row in
            let minute = try row.get(0, as: Int32.self)
            if current?.number != minute {
                finish(before: minute)
                left.removeFirst()
                current = CurrentMinute(minute, &messages)
            }
            let (bytes, ids) = try row.withBytes(2) { bytes in
                do {
                    return (bytes.count, try HashSetRun.decode(bytes))
                } catch {
                    throw UndecodableRow.ids(ofMinute: minute, calendar, reason: "\(error)")
                }
            }
            current!.ids.see(ids)
            if merging.takes(bytes, with: current!.bytes) {
                current!.bytes += bytes
                current!.merged.append((try row.get(1), ids))
            }
        }
        finish(before: nil)
        try written.store(run: run, on: connection)

        let stamped = messages.stamped.map { Int64(bitPattern: $0.id) }
        var stampedBefore: [UInt64: Int64] = [:]
        if !stamped.isEmpty {
            for row in try connection.query(
                "SELECT id, received_at FROM stamped_message_ids WHERE id = ANY(\(stamped))")
            {
                stampedBefore[UInt64(bitPattern: try row.get(0))] = try row.get(1, as: PostgresTimestamp.self).ms
            }
        }
        messages.decideStamped(before: stampedBefore)
        try recordStamped(messages.decision.stamped, on: connection)
        return messages.decision
    }

    private struct CurrentMinute {
        let number: Int32
        var ids: RepeatedMessages.Minute
        var merged: [(run: Int64, ids: [UInt64])] = []
        /// Of the new ids, about, and the runs merged with them.
        var bytes: Int

        init(_ number: Int32, _ messages: inout RepeatedMessages) {
            self.number = number
            ids = messages.takeMinute(number)
            bytes = ids.count * MemoryLayout<UInt64>.size
        }
    }

    private struct WrittenRuns {
        var minutes: [Int32] = []
        var runs: [[UInt8]] = []
        var replaced: [(minute: Int32, run: Int64)] = []

        mutating func add(_ minute: CurrentMinute, _ new: [UInt64]) {
            // A minute of which nothing is new keeps its runs.
            guard !new.isEmpty else { return }
            minutes.append(minute.number)
            replaced += minute.merged.map { (minute.number, $0.run) }
            runs.append(HashSetRun.encode(sorted: minute.merged.reduce(into: new) { union(&$0, $1.ids) }))
        }

        func store(run: Int64, on connection: PostgresConnection) throws {
            if !replaced.isEmpty {
                try connection.execute(
                    """
                    DELETE FROM message_ids i
                    USING unnest(\(replaced.map(\.minute)), \(replaced.map(\.run))) AS k (minute, run)
                    WHERE i.minute = k.minute AND i.run = k.run
                    """)
            }
            if !minutes.isEmpty {
                try connection.execute(
                    """
                    INSERT INTO message_ids (minute, run, ids)
                    SELECT minute, \(run), ids FROM unnest(\(minutes), \(runs)) AS new (minute, ids)
                    """)
            }
        }
    }

    private static func recordStamped(_ counted: [UInt64: Int64], on connection: PostgresConnection) throws {
        guard !counted.isEmpty else { return }
        let stamped = counted.sorted { $0.key < $1.key }
        try connection.execute(
            """
            INSERT INTO stamped_message_ids AS s (id, received_at)
            SELECT * FROM unnest(\(stamped.map { Int64(bitPattern: $0.key) }),
                \(stamped.map { PostgresTimestamp(ms: $0.value) }))
            ON CONFLICT (id) DO UPDATE SET received_at = EXCLUDED.received_at
            """)
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
