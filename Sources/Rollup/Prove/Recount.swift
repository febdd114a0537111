import Core
import Storage

/// Counts folded raw batches again, hour by hour, into temporary tables.
///
/// The ledgers say only which batches are folded and in which order; at the edges of a range that is not everything,
/// also which beacons outside of it are repeats. Sums, sets of ids and sessions come from raw beacons alone.
///
/// Reads the beacons of a day at a time, or of an hour where a day has many: memory holds those of one such slice, the
/// sessions still open at its end, and for the whole range a line and the repeats of each batch and the entities' names.
/// Must run in one transaction: repeatable read, or under the apply lock.
struct Recount {
    private struct Source {
        let batch: FoldedBatch
        /// Those decided so far, in no order.
        var repeats: [Int32] = []

        var key: BatchKey { batch.key }
        var times: ClosedRange<Int64> { batch.times }
        var beacons: Int { batch.beacons }
        var recorded: [Int32] { batch.repeats }
    }

    /// A day with more beacons than this is counted hour by hour.
    static let maxSliceBeacons = 4_000_000
    /// So many are kept decoded between deciding repeats and counting; others are read twice.
    static let maxKeptBeacons = 1_500_000
    /// How long a statement of the same transaction may be awaited, since one slice is sorted in between.
    static let maxIdle: SQL = "SET LOCAL idle_in_transaction_session_timeout = '10min'"

    /// The same while others prove days in its snapshot: as long as the largest of them may take.
    static let maxIdleBesideOthers: SQL = "SET LOCAL idle_in_transaction_session_timeout = '6h'"

    /// The whole days counted; nil where nothing is stored.
    let days: ClosedRange<Day>?
    let calendar: ReportingCalendar
    /// Batches whose repeats were recorded otherwise than they are now decided.
    private(set) var changedRepeats: [(key: BatchKey, repeats: [Int32])] = []
    private(set) var beacons = 0
    /// Batches that were folded and can't be read any more: what they held is missing from the count.
    private(set) var unreadable: [RawBatches.Unreadable] = []
    /// Batches whose rows say otherwise than their blocks, by which they are found, and what.
    private(set) var differing: [RawBatches.Unreadable] = []
    /// Those whose rows were compared.
    private var compared: Set<BatchKey> = []
    /// Throws at what can't be read.
    private let isForReplacing: Bool
    private let maxSliceBeacons: Int
    /// Claimed instants before this one are decided.
    private var decidedThrough: Int64 = 0
    /// In the order in which they were folded.
    private var sources: [Source] = []
    /// Batches whose beacons all count at this instant or later may be missing from `sources`.
    private var sourcesBefore: Int64 = 0
    private var fold = Fold()
    /// Sessions that a later slice may continue, ascending by session: their last piece.
    private var unfinished: [(piece: SessionPiece, entity: Int32)] = []
    /// Sessions and their milliseconds by the hour in which they begin.
    private var sessions: [Fold.CellKey: (count: Int64, ms: Int64)] = [:]

    /// How far a claimed timestamp may lie ahead of the one that counts.
    static let maxClampMs: Int64 = 600_000

    /// - Parameter isForReplacing: a batch that can't be read is then an error.
    init(
        _ range: ClosedRange<Day>?, calendar: ReportingCalendar, isForReplacing: Bool,
        maxSliceBeacons: Int = Recount.maxSliceBeacons, on connection: PostgresConnection
    ) throws {
        self.calendar = calendar
        self.isForReplacing = isForReplacing
        self.maxSliceBeacons = maxSliceBeacons
        let stored = try FoldedBatch.stored(calendar: calendar, on: connection)
        days = range ?? stored.map { calendar.day(of: $0.lowerBound)...calendar.day(of: $0.upperBound) }
        try connection.execute(Self.maxIdle)
        try connection.execute(.planForValues)
        try Self.makeTables(on: connection)
        try findMissing(range, on: connection)
        guard let days, let stored else { return }
        // Days without anything stored need no look, however many the range has. Ids may be claimed for the day after.
        let lastStored = calendar.day(of: stored.upperBound + Self.maxClampMs)
        let first = max(days.lowerBound, calendar.day(of: stored.lowerBound))
        let last = min(days.upperBound, lastStored)
        guard first <= last else { return }
        let instants = calendar.start(of: first)..<calendar.start(of: last + 1)
        // A session that reaches into the range has a beacon in its gap before it: then it did not begin here.
        let lead = instants.lowerBound - ReportingCalendar.hourMs
        sourcesBefore = range == nil ? .max : instants.upperBound + RepeatedMessages.stampedWindowMs + Self.maxClampMs
        sources = try FoldedBatch.read(
            from: range == nil ? .min : lead - RepeatedMessages.stampedWindowMs, before: sourcesBefore, on: connection
        ).map { Source(batch: $0) }
        try decideStamped(computed: range == nil ? .min ..< .max : lead..<instants.upperBound, on: connection)
        decidedThrough = lead
        try count(lead..<instants.lowerBound, isInRange: false, on: connection)
        if range != nil { try recallOrigins(before: instants.lowerBound, on: connection) }
        // A session that begins in the range may end after it: go on until none of those is open.
        var day = first
        while day <= last || unfinished.contains(where: { instants.contains($0.piece.origin) }) {
            guard day <= lastStored, day - last < Self.maxDaysBeyond else { break }
            if unfinished.isEmpty {
                // A row that is of another century costs no look at each day before it.
                guard let next = firstDay(from: day) else { break }
                if next > day {
                    day = next
                    continue
                }
            }
            for slice in slices(of: day) {
                if slice.upperBound + Self.maxClampMs > sourcesBefore { try readFurther(on: connection) }
                try count(slice, isInRange: day <= last, on: connection)
            }
            day = day + 1
        }
        for (piece, entity) in unfinished { close(piece, entity) }
        try storeSessions(on: connection)
        for number in sources.indices {
            let decided = try repeats(of: number, range == nil ? nil : instants, on: connection)
            if let decided, decided != sources[number].recorded {
                changedRepeats.append((sources[number].key, decided))
            }
        }
    }

    /// A batch's repeats as they should be recorded, ascending: of one that reaches out of the range, those without as they
    /// were, since they are decided in part only. Nil where it can't be told.
    private mutating func repeats(
        of number: Int, _ instants: Range<Int64>?, on connection: PostgresConnection
    ) throws -> [Int32]? {
        let source = sources[number]
        guard let instants, !instants.contains(wholly: source.times, clamped: Self.maxClampMs) else {
            return source.repeats.sorted()
        }
        if source.recorded.isEmpty && source.repeats.isEmpty { return nil }
        guard source.times.overlaps(instants.lowerBound...instants.upperBound - 1),
            let batch = try load(number, columns: RepeatedMessages.columns.union([.timestamp]), on: connection)
        else { return nil }
        func isWithin(_ row: Int32) -> Bool {
            instants.contains(batch.timestamp[Int(row)]) && instants.contains(batch.claimed[Int(row)])
        }
        let beyond = source.recorded.filter { $0 >= 0 && $0 < batch.count && !isWithin($0) }
        return Set(beyond + source.repeats.filter(isWithin)).sorted()
    }

    /// A session that goes on for longer after the range's end is cut: a bound against a clock gone wild.
    static let maxDaysBeyond = 400

    /// The first day, from this one on, of which some batch may have beacons; nil where none has.
    private func firstDay(from day: Day) -> Day? {
        let start = calendar.start(of: day)
        let first = sources.lazy.filter { $0.times.upperBound >= start }.map { max($0.times.lowerBound, start) }.min()
        return first.map(calendar.day(of:))
    }

    /// The whole day, or its hours.
    private func slices(of day: Day) -> [Range<Int64>] {
        let range = calendar.range(of: day)
        // A day that the zone left out.
        guard !range.isEmpty else { return [] }
        let beacons = sources.reduce(0) {
            $1.times.overlaps(range.lowerBound...range.upperBound - 1) ? $0 + $1.beacons : $0
        }
        guard beacons > maxSliceBeacons else { return [range] }
        return stride(from: range.lowerBound, to: range.upperBound, by: Int(ReportingCalendar.hourMs)).map {
            $0..<$0 + ReportingCalendar.hourMs
        }
    }

    /// A source's batch; nil where it can't be read, which a verification reports.
    private mutating func load(
        _ number: Int, columns: ColumnSet, on connection: PostgresConnection
    ) throws -> BeaconBatch? {
        let key = sources[number].key
        let batch = try reading(key, on: connection) { try RawBatches.load($0, columns: columns, on: connection) }
        guard let batch else { return nil }
        if columns.isSuperset(of: BatchHeader.columns), compared.insert(key).inserted,
            let difference = try BatchHeader.difference(key, batch, on: connection)
        {
            let failure = RawBatches.Unreadable(key: key, reason: difference)
            guard !isForReplacing else { throw failure }
            differing.append(failure)
        }
        return batch
    }

    /// Nil where the batch can't be read, which a verification reports.
    private mutating func reading<Value>(_ key: BatchKey, _ read: (BatchKey) throws -> Value) throws -> Value? {
        if unreadable.contains(where: { $0.key == key }) { return nil }
        do {
            return try read(key)
        } catch let error as RawBatches.Unreadable where !isForReplacing {
            unreadable.append(error)
            return nil
        }
    }

    /// The same of a statement that the server may fail at, which must not fail the transaction.
    private mutating func reading<Value>(
        _ key: BatchKey, on connection: PostgresConnection, _ read: (BatchKey) throws -> Value
    ) throws -> Value? {
        let isForReplacing = isForReplacing
        if !isForReplacing { try connection.execute("SAVEPOINT reading") }
        let value = try reading(key) { key in
            do {
                return try read(key)
            } catch let error as PostgresError where error.isCorruption {
                if !isForReplacing { try connection.execute("ROLLBACK TO SAVEPOINT reading") }
                throw RawBatches.Unreadable(key: key, reason: error.message)
            }
        }
        if !isForReplacing { try connection.execute("RELEASE SAVEPOINT reading") }
        return value
    }

    // MARK: What to read

    /// Days of batches read at once, beyond the range.
    private static let maxDaysFurther: Int64 = 7

    /// Sessions of the range are open beyond what was read. There, repeats are what they were recorded to be.
    private mutating func readFurther(on connection: PostgresConnection) throws {
        let known = Set(sources.map(\.key))
        let before = sourcesBefore
        sourcesBefore += Self.maxDaysFurther * 86_400_000
        sources += try FoldedBatch.read(from: before, before: sourcesBefore, on: connection)
            .filter { !known.contains($0.key) }.map { Source(batch: $0, repeats: $0.repeats) }
        sources.sort { $0.batch.foldSeq < $1.batch.foldSeq }
    }

    /// Batches that were folded and are not there: what they gave can't be counted again. The first of them.
    static func missing(_ days: ClosedRange<Day>?, on connection: PostgresConnection) throws -> [BatchKey] {
        // Received on their day or, where the zones differ, the one before; or long after, as with a phone that was offline
        // and with an import of old logs: nothing says what a batch held that is gone.
        let first = days.map { $0.lowerBound - 1 } ?? Day.first
        return try connection.query(
            """
            SELECT received_day, node, seq FROM rollup_folded
            WHERE received_day >= \(first) AND NOT EXISTS (
                SELECT 1 FROM analytics_events a
                WHERE (a.received_day, a.node, a.seq)
                    = (rollup_folded.received_day, rollup_folded.node, rollup_folded.seq))
            ORDER BY received_day, node, seq LIMIT \(Verify.maxFindings)
            """
        ).map { BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)) }
    }

    private mutating func findMissing(_ days: ClosedRange<Day>?, on connection: PostgresConnection) throws {
        for key in try Self.missing(days, on: connection) {
            let missing = RawBatches.Unreadable(key: key, reason: "it is gone")
            guard !isForReplacing else { throw missing }
            unreadable.append(missing)
        }
    }

    private static func makeTables(on connection: PostgresConnection) throws {
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_cells (
                family text NOT NULL, entity text NOT NULL, hour timestamptz NOT NULL, page_views bigint NOT NULL,
                seat_views bigint NOT NULL, beacons bigint NOT NULL, visitors bytea NOT NULL
            ) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_sessions (
                family text NOT NULL, entity text NOT NULL, hour timestamptz NOT NULL, sessions bigint NOT NULL,
                session_ms bigint NOT NULL
            ) ON COMMIT DROP
            """)
        // Slots after the range hold only pieces of sessions that begin in it.
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_slots (
                slot integer NOT NULL, is_in_range boolean NOT NULL, pieces bytea NOT NULL
            ) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_ids (minute integer NOT NULL, ids bytea NOT NULL) ON COMMIT DROP
            """)
        try connection.execute(
            """
            CREATE TEMPORARY TABLE recounted_stamped (
                id bigint NOT NULL, batch integer NOT NULL, place integer NOT NULL, received_ms bigint NOT NULL,
                recorded boolean NOT NULL
            ) ON COMMIT DROP
            """)
    }

    /// What was counted is needed no more in the transaction.
    static func dropTables(on connection: PostgresConnection) throws {
        try connection.execute(
            "DROP TABLE recounted_cells, recounted_sessions, recounted_slots, recounted_ids, recounted_stamped")
    }

    // MARK: Repeats

    /// Decides id by id, sorted by Postgres: however many there are, they need no memory here.
    ///
    /// - Parameter computed: for beacons received before or after, what was decided is taken as it is recorded: it rests
    ///   on others further away.
    private mutating func decideStamped(computed: Range<Int64>, on connection: PostgresConnection) throws {
        for number in sources.indices {
            // Most batches have none, and are not decoded any further.
            let loaded = try reading(sources[number].key, on: connection) {
                try RawBatches.load($0, columns: RepeatedMessages.columns, on: connection) { $0.contains(.stamped) }
            }
            guard case let (batch, rows)?? = loaded else { continue }
            var messages = RepeatedMessages()
            messages.add(batch, number: number, only: .stamped)
            guard !messages.stamped.isEmpty else { continue }
            let recorded = Set(sources[number].recorded)
            try connection.copyIn(
                "recounted_stamped", columns: ["id", "batch", "place", "received_ms", "recorded"],
                rows: messages.stamped.lazy.map { entry in
                    [
                        Int64(bitPattern: entry.id), entry.batch, Int32(rows[Int(entry.row)]), entry.receivedAt,
                        recorded.contains(Int32(rows[Int(entry.row)])),
                    ]
                })
        }
        // Those of erased beacons come first.
        try connection.execute(
            """
            INSERT INTO recounted_stamped (id, batch, place, received_ms, recorded)
            SELECT id, -1, row_number() OVER (PARTITION BY id ORDER BY received_at),
                (extract(epoch FROM received_at) * 1000)::bigint, false
            FROM erased_stamped_ids e
            WHERE \(computed.lowerBound == .min) OR EXISTS (SELECT FROM recounted_stamped r WHERE r.id = e.id)
            """)
        var id: Int64?
        var counted: Int64?
        try connection.stream(
            "SELECT id, batch, place, received_ms, recorded FROM recounted_stamped ORDER BY id, batch, place"
        ) { row in
            let next = try row.get(0, as: Int64.self)
            if next != id { counted = nil }
            id = next
            let receivedAt = try row.get(3, as: Int64.self)
            if try row.get(1, as: Int32.self) < 0 {
                counted = receivedAt
                return
            }
            let isRepeat =
                computed.contains(receivedAt)
                ? RepeatedMessages.isStampedRepeat(receivedAt, ofCounted: counted) : try row.get(4)
            if isRepeat {
                sources[Int(try row.get(1, as: Int32.self))].repeats.append(try row.get(2))
            } else {
                counted = receivedAt
            }
        }
    }

    /// Decides what claims an instant before `end` and isn't decided yet.
    ///
    /// A beacon that counts in a slice may claim an instant of the next, where it was ahead of its receipt.
    ///
    /// - Returns: by number, batches that are needed again for counting, as far as memory may hold them.
    private mutating func decideTimed(
        through end: Int64, on connection: PostgresConnection
    ) throws -> [Int: BeaconBatch] {
        let range = decidedThrough..<end
        decidedThrough = end
        var messages = RepeatedMessages()
        var kept: [Int: BeaconBatch] = [:]
        var keptBeacons = 0
        for number in sources.indices
        where sources[number].times.overlaps(range.lowerBound - Self.maxClampMs...range.upperBound) {
            let isKept = keptBeacons + sources[number].beacons <= Self.maxKeptBeacons
            let columns = isKept ? Claim.columns : RepeatedMessages.columns
            guard var batch = try load(number, columns: columns, on: connection) else { continue }
            messages.add(batch, number: number, claimed: range, only: .timed)
            guard isKept else { continue }
            // Only what counting needs.
            batch[.messageId] = TextColumn()
            (batch.receivedAt, batch.claimed, batch.flags) = ([], [], [])
            kept[number] = batch
            keptBeacons += batch.count
        }
        // Ids of erased beacons count no more.
        let erased = try ErasedIds.timed(range, on: connection)
        var runs: [(minute: Int32, ids: [UInt8])] = []
        for minute in messages.minutes {
            var ids = messages.takeMinute(minute)
            ids.see(erased[minute] ?? [])
            // The first of each counts, unless it was erased.
            let new = messages.decide(ids)
            if !new.isEmpty { runs.append((minute, HashSetRun.encode(sorted: new))) }
        }
        for (number, rows) in messages.decision.repeats { sources[number].repeats += rows }
        if !runs.isEmpty {
            try connection.execute(
                "INSERT INTO recounted_ids SELECT * FROM unnest(\(runs.map(\.minute)), \(runs.map(\.ids)))")
        }
        return kept
    }

    // MARK: Counting

    private mutating func count(
        _ range: Range<Int64>, isInRange: Bool, on connection: PostgresConnection
    ) throws {
        let kept = try decideTimed(through: range.upperBound + Self.maxClampMs, on: connection)
        for number in sources.indices
        where sources[number].times.overlaps(range.lowerBound...range.upperBound - 1) {
            guard let batch = try kept[number] ?? load(number, columns: Fold.columns, on: connection) else { continue }
            // Beyond the range they are as they were recorded.
            guard let repeats = RowSet(recorded: sources[number].repeats, of: batch.count) else {
                let failure = RawBatches.Unreadable(
                    key: sources[number].key, reason: RawBatches.Unreadable.noRepeats)
                guard !isForReplacing else { throw failure }
                if !differing.contains(failure) { differing.append(failure) }
                continue
            }
            let rows = batch.rows(in: range, except: repeats)
            if !rows.isEmpty { fold.add(batch, rows, Visits(batch, rows)) }
            if isInRange { beacons += batch.timestamp.count { range.contains($0) } }
        }
        if isInRange { try storeCells(on: connection) }
        fold.removeCells()
        try follow(fold.takeSessions(), until: range.upperBound, isInRange: isInRange, on: connection)
    }

    /// Adds the pieces of one slice to the sessions that reach into it.
    private mutating func follow(
        _ fragments: [SessionFragment], until end: Int64, isInRange: Bool, on connection: PostgresConnection
    ) throws {
        guard let days else { return }
        let start = calendar.start(of: days.lowerBound)
        var slots: [Int32: [SessionPiece]] = [:]
        var next: [(piece: SessionPiece, entity: Int32)] = []
        next.reserveCapacity(unfinished.count)
        func keepOrClose(_ last: (piece: SessionPiece, entity: Int32)) {
            if end - last.piece.last < SessionPiece.gapMs { next.append(last) } else { close(last.piece, last.entity) }
        }
        var position = 0
        var index = 0
        while index < fragments.count {
            let session = fragments[index].session
            while position < unfinished.count, unfinished[position].piece.session < session {
                keepOrClose(unfinished[position])
                position += 1
            }
            var last: (piece: SessionPiece, entity: Int32)?
            if position < unfinished.count, unfinished[position].piece.session == session {
                last = unfinished[position]
                position += 1
            }
            while index < fragments.count, fragments[index].session == session {
                var piece = SessionPiece(fragments[index])
                if let last {
                    if last.piece.goesOn(to: piece) {
                        piece.origin = last.piece.origin
                    } else {
                        close(last.piece, last.entity)
                    }
                }
                last = (piece, fragments[index].entity)
                index += 1
                if isInRange || piece.first >= start && days.contains(calendar.day(of: piece.origin)) {
                    slots[piece.slot, default: []].append(piece)
                }
            }
            keepOrClose(last!)
        }
        for last in unfinished[position...] { keepOrClose(last) }
        unfinished = next
        guard !slots.isEmpty else { return }
        let runs = slots.sorted { $0.key < $1.key }
        try connection.execute(
            """
            INSERT INTO recounted_slots
            SELECT slot, \(isInRange), pieces FROM unnest(\(runs.map(\.key)),
                \(runs.map { SessionSlotRun.encode(sorted: $0.value, slot: $0.key) })) AS k (slot, pieces)
            """)
    }

    /// Where sessions reach into the range from before what was counted, their pieces say when they began.
    private mutating func recallOrigins(before instant: Int64, on connection: PostgresConnection) throws {
        try connection.execute("SAVEPOINT origins")
        do {
            try SessionLedger.read([SessionPiece.slot(of: instant) - 1], calendar, on: connection) {
                slot, _, _, pieces in
                var position = 0
                for piece in pieces {
                    while position < unfinished.count, unfinished[position].piece.session < piece.session {
                        position += 1
                    }
                    guard position < unfinished.count else { return }
                    guard unfinished[position].piece.session == piece.session, unfinished[position].piece.slot == slot
                    else {
                        continue
                    }
                    unfinished[position].piece.origin = min(unfinished[position].piece.origin, piece.origin)
                }
            }
        } catch is UndecodableRow where !isForReplacing {
            // Verifying the day before names it. The statement was cancelled, which must not fail the transaction.
            try connection.execute("ROLLBACK TO SAVEPOINT origins")
        }
    }

    private func storeCells(on connection: PostgresConnection) throws {
        for family in TrafficFamily.allCases {
            let cells = fold.sortedCells(of: family)
            guard !cells.isEmpty else { continue }
            try connection.execute(
                """
                INSERT INTO recounted_cells
                SELECT \(family.rawValue), * FROM unnest(\(cells.map(\.entity.string)),
                    \(cells.map { PostgresTimestamp(ms: $0.hour) }), \(cells.map(\.cell.pageViews)),
                    \(cells.map(\.cell.seatViews)), \(cells.map(\.cell.beacons)),
                    \(cells.map(\.cell.visitors.bytes)))
                """)
        }
    }

    /// The session's last piece tells all of it.
    private mutating func close(_ last: SessionPiece, _ entity: Int32) {
        guard let days, days.contains(calendar.day(of: last.origin)) else { return }
        let hour = Int32(truncatingIfNeeded: floorDiv(last.origin, ReportingCalendar.hourMs))
        sessions[Fold.CellKey(entity: entity, hour: hour), default: (0, 0)].count += 1
        sessions[Fold.CellKey(entity: entity, hour: hour)]!.ms += last.last - last.origin
    }

    private mutating func storeSessions(on connection: PostgresConnection) throws {
        guard !sessions.isEmpty else { return }
        let rows = sessions.map { (entity: fold.entities[$0.key.entity], hour: $0.key.start, sum: $0.value) }
        try connection.execute(
            """
            INSERT INTO recounted_sessions
            SELECT * FROM unnest(\(rows.map(\.entity.family.rawValue)), \(rows.map(\.entity.id.string)),
                \(rows.map { PostgresTimestamp(ms: $0.hour) }), \(rows.map(\.sum.count)), \(rows.map(\.sum.ms)))
            """)
        sessions = [:]
    }

    // MARK: Comparing

    /// The family's hours in the range: what was counted (`c`) beside what is stored (`t`), where they differ.
    func differences(_ family: TrafficFamily) -> SQL {
        guard let days else { preconditionFailure("nothing was counted") }
        let lower = PostgresTimestamp(ms: calendar.start(of: days.lowerBound))
        let upper = PostgresTimestamp(ms: calendar.start(of: days.upperBound + 1))
        return """
            SELECT coalesce(c.entity, t.entity) AS entity, coalesce(c.hour, t.hour) AS hour,
                c.page_views AS c_page_views, t.page_views AS t_page_views,
                c.seat_views AS c_seat_views, t.seat_views AS t_seat_views,
                c.beacons AS c_beacons, t.beacons AS t_beacons,
                c.sessions AS c_sessions, t.sessions AS t_sessions,
                c.session_ms AS c_session_ms, t.session_ms AS t_session_ms,
                c.visitors AS c_visitors, t.visitors AS t_visitors
            FROM (
                SELECT entity, hour, page_views, seat_views, beacons, coalesce(sessions, 0) AS sessions,
                    coalesce(session_ms, 0) AS session_ms, visitors
                FROM recounted_cells LEFT JOIN (
                    SELECT family, entity, hour, sum(sessions)::bigint AS sessions, sum(session_ms)::bigint AS session_ms
                    FROM recounted_sessions GROUP BY 1, 2, 3
                ) s USING (family, entity, hour)
                WHERE family = \(family.rawValue)
            ) c FULL JOIN (
                SELECT \(unescaped: family.idColumn) AS entity, \(unescaped: "hour, " + TrafficTable.columns)
                FROM \(unescaped: family.table(.hour)) WHERE hour >= \(lower) AND hour < \(upper)
            ) t ON t.entity = c.entity AND t.hour = c.hour
            WHERE (c.page_views, c.seat_views, c.beacons, c.sessions, c.session_ms, c.visitors)
                IS DISTINCT FROM (t.page_views, t.seat_views, t.beacons, t.sessions, t.session_ms, t.visitors)
            """
    }
}

extension Range<Int64> {
    /// Whether all of a batch's beacons lie within, and all that they claim.
    fileprivate func contains(wholly times: ClosedRange<Int64>, clamped: Int64) -> Bool {
        times.lowerBound >= lowerBound && times.upperBound + clamped < upperBound
    }
}

extension Day {
    /// As far as any day of ours can be.
    static let first = Day(daysSince1970: -700_000)
    static let last = Day(daysSince1970: 2_900_000)
}
