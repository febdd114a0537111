import Core
import Storage

/// Removes a visitor's beacons from one raw batch, pending or folded, in one transaction with what that owes.
enum EraseBatch {
    struct Result: Sendable {
        var beacons = 0
        var days: Set<Day> = []
    }

    /// What the ledgers say of a batch.
    private struct Folded {
        var repeats: [Int32]
        var partEnds: [Int32]?
    }

    /// The batch began to wait for a fold meanwhile, which may have read it already.
    private struct Requeued: Error {}

    /// - Throws: `RawBatches.Unreadable`.
    static func run(
        _ key: BatchKey, visitor: ExactText, erasure: Int64, oldestCounters: Day, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> Result {
        while true {
            do {
                return try connection.transaction { connection in
                    try erase(
                        key, visitor: visitor, erasure: erasure, oldestCounters: oldestCounters, calendar: calendar,
                        on: connection)
                }
            } catch is Requeued {
                continue
            }
        }
    }

    /// The same without changing anything.
    static func preview(
        _ key: BatchKey, visitor: ExactText, calendar: ReportingCalendar, on connection: PostgresConnection
    ) throws -> Result {
        let batch = try RawBatches.load(key, columns: Fold.columns, on: connection)
        let rows = VisitorRows(of: visitor, in: batch).rows
        guard let folded = try folded(key, on: connection) else { return Result(beacons: rows.count) }
        let effect = try ErasureEffect(
            rows, of: batch, counted: counted(rows, folded, of: batch), oldest: .last, calendar: calendar,
            on: connection)
        return Result(beacons: rows.count, days: effect.days)
    }

    private static func folded(_ key: BatchKey, on connection: PostgresConnection) throws -> Folded? {
        try connection.query(
            """
            SELECT duplicates, part_ends FROM rollup_folded
            WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
            """
        ).first.map { Folded(repeats: try $0.get(0), partEnds: try $0.get(1)) }
    }

    private static func counted(_ rows: [Int], _ folded: Folded, of batch: BeaconBatch) -> [Int] {
        let isRepeat = RowSet(folded.repeats.filter { $0 >= 0 && $0 < batch.count }, of: batch.count)
        return rows.filter { !isRepeat.contains($0) }
    }

    private static func erase(
        _ key: BatchKey, visitor: ExactText, erasure: Int64, oldestCounters: Day, calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws -> Result {
        let isSame: SQL = "received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)"
        // Before the other lock, which a fold takes while it holds this: waits for a fold that has read the batch, and
        // keeps the next one from it.
        let isPending = try !connection.query(
            "SELECT FROM rollup_pending WHERE \(sql: isSame) FOR UPDATE"
        ).isEmpty
        try ApplyLock.take(on: connection)
        let folded = try folded(key, on: connection)
        if !isPending, folded == nil, try !connection.query("SELECT FROM rollup_pending WHERE \(sql: isSame)").isEmpty {
            throw Requeued()
        }
        guard let row = try connection.query("SELECT last_seq FROM analytics_events WHERE \(sql: isSame)").first else {
            return Result()
        }
        let batch = try RawBatches.load(key, columns: .all, on: connection)
        let erased = VisitorRows(of: visitor, in: batch)
        guard !erased.rows.isEmpty else { return Result() }
        let isErased = RowSet(erased.rows.map { Int32($0) }, of: batch.count)
        var builder = BeaconBatchBuilder()
        builder.append(batch) { !isErased.contains($0) }
        let left = builder.finish()

        let counted = folded.map { Self.counted(erased.rows, $0, of: batch) } ?? []
        let effect = try ErasureEffect(
            erased.rows, of: batch, counted: counted, oldest: oldestCounters, calendar: calendar, on: connection)
        try keepIds(of: batch, folded == nil ? erased.rows : counted, isFolded: folded != nil, calendar, on: connection)
        try RawBatches.replace(key, by: left, lastSeq: try row.get(0), on: connection)
        if let folded {
            try connection.execute(
                """
                UPDATE rollup_folded SET duplicates = \(erased.remap(folded.repeats)),
                    part_ends = \(folded.partEnds.map { erased.left(ofFirst: $0) })
                WHERE \(sql: isSame)
                """)
        }
        for table in ["rollup_pending", "damaged_batches"] {
            try connection.execute(
                "UPDATE \(unescaped: table) SET beacons = \(Int32(left.count)) WHERE \(sql: isSame)")
        }
        try ErasureLedger.add(effect, beacons: erased.rows.count, to: erasure, on: connection)
        return Result(beacons: erased.rows.count, days: effect.days)
    }

    /// Remembers the ids of what was counted, or would have been: a retry must not count instead.
    private static func keepIds(
        of batch: BeaconBatch, _ rows: [Int], isFolded: Bool, _ calendar: ReportingCalendar,
        on connection: PostgresConnection
    ) throws {
        guard !rows.isEmpty else { return }
        let isKept = RowSet(rows.map { Int32($0) }, of: batch.count)
        var builder = BeaconBatchBuilder()
        builder.append(batch) { isKept.contains($0) }
        var messages = RepeatedMessages()
        messages.add(builder.finish(), number: 0)
        guard !isFolded else {
            try ErasedIds.add(
                timed: messages.timedIds,
                stamped: messages.stamped.map { ($0.id, $0.receivedAt) }, on: connection)
            return
        }
        let run = try connection.query("SELECT nextval('fold_seq')")[0].get(0, as: Int64.self)
        var new: [(minute: Int32, id: UInt64)] = []
        let decision = try MessageIds.decide(&messages, run: run, calendar: calendar, on: connection) { minute, ids in
            new += ids.map { (minute, $0) }
        }
        try ErasedIds.add(
            timed: new,
            stamped: decision.stamped.map { ($0.key, $0.value) }, on: connection)
    }
}
