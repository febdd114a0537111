import Core
import Storage

/// Proves that a day's stored breakdowns and funnels are what raw beacons give.
///
/// What beacons say is written down as records, dealt out by artist and dimension, or by event, into parts that are small
/// enough for the processor's caches; each part then compares its own (`DetailPart`).
struct DetailProof {
    /// Records written down before the parts take them.
    static let maxRecords = 1 << 20
    /// Where a day has more values than this without rows of their own, the exact comparison counts them part by part.
    static let maxOthers = 2_000_000

    private static let partBits: UInt64 = 8

    private let day: Day
    private var parts: [DetailPart]
    private var pending: [DetailPart.Record] = []
    /// What a referrer's or an agent's text counts as, by its hash: finding that takes longer than all else.
    private var known: [Dimension: [UInt64: UInt64]] = [:]
    private(set) var holds = true

    init(_ day: Day, on connection: PostgresConnection) throws {
        self.day = day
        let count = 1 << Int(Self.partBits)
        parts = (0..<count).map { _ in DetailPart() }
        pending.reserveCapacity(Self.maxRecords + BatchBlock.maxRows * (2 * Dimension.allCases.count + 2))
        try readBreakdowns(on: connection)
        try readFunnels(on: connection)
    }

    private static func part(of list: UInt64) -> Int { Int(truncatingIfNeeded: list >> (64 - partBits)) }

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
            let isNew = row.withBytes(6) {
                parts[Self.part(of: list)].add(
                    list: list, value: value, kind,
                    maxValues: artist == [] ? Breakdown.maxSiteValues : Breakdown.maxValues, pageViews: pageViews,
                    beacons: beacons, visitors: $0)
            }
            if !isNew { holds = false }
        }
    }

    private mutating func readFunnels(on connection: PostgresConnection) throws {
        try connection.stream("SELECT event_id, viewers, seat_viewers FROM event_funnel_daily WHERE day = \(day)") {
            row in
            let list = row.withBytes(0) { Self.list(ofEvent: $0) }
            let part = Self.part(of: list)
            for (column, value) in [(1, DetailPart.viewers), (2, DetailPart.seatViewers)] {
                let isNew = row.withBytes(column) { parts[part].addFunnel(list: list, value: value, visitors: $0) }
                if !isNew { holds = false }
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
    ///
    /// - Parameter visits: of these rows.
    mutating func add(_ batch: BeaconBatch, _ rows: [Int32], _ visits: Visits) {
        guard holds else { return }
        let pageView = batch[.eventType].code(of: "page_view")
        let seatView = batch[.eventType].code(of: "seat_view")
        let artistHashes = Self.hashes(batch[.artistId], Self.hash(ofArtist:))
        for dimension in Dimension.allCases {
            let values = values(dimension, batch[dimension.column])
            add(dimension, batch, rows, visits, values, artistHashes, pageView: pageView)
            addSite(dimension, batch, rows, visits, values, pageView: pageView)
        }
        addFunnels(batch, rows, visits, pageView: pageView, seatView: seatView)
        if pending.count >= Self.maxRecords { take() }
    }

    private mutating func add(
        _ dimension: Dimension, _ batch: BeaconBatch, _ rows: [Int32], _ visits: Visits, _ values: [UInt64],
        _ artistHashes: [UInt64], pageView: UInt32
    ) {
        let lists = artistHashes.map { Self.list($0, dimension) }
        let codes = batch[dimension.column].codes.span
        let artists = batch[.artistId].codes.span
        let types = batch[.eventType].codes.span
        // Neighbours of one session have the same, mostly: one record for all of them.
        var current = DetailPart.Record(list: 0, value: 0, visitor: 0)
        var group: (artist: UInt32, code: UInt32) = (0, 0)
        var records = pending
        pending = []
        visits.forEachByKey { place, visitor in
            let row = Int(rows[place])
            let artist = artists[row]
            guard artist != 0 else { return }
            let views: UInt16 = types[row] == pageView ? 1 : 0
            if group == (artist, codes[row]), current.visitor == (visitor ?? 0), current.isNobody == (visitor == nil),
                current.beacons < .max
            {
                current.beacons += 1
                current.pageViews += views
                return
            }
            if current.beacons > 0 { records.append(current) }
            group = (artist, codes[row])
            current = DetailPart.Record(
                list: lists[Int(artist) - 1], value: values[Int(codes[row])], visitor: visitor ?? 0, beacons: 1,
                pageViews: views, isNobody: visitor == nil)
        }
        if current.beacons > 0 { records.append(current) }
        pending = records
    }

    /// The same for the whole site, of which beacons without an artist are, too.
    private mutating func addSite(
        _ dimension: Dimension, _ batch: BeaconBatch, _ rows: [Int32], _ visits: Visits, _ values: [UInt64],
        pageView: UInt32
    ) {
        let list = Breakdown.siteEntity.string.utf8.withContiguousStorageIfAvailable {
            Self.list(Self.hash(ofArtist: UnsafeRawBufferPointer($0)), dimension)
        }!
        let codes = batch[dimension.column].codes.span
        let types = batch[.eventType].codes.span
        var current = DetailPart.Record(list: list, value: 0, visitor: 0)
        var code: UInt32 = 0
        var records = pending
        pending = []
        visits.forEachByKey { place, visitor in
            let row = Int(rows[place])
            let views: UInt16 = types[row] == pageView ? 1 : 0
            if code == codes[row], current.visitor == (visitor ?? 0), current.isNobody == (visitor == nil),
                current.beacons > 0, current.beacons < .max
            {
                current.beacons += 1
                current.pageViews += views
                return
            }
            if current.beacons > 0 { records.append(current) }
            code = codes[row]
            current = DetailPart.Record(
                list: list, value: values[Int(code)], visitor: visitor ?? 0, beacons: 1, pageViews: views,
                isNobody: visitor == nil)
        }
        if current.beacons > 0 { records.append(current) }
        pending = records
    }

    private mutating func addFunnels(
        _ batch: BeaconBatch, _ rows: [Int32], _ visits: Visits, pageView: UInt32, seatView: UInt32
    ) {
        let lists = Self.hashes(batch[.eventId], Self.list(ofEvent:))
        let types = batch[.eventType].codes.span
        let events = batch[.eventId].codes.span
        var last: (event: UInt32, visitor: UInt64, isSeat: Bool) = (0, 0, false)
        var records = pending
        pending = []
        visits.forEachByKey { place, visitor in
            let row = Int(rows[place])
            let event = events[row]
            guard event != 0, types[row] == pageView || types[row] == seatView, let visitor else { return }
            let isSeat = types[row] == seatView
            let isKnown = event == last.event && visitor == last.visitor
            if isKnown, last.isSeat || !isSeat { return }
            let list = lists[Int(event) - 1]
            if !isKnown {
                records.append(.init(list: list, value: DetailPart.viewers, visitor: visitor, beacons: 1))
            }
            if isSeat {
                records.append(.init(list: list, value: DetailPart.seatViewers, visitor: visitor, beacons: 1))
            }
            last = (event, visitor, isSeat)
        }
        pending = records
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
                        BreakdownValue.isKept(bytes[column.range(ofValue: index)])
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

    /// Deals the records out to the parts.
    private mutating func take() {
        var ends = [Int](repeating: 0, count: parts.count)
        for record in pending { ends[Self.part(of: record.list)] += 1 }
        for part in 1..<ends.count { ends[part] += ends[part - 1] }
        let pending = pending
        let dealt = [DetailPart.Record](unsafeUninitializedCapacity: pending.count) { dealt, count in
            for record in pending.reversed() {
                let part = Self.part(of: record.list)
                ends[part] -= 1
                dealt.initializeElement(at: ends[part], to: record)
            }
            count = pending.count
        }
        // By now these are starts.
        for part in parts.indices where holds {
            holds = parts[part].take(dealt[ends[part]..<(part + 1 < ends.count ? ends[part + 1] : dealt.count)])
        }
        self.pending.removeAll(keepingCapacity: true)
        holds = holds && parts.reduce(0) { $0 + $1.otherCount } <= Self.maxOthers
    }

    mutating func finish() {
        take()
        holds = holds && parts.allSatisfy { $0.agrees() }
    }
}
