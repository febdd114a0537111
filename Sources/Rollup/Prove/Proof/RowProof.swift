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
    /// Then nothing can be told by hashes.
    var hasEqualHashes = false
    /// What is in doubt where it doesn't hold.
    var doubt: String { hasEqualHashes ? Doubt.equalHashes : "hours, days, breakdowns and funnels" }

    var storedCounts: UInt64 = 0
    private var seenCounts: UInt64 = 0
    var sketches = SketchProof()
    var lists = BreakdownLists()
    private var values = ValueNumbers()
    /// Have to be given room.
    var records = VisitRecords()
    /// By entity: its day's row.
    private var dayRows: [DayRow] = []
    /// Of the site's hours: the numbers of those whose sketches have registers; else -1.
    private var siteHours: [Int32] = []

    private struct DayRow: BitwiseCopyable {
        /// 0 where the day waits to be derived.
        var hash: UInt64
        /// Where its sketch has registers; else -1.
        var number: Int32
    }

    init(_ day: Day, _ range: Range<Int64>, _ tables: Tables, on connection: PostgresConnection) throws {
        self.day = day
        self.range = range
        self.tables = tables
        site = entities.number(of: .init(family: .site, id: TrafficFamily.siteEntity))
        try readStored(on: connection)
        let hash = entities.hashes[Int(site)]
        siteHours = (0...hour(of: range.upperBound - 1)).map { sketches.number(of: RowHash.hour(hash, $0)) ?? -1 }
    }

    // MARK: Counting

    /// What the beacons of a batch are of, side by side; loops over it are short, and wait for memory together.
    private struct Places {
        /// Entities' numbers, -1 for none.
        var artists: [Int32]
        var events: [Int32]
        var hours: [UInt8]
        /// By dimension the numbers of values; empty without details.
        var values: [[Int32]] = []
        /// As `VisitRecords.Record.others`.
        var others: [UInt16] = []
    }

    /// Adds some of a batch's beacons, which are of the day.
    mutating func add(_ beacons: CountedBeacons, of batch: BeaconBatch, _ sessions: inout SessionProof) {
        guard holds else { return }
        let lower = range.lowerBound
        var places = Places(
            artists: Self.numbers(
                beacons, batch[.artistId], entities.numbers(of: batch[.artistId], family: .artist)),
            events: Self.numbers(beacons, batch[.eventId], entities.numbers(of: batch[.eventId], family: .event)),
            hours: beacons.instants.map { UInt8(truncatingIfNeeded: ($0 - lower) / ReportingCalendar.hourMs) })
        noteDays()
        if tables.traffic { seenCounts &+= countsOfTraffic(beacons, places) }
        if tables.details {
            places.others = [UInt16](repeating: 0, count: beacons.rows.count)
            for dimension in Dimension.allCases { countValues(of: dimension, beacons, batch, &places) }
            if !values.isBounded || !lists.isBounded { holds = false }
        }
        guard holds else { return }
        addFragments(beacons, places, &sessions)
        addRecords(beacons, places)
    }

    private static func numbers(_ beacons: CountedBeacons, _ column: TextColumn, _ numbers: [Int32]) -> [Int32] {
        let codes = column.codes.span
        return beacons.rows.map { row in
            let code = codes[Int(row)]
            return code == 0 ? -1 : numbers[Int(code) - 1]
        }
    }

    func hour(of instant: Int64) -> Int { Int((instant - range.lowerBound) / ReportingCalendar.hourMs) }

    private func countsOfTraffic(_ beacons: CountedBeacons, _ places: Places) -> UInt64 {
        let (artists, events) = (places.artists.span, places.events.span)
        let (hours, kinds) = (places.hours.span, beacons.kinds.span)
        let (hashes, days) = (entities.hashes.span, dayRows.span)
        var ofHours = [UInt64](repeating: 0, count: siteHours.count)
        var sum: UInt64 = 0
        for index in kinds.indices {
            let counts = RowHash.counts(of: kinds[index])
            let hour = Int(hours[index])
            ofHours[hour] &+= counts
            let (artist, event) = (Int(artists[index]), Int(events[index]))
            if artist >= 0 { sum &+= (RowHash.hour(hashes[artist], hour) &+ days[artist].hash) &* counts }
            if event >= 0 { sum &+= (RowHash.hour(hashes[event], hour) &+ days[event].hash) &* counts }
        }
        for (hour, counts) in ofHours.enumerated() {
            sum &+= (RowHash.hour(hashes[Int(site)], hour) &+ days[Int(site)].hash) &* counts
        }
        return sum
    }

    /// Adds up what the rows of one dimension have, and notes the beacons' values.
    private mutating func countValues(
        of dimension: Dimension, _ beacons: CountedBeacons, _ batch: BeaconBatch, _ places: inout Places
    ) {
        let place = Int(dimension.rawValue)
        let column = batch[dimension.column]
        let numbersOfCodes = values.numbers(of: column, dimension, entities.hashes[Int(site)], lists, site, sketches)
        let hashesOfCodes = numbersOfCodes.map { values[place, $0].hash }
        let isSiteOther = numbersOfCodes.map { values[place, $0].siteOther != 0 }
        let hasSiteOthers = isSiteOther.contains(true)
        var sumsOfCodes = [BeaconSum](repeating: BeaconSum(), count: numbersOfCodes.count)
        var numbers = [Int32](repeating: 0, count: beacons.rows.count)
        /// Those of lists that are cut, with the rows that their values would have.
        var cut: [(index: Int32, row: UInt64)] = []
        var sum: UInt64 = 0
        var others: [UInt16] = []
        swap(&others, &places.others)
        do {
            let (rows, kinds, artists) = (beacons.rows.span, beacons.kinds.span, places.artists.span)
            let codes = column.codes.span
            let entityHashes = entities.hashes.span
            for index in rows.indices {
                let code = Int(codes[Int(rows[index])])
                let artist = artists[index]
                numbers[index] = numbersOfCodes[code]
                sumsOfCodes[code].add(kinds[index])
                if hasSiteOthers, isSiteOther[code] { others[index] |= VisitRecords.siteOther(place) }
                guard artist >= 0 else { continue }
                let row = RowHash.value(entityHashes[Int(artist)], place, hashesOfCodes[code])
                if lists.isCut(artist, place) {
                    cut.append((Int32(index), row))
                } else {
                    sum &+= row &* RowHash.counts(BeaconSum(kinds[index]))
                }
            }
        }
        swap(&others, &places.others)
        for (code, beacons) in sumsOfCodes.enumerated() where beacons.beacons > 0 {
            let value = values[place, numbersOfCodes[code]]
            sum &+= value.siteRow &* RowHash.counts(beacons)
            if value.siteOther != 0 { lists.count(site, place, value.hash, value.siteOther, beacons) }
        }
        places.values.append(numbers)
        seenCounts &+= sum
        if !cut.isEmpty { countCut(place, cut, beacons, &places) }
    }

    /// - Parameter cut: beacons whose artists' lists are cut in the dimension, with the rows that their values would have.
    private mutating func countCut(
        _ place: Int, _ cut: [(index: Int32, row: UInt64)], _ beacons: CountedBeacons, _ places: inout Places
    ) {
        let areOthers = cut.map { lists.isOther(values[place, places.values[place][Int($0.index)]].hash, $0.row) }
        var sum: UInt64 = 0
        // Neighbours of the same value are counted together.
        var current: (index: Int, row: UInt64, beacons: BeaconSum) = (0, 0, BeaconSum())
        for (entry, isOther) in zip(cut, areOthers) {
            let index = Int(entry.index)
            let kind = beacons.kinds[index]
            guard isOther else {
                sum &+= entry.row &* RowHash.counts(BeaconSum(kind))
                continue
            }
            let artist = places.artists[index]
            sum &+=
                RowHash.value(entities.hashes[Int(artist)], place, RowHash.remainder) &* RowHash.counts(BeaconSum(kind))
            places.others[index] |= VisitRecords.artistOther(place)
            if entry.row != current.row {
                countOther(place, current, places)
                current = (index, entry.row, BeaconSum())
            }
            current.beacons.add(kind)
        }
        countOther(place, current, places)
        seenCounts &+= sum
    }

    private mutating func countOther(
        _ place: Int, _ other: (index: Int, row: UInt64, beacons: BeaconSum), _ places: Places
    ) {
        if other.beacons.beacons == 0 { return }
        lists.count(
            places.artists[other.index], place, values[place, places.values[place][other.index]].hash, other.row,
            other.beacons)
    }

    /// Sessions that began at an instant of the day.
    mutating func addSessions(_ count: Int64, milliseconds: Int64, entity: Int32, startingAt instant: Int64) {
        guard tables.traffic else { return }
        guard entity >= 0, range.contains(instant) else { return holds = false }
        seenCounts &+=
            (RowHash.hour(entities.hashes[Int(entity)], hour(of: instant)) &+ dayRows[Int(entity)].hash)
            &* RowHash.sessions(count, milliseconds: milliseconds)
    }

    /// What each key's neighbouring beacons of one slot do on their artist, their event and the site.
    private func addFragments(_ beacons: CountedBeacons, _ places: Places, _ sessions: inout SessionProof) {
        let (instants, artists, events) = (beacons.instants.span, places.artists.span, places.events.span)
        let hashes = entities.hashes.span
        var index = 0
        for key in beacons.keys {
            let end = Int(key.end)
            while index < end {
                let (artist, event) = (artists[index], events[index])
                var (first, last) = (instants[index], instants[index])
                let slot = SessionPiece.slot(of: first)
                let start = SessionPiece.start(ofSlot: slot)
                index += 1
                while index < end, artists[index] == artist, events[index] == event,
                    case let instant = instants[index], instant >= start, instant - start < SessionPiece.gapMs
                {
                    first = min(first, instant)
                    last = max(last, instant)
                    index += 1
                }
                func see(_ entity: Int32) {
                    if entity < 0 { return }
                    let session = Fold.session(key.hash, of: hashes[Int(entity)])
                    sessions.see(.init(session: session, entity: entity, slot: slot, first: first, last: last))
                }
                see(artist)
                see(event)
                see(site)
            }
        }
    }

    // MARK: Visitors

    /// Buckets with more visits than this are not compared with each other.
    private static let maxCompared = 24

    /// Of neighbours, what one says and the one before did not.
    private mutating func addRecords(_ beacons: CountedBeacons, _ places: Places) {
        var all: VisitRecords.Rows = []
        if tables.traffic { all.formUnion(.traffic) }
        if tables.details { all.formUnion(.values) }
        let (artists, events, hours) = (places.artists.span, places.events.span, places.hours.span)
        let (visitors, kinds) = (beacons.visitors.span, beacons.kinds.span)
        var last = VisitRecords.Record()
        for index in 0..<beacons.named {
            var record = VisitRecords.Record(
                visitor: visitors[index], artist: artists[index], event: events[index], hour: hours[index])
            record.rows = all
            if record.artist < 0 { record.rows.subtract(.ofArtist) }
            if record.event < 0 { record.rows.subtract(.ofEvent) }
            if tables.details {
                for dimension in 0..<VisitRecords.dimensions {
                    record.values[dimension] = places.values[dimension][index]
                }
                record.others = places.others[index]
                if record.event >= 0 {
                    record.funnel = VisitRecords.Rows(funnelOf: kinds[index])
                    record.rows.formUnion(record.funnel)
                }
            }
            if index > 0, record.visitor == last.visitor {
                record.rows.subtract(record.rows(sharedWith: last))
                if record.event == last.event { record.funnel.formUnion(last.funnel) }
            }
            last = record
            if record.rows.isEmpty { continue }
            if let full = records.append(record) { take(full, comesAgain: true) }
        }
    }

    private mutating func take(_ part: Int, comesAgain: Bool) {
        let taken = records.take(part)
        var start = 0
        for group in 0..<VisitRecords.groupsOfPart {
            let ends = taken.ends[group * VisitRecords.bucketsOfGroup..<(group + 1) * VisitRecords.bucketsOfGroup]
            guard ends.last! > start else { continue }
            sketches.begin(
                part * VisitRecords.groupsOfPart + group, comesAgain: comesAgain,
                maxSeen: (ends.last! - start) * VisitRecords.Rows.maxCount)
            for end in ends {
                see(taken.records[start..<end])
                start = end
            }
            sketches.end()
        }
    }

    /// - Parameter visits: all of their visitors that were taken.
    @inline(__always)
    private mutating func see(_ visits: ArraySlice<VisitRecords.Record>) {
        let isCompared = visits.count <= Self.maxCompared
        for index in visits.indices {
            let record = visits[index]
            var new = record.rows
            if isCompared {
                for earlier in visits.startIndex..<index where visits[earlier].visitor == record.visitor {
                    new.subtract(record.rows(sharedWith: visits[earlier]))
                }
            }
            if !new.isEmpty { see(record, new, isNew: isCompared) }
        }
    }

    /// - Parameters:
    ///   - rows: of the record.
    ///   - isNew: the visitor was not seen in them since the group began.
    @inline(__always)
    private mutating func see(_ record: VisitRecords.Record, _ rows: VisitRecords.Rows, isNew: Bool) {
        let visitor = record.visitor
        let register = VisitorSketch.register(of: visitor)?.value ?? 0
        let hour = Int(record.hour)
        if rows.contains(.artistDay) { seeDay(record.artist, visitor, register, isNew) }
        if rows.contains(.eventDay) { seeDay(record.event, visitor, register, isNew) }
        if rows.contains(.siteDay) { seeDay(site, visitor, register, isNew) }
        if rows.contains(.artistHour) {
            sketches.see(
                RowHash.hour(entities.hashes[Int(record.artist)], hour), visitor, register, isNew: isNew)
        }
        if rows.contains(.eventHour) {
            sketches.see(RowHash.hour(entities.hashes[Int(record.event)], hour), visitor, register, isNew: isNew)
        }
        if rows.contains(.siteHour) {
            if siteHours[hour] >= 0 {
                sketches.see(number: siteHours[hour], visitor, register)
            } else {
                sketches.see(RowHash.hour(entities.hashes[Int(site)], hour), visitor, register, isNew: isNew)
            }
        }
        for dimension in 0..<VisitRecords.dimensions {
            let ofSite = rows.contains(.siteValue(dimension))
            let ofArtist = rows.contains(.artistValue(dimension))
            guard ofSite || ofArtist else { continue }
            let value = values[dimension, record.values[dimension]]
            if ofSite {
                if value.siteNumber >= 0 {
                    sketches.see(number: value.siteNumber, visitor, register)
                } else {
                    sketches.see(value.siteRow, visitor, register, isNew: isNew)
                }
            }
            if ofArtist {
                let hash = record.isArtistOther(dimension) ? RowHash.remainder : value.hash
                let row = RowHash.value(entities.hashes[Int(record.artist)], dimension, hash)
                sketches.see(row, visitor, register, isNew: isNew)
            }
        }
        if rows.contains(.viewers) {
            sketches.see(RowHash.viewers(entities.hashes[Int(record.event)]), visitor, register, isNew: isNew)
        }
        if rows.contains(.seatViewers) {
            sketches.see(RowHash.seatViewers(entities.hashes[Int(record.event)]), visitor, register, isNew: isNew)
        }
    }

    @inline(__always)
    private mutating func seeDay(_ entity: Int32, _ visitor: UInt64, _ register: UInt8, _ isNew: Bool) {
        let row = dayRows[Int(entity)]
        if row.number >= 0 {
            sketches.see(number: row.number, visitor, register)
        } else if row.hash != 0 {
            sketches.see(row.hash, visitor, register, isNew: isNew)
        }
    }

    // MARK: Comparing

    /// Whether the rows are what was added gives. To be asked once.
    mutating func agrees() -> Bool {
        for part in 0..<VisitRecords.parts where holds { take(part, comesAgain: false) }
        return holds && seenCounts == storedCounts && sketches.agrees && lists.agree()
    }

    /// The days of entities that are known by now.
    private mutating func noteDays() {
        for number in dayRows.count..<entities.entities.count {
            if isDirtyDay(Int32(number)) {
                dayRows.append(DayRow(hash: 0, number: -1))
            } else {
                let row = RowHash.day(entities.hashes[number])
                dayRows.append(DayRow(hash: row, number: sketches.number(of: row) ?? -1))
            }
        }
    }

    func isDirtyDay(_ number: Int32) -> Bool {
        !tables.dirty.isEmpty && tables.dirty.contains(entities[number].family, .day, entities[number].id, day)
    }
}
