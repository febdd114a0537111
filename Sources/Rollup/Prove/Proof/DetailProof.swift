import Core
import Storage

/// Proves that a day's stored breakdowns and funnels are what raw beacons give.
///
/// What beacons say is written down as records, dealt out by artist and dimension, or by event, into parts that are small
/// enough for the processor's caches; each part then compares its own (`DetailPart`). The site's rows, few and busy, are a
/// part of their own without records.
struct DetailProof {
    /// Where a day has more values than this without rows of their own, the exact comparison counts them part by part.
    static let maxOthers = 2_000_000

    private let day: Day
    private var parts = (0..<DetailRecords.parts).map { _ in DetailPart() }
    private var site = DetailPart()
    private var records = DetailRecords()
    /// What a referrer's or an agent's text counts as, by its hash: finding that takes longer than all else.
    private var known: [Dimension: [UInt64: UInt64]] = [:]
    private(set) var holds = true

    init(_ day: Day, on connection: PostgresConnection) throws {
        self.day = day
        try readBreakdowns(on: connection)
        try readFunnels(on: connection)
    }

    // MARK: What is stored

    private mutating func readBreakdowns(on connection: PostgresConnection) throws {
        var artist: [UInt8]?
        var artistHash: UInt64 = 0
        try connection.stream(
            """
            SELECT artist_id, dimension, kind, value, page_views, beacons, visitors FROM traffic_breakdown_daily
            WHERE day = \(day)
            """
        ) { row in
            row.withBytes(0) { id in
                if artist.map({ $0.count != id.count || !$0.elementsEqual(id) }) ?? true {
                    artist = Array(id)
                    artistHash = Self.hash(ofArtist: id)
                }
            }
            let name = try row.get(1, as: String.self)
            guard let dimension = Dimension.allCases.first(where: { $0.name == name }),
                let kind = BreakdownRows.Kind(rawValue: try row.get(2)),
                kind == .value || row.withBytes(3, { $0.isEmpty })
            else {
                holds = false
                return
            }
            let list = Self.list(artistHash, dimension)
            let value =
                switch kind {
                case .value: row.withBytes(3) { Murmur3.hash64($0) }
                case .missing: DetailPart.missing
                case .remainder: DetailPart.remainder
                }
            let (pageViews, beacons) = (try row.get(4, as: Int64.self), try row.get(5, as: Int64.self))
            let canBe = row.withBytes(6) { visitors in
                artist == []
                    ? site.add(
                        list: list, value: value, kind, maxValues: Breakdown.maxSiteValues, pageViews: pageViews,
                        beacons: beacons, visitors: visitors)
                    : parts[DetailRecords.part(of: list)].add(
                        list: list, value: value, kind, maxValues: Breakdown.maxValues, pageViews: pageViews,
                        beacons: beacons, visitors: visitors)
            }
            if !canBe { holds = false }
        }
    }

    private mutating func readFunnels(on connection: PostgresConnection) throws {
        try connection.stream("SELECT event_id, viewers, seat_viewers FROM event_funnel_daily WHERE day = \(day)") {
            row in
            let list = row.withBytes(0) { Self.list(ofEvent: $0) }
            let part = DetailRecords.part(of: list)
            for (column, value) in [(1, DetailPart.viewers), (2, DetailPart.seatViewers)] {
                let canBe = row.withBytes(column) { parts[part].addFunnel(list: list, value: value, visitors: $0) }
                if !canBe { holds = false }
            }
        }
    }

    // MARK: Counting

    private static func hash(ofArtist id: UnsafeRawBufferPointer) -> UInt64 { Murmur3.hash64(id, seed: 1) }
    private static func list(ofEvent id: UnsafeRawBufferPointer) -> UInt64 { Murmur3.hash64(id, seed: 2) }

    private static func list(_ artist: UInt64, _ dimension: Dimension) -> UInt64 {
        DetailPart.mixed(artist &+ (UInt64(dimension.rawValue) + 1) &* 0x9e37_79b9_7f4a_7c15)
    }

    /// Adds some of a batch's beacons.
    mutating func add(_ beacons: CountedBeacons, of batch: BeaconBatch) {
        guard holds else { return }
        let artistHashes = Self.hashes(batch[.artistId], Self.hash(ofArtist:))
        for dimension in Dimension.allCases where holds {
            let column = batch[dimension.column]
            let values = values(dimension, column)
            addToArtists(beacons, column.codes.span, values, lists: artistHashes.map { Self.list($0, dimension) })
            addToSite(beacons, column.codes.span, values, dimension)
        }
        addFunnels(beacons, batch[.eventId])
    }

    private mutating func addToArtists(
        _ beacons: CountedBeacons, _ codes: Span<UInt32>, _ values: [UInt64], lists: [UInt64]
    ) {
        let (rows, visitors, artists) = (beacons.rows.span, beacons.visitors.span, beacons.artists.span)
        // Neighbours of one visitor have the same, mostly: one record for all of them.
        var current = DetailPart.Record(list: 0, value: 0, visitor: 0)
        var group: (artist: UInt32, code: UInt32) = (0, 0)
        for index in rows.indices {
            let artist = artists[index]
            guard artist != 0 else { continue }
            let code = codes[Int(rows[index])]
            let isNobody = index >= beacons.named
            let isView: UInt16 = beacons.kinds[index] == .pageView ? 1 : 0
            if group == (artist, code), current.visitor == visitors[index], current.isNobody == isNobody,
                current.beacons < .max
            {
                current.beacons += 1
                current.pageViews += isView
                continue
            }
            if current.beacons > 0 { write(current) }
            group = (artist, code)
            current = DetailPart.Record(
                list: lists[Int(artist) - 1], value: values[Int(code)], visitor: visitors[index], beacons: 1,
                pageViews: isView, isNobody: isNobody)
        }
        if current.beacons > 0 { write(current) }
    }

    /// The same for the whole site, of which beacons without an artist are, too: text by text, since every beacon counts.
    private mutating func addToSite(
        _ beacons: CountedBeacons, _ codes: Span<UInt32>, _ values: [UInt64], _ dimension: Dimension
    ) {
        let list = Breakdown.siteEntity.string.utf8.withContiguousStorageIfAvailable {
            Self.list(Self.hash(ofArtist: UnsafeRawBufferPointer($0)), dimension)
        }!
        let (rows, visitors) = (beacons.rows.span, beacons.visitors.span)
        var counts = [(pageViews: Int64, beacons: Int64)](repeating: (0, 0), count: values.count)
        for index in rows.indices {
            let code = Int(codes[Int(rows[index])])
            counts[code].beacons += 1
            counts[code].pageViews += beacons.kinds[index] == .pageView ? 1 : 0
        }
        var places = [DetailPart.Place](repeating: .init(value: -1, row: -1), count: values.count)
        for (code, count) in counts.enumerated() where count.beacons > 0 {
            guard let place = site.place(list, values[code]) else { return holds = false }
            site.count(place, pageViews: count.pageViews, beacons: count.beacons)
            places[code] = place
        }
        var seen: [ReachedSketches.Sighting] = []
        seen.reserveCapacity(beacons.named)
        var last: (code: UInt32, visitor: UInt64) = (.max, 0)
        for index in 0..<beacons.named {
            let (code, visitor) = (codes[Int(rows[index])], visitors[index])
            if last == (code, visitor) { continue }
            last = (code, visitor)
            seen.append(.init(visitor, in: places[Int(code)].row))
        }
        holds = site.see(seen)
    }

    private mutating func addFunnels(_ beacons: CountedBeacons, _ column: TextColumn) {
        let lists = Self.hashes(column, Self.list(ofEvent:))
        let (rows, visitors, events) = (beacons.rows.span, beacons.visitors.span, column.codes.span)
        var last: (event: UInt32, visitor: UInt64, isSeat: Bool) = (0, 0, false)
        for index in 0..<beacons.named where beacons.kinds[index] != .other {
            let (event, visitor) = (events[Int(rows[index])], visitors[index])
            guard event != 0 else { continue }
            let isSeat = beacons.kinds[index] == .seatView
            let isKnown = event == last.event && visitor == last.visitor
            if isKnown, last.isSeat || !isSeat { continue }
            let list = lists[Int(event) - 1]
            if !isKnown { write(.init(list: list, value: DetailPart.viewers, visitor: visitor, beacons: 1)) }
            if isSeat { write(.init(list: list, value: DetailPart.seatViewers, visitor: visitor, beacons: 1)) }
            last = (event, visitor, isSeat)
        }
    }

    private mutating func write(_ record: DetailPart.Record) {
        if let full = records.append(record) { take(full) }
    }

    private mutating func take(_ part: Int) {
        holds = parts[part].take(records[part]) && holds
        records.remove(part)
        holds = holds && parts.reduce(site.otherCount) { $0 + $1.otherCount } <= Self.maxOthers
    }

    /// By a value's number.
    private static func hashes(_ column: TextColumn, _ hash: (UnsafeRawBufferPointer) -> UInt64) -> [UInt64] {
        column.bytes.withUnsafeBytes { bytes in
            (0..<column.valueCount).map { hash(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)])) }
        }
    }

    /// What is known of referrers and agents at a time.
    private static let maxKnown = 100_000

    /// What each code of a column counts as, from 0 for null.
    private mutating func values(_ dimension: Dimension, _ column: TextColumn) -> [UInt64] {
        let hashes = Self.hashes(column) { Murmur3.hash64($0) }
        func value(_ text: String?) -> UInt64 {
            dimension.value(text).map { Murmur3.hash64($0) } ?? DetailPart.missing
        }
        guard dimension == .referrer || dimension == .device else {
            return column.bytes.withUnsafeBytes { bytes in
                [DetailPart.missing]
                    + hashes.indices.map { index in
                        // A text that counts as itself needn't be made one.
                        BreakdownValue.isKept(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: index)]))
                            ? hashes[index] : value(column.string(ofValue: index))
                    }
            }
        }
        var known = known.removeValue(forKey: dimension) ?? [:]
        if known.count > Self.maxKnown { known = [:] }
        let values = hashes.indices.map { index in
            if let value = known[hashes[index]] { return value }
            let value = value(column.string(ofValue: index))
            known[hashes[index]] = value
            return value
        }
        self.known[dimension] = known
        return [value(nil)] + values
    }

    mutating func finish() {
        for part in parts.indices where holds { take(part) }
        holds = holds && site.agrees()
        for part in parts.indices where holds { holds = parts[part].agrees() }
    }
}
