import Core
import Storage

/// Proves that a day's stored rows – its hours, those of the day itself, breakdowns and funnels – are what raw beacons give.
///
/// Each row's numbers, and each of its visitors, are added up under the row's hash: as they are stored, and as raw beacons
/// give them. Nothing of a stored row is kept, but for its hash where its sketch has registers, and for which values of a
/// list have rows where not all of them do.
struct RowProof {
    /// What is compared.
    struct Tables {
        /// Hours and the day's rows, except those that wait to be derived.
        var traffic: Bool
        var details: Bool
        var dirty: DirtyBuckets
    }

    let day: Day
    let range: Range<Int64>
    let tables: Tables
    var entities = EntityTable()
    let site: Int32
    /// False as soon as something can't be right.
    var holds = true

    var storedCounts: UInt64 = 0
    private var seenCounts: UInt64 = 0
    var sketches = SketchProof()
    var lists = BreakdownLists()
    private var values = ValueNumbers()
    private var records = VisitRecords()
    /// By entity: whether its day waits to be derived.
    private var isDirty: [Bool] = []

    init(_ day: Day, _ range: Range<Int64>, _ tables: Tables, on connection: PostgresConnection) throws {
        self.day = day
        self.range = range
        self.tables = tables
        site = entities.number(of: .init(family: .site, id: TrafficFamily.siteEntity))
        try readStored(on: connection)
    }

    // MARK: Counting

    /// Neighbouring beacons of one session key, visitor, artist, event and slot.
    private struct Run {
        var key: UInt64 = 0
        var visitor: UInt64 = 0
        var isNobody = false
        var artist: Int32 = -1
        var event: Int32 = -1
        var slotStart = Int64.max
        var first: Int64 = 0
        var last: Int64 = 0
        var hour = 0
        var pageViews: Int64 = 0
        var seatViews: Int64 = 0
        var beacons: Int64 = 0
        /// The part of a funnel that is known of them.
        var funnel: VisitRecords.Rows = []
    }

    /// Neighbours within a run that have the same value.
    private struct ValueRun {
        var value: Int32 = -1
        var artistRow: UInt64 = 0
        /// Where the value has no row of its own: that which it would have; else 0.
        var other: UInt64 = 0
        /// What the run had before.
        var pageViews: Int64 = 0
        var beacons: Int64 = 0
    }

    private var run = Run()
    private var valueRuns = [ValueRun](repeating: ValueRun(), count: Dimension.allCases.count)

    /// Adds some of a batch's beacons, which are of the day.
    mutating func add(_ beacons: CountedBeacons, of batch: BeaconBatch, _ sessions: inout SessionProof) {
        guard holds else { return }
        let artists = Self.numbers(beacons, batch[.artistId], entities.numbers(of: batch[.artistId], family: .artist))
        let events = Self.numbers(beacons, batch[.eventId], entities.numbers(of: batch[.eventId], family: .event))
        noteDirty()
        let values = tables.details ? numbersOfValues(beacons, batch) : []
        guard holds else { return }
        var start = 0
        for key in beacons.keys {
            add(start..<Int(key.end), key.hash, beacons, artists.span, events.span, values.span, &sessions)
            start = Int(key.end)
        }
        for index in beacons.named..<beacons.rows.count {
            add(index..<index + 1, nil, beacons, artists.span, events.span, values.span, &sessions)
        }
        if values.count > 0, !lists.isBounded { holds = false }
    }

    private static func numbers(_ beacons: CountedBeacons, _ column: TextColumn, _ numbers: [Int32]) -> [Int32] {
        let codes = column.codes.span
        return beacons.rows.map { row in
            let code = codes[Int(row)]
            return code == 0 ? -1 : numbers[Int(code) - 1]
        }
    }

    /// By beacon, the numbers of its values by dimension.
    private mutating func numbersOfValues(_ beacons: CountedBeacons, _ batch: BeaconBatch) -> [SIMD8<Int32>] {
        var numbers = [SIMD8<Int32>](repeating: .zero, count: beacons.rows.count)
        let siteHash = entities.hashes[Int(site)]
        for dimension in Dimension.allCases {
            let column = batch[dimension.column]
            let ofCodes = values.numbers(of: column, dimension, siteHash, lists, site, sketches)
            let codes = column.codes.span
            let place = Int(dimension.rawValue)
            for index in numbers.indices { numbers[index][place] = ofCodes[Int(codes[Int(beacons.rows[index])])] }
        }
        if !values.isBounded { holds = false }
        return numbers
    }

    @inline(__always)
    private mutating func add(
        _ range: Range<Int>, _ key: UInt64?, _ beacons: CountedBeacons, _ artists: Span<Int32>, _ events: Span<Int32>,
        _ values: Span<SIMD8<Int32>>, _ sessions: inout SessionProof
    ) {
        let (instants, visitors, kinds) = (beacons.instants.span, beacons.visitors.span, beacons.kinds.span)
        var current = SIMD8<Int32>.zero
        run.slotStart = .max
        for index in range {
            let (instant, visitor, artist, event) = (instants[index], visitors[index], artists[index], events[index])
            var rows: VisitRecords.Rows = []
            let isSame =
                instant >= run.slotStart && instant - run.slotStart < SessionPiece.gapMs && artist == run.artist
                && event == run.event && visitor == run.visitor
            if !isSame {
                finishRun(&sessions)
                begin(key, visitor, artist, event, instant)
                if tables.traffic { rows.insert(.traffic) }
            }
            if values.count > 0 {
                if !isSame {
                    current = values[index]
                    for dimension in 0..<Dimension.allCases.count { beginValue(dimension, current[dimension]) }
                    rows.formUnion(.init(rawValue: 1 << UInt8(Dimension.allCases.count) - 1))
                } else if values[index] != current {
                    let new = values[index]
                    for dimension in 0..<Dimension.allCases.count where new[dimension] != current[dimension] {
                        finishValue(dimension)
                        beginValue(dimension, new[dimension])
                        rows.insert(.value(dimension))
                    }
                    current = new
                }
            }
            run.first = min(run.first, instant)
            run.last = max(run.last, instant)
            run.beacons += 1
            switch kinds[index] {
            case .pageView:
                run.pageViews += 1
                if values.count > 0, event >= 0 { rows.insert(.viewers) }
            case .seatView:
                run.seatViews += 1
                if values.count > 0, event >= 0 { rows.formUnion([.viewers, .seatViewers]) }
            case .other: break
            }
            rows.subtract(run.funnel)
            if rows.isEmpty || run.isNobody { continue }
            run.funnel.formUnion(rows.intersection([.viewers, .seatViewers]))
            var record = VisitRecords.Record(
                visitor: visitor, artist: artist, event: event,
                values: (current[0], current[1], current[2], current[3], current[4]),
                hour: UInt8(truncatingIfNeeded: run.hour), rows: rows)
            for dimension in valueRuns.indices where valueRuns[dimension].other != 0 {
                record.others |= 1 << UInt8(dimension)
            }
            if let full = records.append(record) { take(full, comesAgain: true) }
        }
        finishRun(&sessions)
    }

    private mutating func begin(
        _ key: UInt64?, _ visitor: UInt64, _ artist: Int32, _ event: Int32, _ instant: Int64
    ) {
        run = Run(
            key: key ?? 0, visitor: visitor, isNobody: key == nil, artist: artist, event: event,
            slotStart: SessionPiece.start(ofSlot: SessionPiece.slot(of: instant)), first: instant, last: instant,
            hour: hour(of: instant))
    }

    private func hour(of instant: Int64) -> Int { Int((instant - range.lowerBound) / ReportingCalendar.hourMs) }

    private mutating func finishRun(_ sessions: inout SessionProof) {
        guard run.beacons > 0 else { return }
        let counts = RowHash.counts(pageViews: run.pageViews, seatViews: run.seatViews, beacons: run.beacons)
        finishRun(of: run.artist, counts, &sessions)
        finishRun(of: run.event, counts, &sessions)
        finishRun(of: site, counts, &sessions)
        if tables.details {
            for dimension in valueRuns.indices { finishValue(dimension) }
        }
        run.beacons = 0
        run.slotStart = .max
    }

    @inline(__always)
    private mutating func finishRun(of entity: Int32, _ counts: UInt64, _ sessions: inout SessionProof) {
        guard entity >= 0 else { return }
        if tables.traffic { seenCounts &+= rows(of: entity, run.hour) &* counts }
        if run.isNobody { return }
        let session = Fold.session(run.key, of: entities.hashes[Int(entity)])
        sessions.see(.init(session: session, entity: entity, first: run.first, last: run.last))
    }

    /// The sum of an hour's and the day's.
    @inline(__always)
    private func rows(of entity: Int32, _ hour: Int) -> UInt64 {
        let hash = entities.hashes[Int(entity)]
        return RowHash.hour(hash, hour) &+ (isDirty[Int(entity)] ? 0 : RowHash.day(hash))
    }

    @inline(__always)
    private mutating func beginValue(_ dimension: Int, _ number: Int32) {
        var new = ValueRun(value: number, pageViews: run.pageViews, beacons: run.beacons)
        if run.artist >= 0 {
            let hash = values[dimension, number].hash
            let artist = entities.hashes[Int(run.artist)]
            new.artistRow = RowHash.value(artist, dimension, hash)
            if lists.isCut(run.artist, dimension), lists.isOther(hash, new.artistRow) {
                new.other = new.artistRow
                new.artistRow = RowHash.value(artist, dimension, RowHash.remainder)
            }
        }
        valueRuns[dimension] = new
    }

    @inline(__always)
    private mutating func finishValue(_ dimension: Int) {
        let valueRun = valueRuns[dimension]
        let (pageViews, beacons) = (run.pageViews - valueRun.pageViews, run.beacons - valueRun.beacons)
        let value = values[dimension, valueRun.value]
        seenCounts &+=
            (valueRun.artistRow &+ value.siteRow)
            &* RowHash.counts(pageViews: pageViews, seatViews: 0, beacons: beacons)
        if valueRun.other != 0 {
            lists.count(run.artist, dimension, value.hash, valueRun.other, pageViews: pageViews, beacons: beacons)
        }
        if value.siteOther != 0 {
            lists.count(site, dimension, value.hash, value.siteOther, pageViews: pageViews, beacons: beacons)
        }
    }

    /// Sessions that began at an instant of the day.
    mutating func addSessions(_ count: Int64, milliseconds: Int64, entity: Int32, startingAt instant: Int64) {
        guard tables.traffic else { return }
        guard entity >= 0, range.contains(instant) else { return holds = false }
        seenCounts &+= rows(of: entity, hour(of: instant)) &* RowHash.sessions(count, milliseconds: milliseconds)
    }

    // MARK: Visitors

    private mutating func take(_ part: Int, comesAgain: Bool) {
        let (taken, ends) = records.take(part)
        var start = 0
        for (group, end) in ends.enumerated() where end > start {
            var maxSeen = 0
            for index in start..<end { maxSeen += taken[index].rows.maxCount }
            sketches.begin(part * VisitRecords.groupsOfPart + group, maxSeen: maxSeen)
            for index in start..<end { see(taken[index]) }
            sketches.end(comesAgain: comesAgain)
            start = end
        }
    }

    @inline(__always)
    private mutating func see(_ record: VisitRecords.Record) {
        let visitor = record.visitor
        let register = VisitorSketch.register(of: visitor)?.value ?? 0
        if record.rows.contains(.traffic) {
            see(record.artist, record, register)
            see(record.event, record, register)
            see(site, record, register)
        }
        if record.rows.contains(.value(0)) { seeValue(0, record.values.0, record, register) }
        if record.rows.contains(.value(1)) { seeValue(1, record.values.1, record, register) }
        if record.rows.contains(.value(2)) { seeValue(2, record.values.2, record, register) }
        if record.rows.contains(.value(3)) { seeValue(3, record.values.3, record, register) }
        if record.rows.contains(.value(4)) { seeValue(4, record.values.4, record, register) }
        if record.rows.contains(.viewers) {
            sketches.see(RowHash.viewers(entities.hashes[Int(record.event)]), visitor, register)
        }
        if record.rows.contains(.seatViewers) {
            sketches.see(RowHash.seatViewers(entities.hashes[Int(record.event)]), visitor, register)
        }
    }

    @inline(__always)
    private mutating func see(_ entity: Int32, _ record: VisitRecords.Record, _ register: UInt8) {
        guard entity >= 0 else { return }
        let hash = entities.hashes[Int(entity)]
        sketches.see(RowHash.hour(hash, Int(record.hour)), record.visitor, register)
        if !isDirty[Int(entity)] { sketches.see(RowHash.day(hash), record.visitor, register) }
    }

    @inline(__always)
    private mutating func seeValue(
        _ dimension: Int, _ number: Int32, _ record: VisitRecords.Record, _ register: UInt8
    ) {
        let value = values[dimension, number]
        if value.siteNumber >= 0 {
            sketches.see(number: value.siteNumber, record.visitor, register)
        } else {
            sketches.see(value.siteRow, record.visitor, register)
        }
        guard record.artist >= 0 else { return }
        let hash = record.others & 1 << UInt8(dimension) != 0 ? RowHash.remainder : value.hash
        let row = RowHash.value(entities.hashes[Int(record.artist)], dimension, hash)
        sketches.see(row, record.visitor, register)
    }

    // MARK: Comparing

    /// Whether the rows are what was added gives. To be asked once.
    mutating func agrees() -> Bool {
        for part in 0..<VisitRecords.parts where holds { take(part, comesAgain: false) }
        return holds && seenCounts == storedCounts && sketches.agrees && lists.agree()
    }

    /// Entities that are known by now are told apart.
    private mutating func noteDirty() {
        for number in isDirty.count..<entities.entities.count {
            isDirty.append(isDirtyDay(Int32(number)))
        }
    }

    func isDirtyDay(_ number: Int32) -> Bool {
        !tables.dirty.isEmpty && tables.dirty.contains(entities[number].family, .day, entities[number].id, day)
    }
}
