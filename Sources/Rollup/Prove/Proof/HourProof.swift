import Core
import Storage

/// Proves that the stored hours of some instants are what raw beacons give.
///
/// From what an hour has, what beacons and sessions give is taken away: nothing may be left, and its sketch must be that of its
/// visitors.
struct HourProof {
    /// What is left of an hour.
    private struct Hour: Equatable {
        var pageViews: Int64 = 0
        var seatViews: Int64 = 0
        var beacons: Int64 = 0
        var sessions: Int64 = 0
        var sessionMs: Int64 = 0
    }

    /// Neighbouring beacons of one session key, visitor, entity and slot.
    private struct Run {
        var entity: Int32 = -1
        var visitor: UInt64 = 0
        var slotStart: Int64 = 0
        var first: Int64 = 0
        var last: Int64 = 0
        var pageViews: Int64 = 0
        var seatViews: Int64 = 0
        var beacons: Int64 = 0
    }

    private let slice: Range<Int64>
    /// Whether there are hours to compare with: else sessions are all that is seen.
    private let isCompared: Bool
    private var hours: [Hour] = []
    private var sketches = ReachedSketches()
    /// By hour of the slice, then entity: an hour's number; -1 where none is stored.
    private var numbers: [Int32] = []
    /// The entities that had numbers when hours were read: no other has an hour.
    private var entityCount = 0
    /// Visitors of hours, to be seen together.
    private var seen: [ReachedSketches.Sighting] = []
    /// False as soon as something disagrees.
    private(set) var holds = true

    /// - Parameters:
    ///   - slice: whole hours.
    ///   - isCompared: false where the day's hours are gone.
    ///   - totals: gets what the hours have.
    init(_ slice: Range<Int64>, isCompared: Bool, _ totals: inout DayTotals, on connection: PostgresConnection) throws {
        self.slice = slice
        self.isCompared = isCompared
        guard isCompared else { return }
        var places: [(hour: Int, entity: Int32)] = []
        let starts = stride(from: slice.lowerBound, to: slice.upperBound, by: Int(ReportingCalendar.hourMs))
        for family in TrafficFamily.allCases {
            for (hour, start) in starts.enumerated() where holds {
                try read(family, start, &totals, on: connection) { places.append((hour, $0)) }
            }
            holds = try holds && Self.areWhole(family, slice, on: connection)
        }
        entityCount = totals.entities.entities.count
        numbers = [Int32](repeating: -1, count: starts.underestimatedCount * entityCount)
        for (number, place) in places.enumerated() {
            let index = place.hour * entityCount + Int(place.entity)
            // There can be one only.
            if numbers[index] >= 0 { holds = false }
            numbers[index] = Int32(number)
        }
    }

    /// Hour by hour: as many rows at a time as there are entities.
    private mutating func read(
        _ family: TrafficFamily, _ start: Int64, _ totals: inout DayTotals, on connection: PostgresConnection,
        _ each: (_ entity: Int32) -> Void
    ) throws {
        let rows = try connection.query(
            """
            SELECT \(unescaped: family.idColumn), \(unescaped: TrafficTable.columns)
            FROM \(unescaped: family.table(.hour))
            WHERE hour >= \(PostgresTimestamp(ms: start))
                AND hour < \(PostgresTimestamp(ms: start + ReportingCalendar.hourMs))
            """)
        for row in rows {
            let entity = row.withBytes(0) { totals.entities.number(of: $0, family: family) }
            let hour = Hour(
                pageViews: try row.get(1), seatViews: try row.get(2), beacons: try row.get(3),
                sessions: try row.get(4), sessionMs: try row.get(5))
            let isSketch = row.withBytes(6) { visitors in
                sketches.add(visitors)
                    && totals.add(
                        entity, pageViews: hour.pageViews, seatViews: hour.seatViews, beacons: hour.beacons,
                        sessions: hour.sessions, sessionMs: hour.sessionMs, visitors: visitors)
            }
            // Hours that have nothing have no row.
            guard isSketch, hour.beacons > 0 else { return holds = false }
            hours.append(hour)
            each(entity)
        }
    }

    /// Whether no row is of an instant within an hour.
    private static func areWhole(
        _ family: TrafficFamily, _ slice: Range<Int64>, on connection: PostgresConnection
    ) throws -> Bool {
        try !connection.query(
            """
            SELECT EXISTS (
                SELECT FROM generate_series(
                    \(PostgresTimestamp(ms: slice.lowerBound)),
                    \(PostgresTimestamp(ms: slice.upperBound - ReportingCalendar.hourMs)), interval '1 hour') start
                CROSS JOIN LATERAL (
                    SELECT FROM \(unescaped: family.table(.hour))
                    WHERE hour > start AND hour < start + interval '1 hour' LIMIT 1) within)
            """)[0].get(0, as: Bool.self)
    }

    // MARK: What raw beacons give

    /// Takes a batch's beacons away, which are of the slice.
    mutating func add(
        _ beacons: CountedBeacons, of batch: BeaconBatch, _ entities: inout EntityTable, _ sessions: inout SessionProof
    ) {
        for family in TrafficFamily.allCases where holds && sessions.holds {
            switch family {
            case .artist, .event:
                let column = batch[family == .artist ? .artistId : .eventId]
                let numbers = entities.numbers(of: column, family: family)
                let codes = column.codes.span
                add(beacons, entities.hashes, &sessions) { row in
                    let code = codes[row]
                    return code == 0 ? -1 : numbers[Int(code) - 1]
                }
            case .site:
                let site = entities.number(of: .init(family: .site, id: TrafficFamily.siteEntity))
                add(beacons, entities.hashes, &sessions) { _ in site }
            }
            let taken = seen
            seen = []
            if !sketches.see(taken.span) { holds = false }
        }
    }

    @inline(__always)
    private mutating func add(
        _ beacons: CountedBeacons, _ hashes: [UInt64], _ sessions: inout SessionProof, entity: (_ row: Int) -> Int32
    ) {
        let (rows, instants, visitors) = (beacons.rows.span, beacons.instants.span, beacons.visitors.span)
        let kinds = beacons.kinds.span
        var start = 0
        for key in beacons.keys {
            let end = Int(key.end)
            var run = Run()
            for index in start..<end {
                let entity = entity(Int(rows[index]))
                guard entity >= 0 else { continue }
                let (instant, visitor) = (instants[index], visitors[index])
                if entity != run.entity || visitor != run.visitor || instant < run.slotStart
                    || instant >= run.slotStart + SessionPiece.gapMs
                {
                    if run.entity >= 0 { finish(run, key.hash, hashes, &sessions) }
                    run = Run(
                        entity: entity, visitor: visitor,
                        slotStart: SessionPiece.start(ofSlot: SessionPiece.slot(of: instant)), first: instant,
                        last: instant)
                }
                run.first = min(run.first, instant)
                run.last = max(run.last, instant)
                run.beacons += 1
                run.pageViews += kinds[index] == .pageView ? 1 : 0
                run.seatViews += kinds[index] == .seatView ? 1 : 0
            }
            if run.entity >= 0 { finish(run, key.hash, hashes, &sessions) }
            start = end
        }
        for index in beacons.named..<rows.count {
            let entity = entity(Int(rows[index]))
            guard entity >= 0, isCompared else { continue }
            guard let number = number(entity, instants[index]) else { return holds = false }
            hours[number].beacons &-= 1
            hours[number].pageViews &-= kinds[index] == .pageView ? 1 : 0
            hours[number].seatViews &-= kinds[index] == .seatView ? 1 : 0
        }
    }

    @inline(__always)
    private mutating func finish(_ run: Run, _ key: UInt64, _ hashes: [UInt64], _ sessions: inout SessionProof) {
        sessions.see(
            .init(
                session: Fold.session(key, of: hashes[Int(run.entity)]), entity: run.entity, first: run.first,
                last: run.last))
        guard isCompared else { return }
        // A slot lies within an hour.
        guard let number = number(run.entity, run.first) else { return holds = false }
        seen.append(.init(run.visitor, in: Int32(number)))
        hours[number].beacons &-= run.beacons
        hours[number].pageViews &-= run.pageViews
        hours[number].seatViews &-= run.seatViews
    }

    /// Nil where no hour is stored.
    private func number(_ entity: Int32, _ instant: Int64) -> Int? {
        guard Int(entity) < entityCount else { return nil }
        let hour = Int((instant - slice.lowerBound) / ReportingCalendar.hourMs)
        let number = numbers[hour * entityCount + Int(entity)]
        return number < 0 ? nil : Int(number)
    }

    /// Takes sessions away that began at an instant of the slice.
    mutating func addSessions(_ count: Int64, milliseconds: Int64, entity: Int32, startingAt instant: Int64) {
        guard isCompared else { return }
        guard entity >= 0, slice.contains(instant), let number = number(entity, instant) else { return holds = false }
        hours[number].sessions &-= count
        hours[number].sessionMs &-= milliseconds
    }

    /// Whether nothing is left.
    var agrees: Bool { holds && hours.allSatisfy { $0 == Hour() } && sketches.areReached }
}
