import Core
import Storage

/// Adds beacons up by entity and hour, and collects their sessions. Pure: no IO, no clock.
///
/// Cells and sessions come out the same in whatever order batches and beacons are added.
struct Fold {
    /// An hour of an entity, both as small numbers.
    struct CellKey: Hashable {
        var entity: Int32
        /// Hours since 1970.
        var hour: Int32

        var start: Int64 { Int64(hour) * ReportingCalendar.hourMs }

        func hash(into hasher: inout Hasher) {
            // In one word, which takes half the time of two.
            hasher.combine(UInt64(UInt32(bitPattern: entity)) << 32 | UInt64(UInt32(bitPattern: hour)))
        }
    }

    /// All of a cell but its visitors.
    private struct Counts {
        var pageViews: Int64 = 0
        var seatViews: Int64 = 0
        var beacons: Int64 = 0
        var sessions: Int64 = 0
        var sessionMs: Int64 = 0
    }

    /// The columns that the fold reads.
    static let columns: ColumnSet = [
        .timestamp, .eventType, .artistId, .eventId, .visitorId, .sessionId, .clientHash,
    ]

    private let families: [TrafficFamily]
    private(set) var entities = EntityTable()
    private var cells: [CellKey: Int32] = [:]
    private var counts: [Counts] = []
    private var visitors: [VisitorSketch] = []
    private var entityOfCell: [Int32] = []
    /// By entity: the cell that was asked for last. Beacons come in order of time, more or less.
    private var recent: [(hour: Int32, cell: Int32)] = []
    private var fragments: [SessionFragment] = []

    /// - Parameter families: those whose entities are counted.
    init(_ families: [TrafficFamily] = TrafficFamily.allCases) {
        self.families = families
    }

    /// Adds a batch's beacons, without `repeats`.
    mutating func add(_ batch: BeaconBatch, except repeats: RowSet = RowSet([], of: 0)) {
        let rows = batch.rows(except: repeats)
        if !rows.isEmpty { add(batch, rows, Visits(batch, rows)) }
    }

    /// Adds some of a batch's beacons.
    mutating func add(_ batch: BeaconBatch, _ rows: [Int32], _ visits: Visits) {
        var hours: [Int32] = []
        hours.reserveCapacity(rows.count)
        let timestamps = batch.timestamp.span
        for row in rows {
            hours.append(Int32(truncatingIfNeeded: floorDiv(timestamps[Int(row)], ReportingCalendar.hourMs)))
        }
        for family in families {
            let cells = cells(of: family, batch, rows, hours)
            count(batch[.eventType], rows, cells)
            add(visits, timestamps, rows, cells)
        }
    }

    // MARK: Cells

    /// The cell of each of the rows; -1 where the beacon has no such entity.
    private mutating func cells(
        of family: TrafficFamily, _ batch: BeaconBatch, _ rows: [Int32], _ hours: [Int32]
    ) -> [Int32] {
        let numbers: [Int32]
        let codes: [UInt32]
        switch family {
        case .artist, .event:
            let column = batch[family == .artist ? .artistId : .eventId]
            numbers = entities.numbers(of: column, family: family)
            codes = column.codes
        case .site:
            numbers = [entities.number(of: .init(family: .site, id: TrafficFamily.siteEntity))]
            codes = []
        }
        if let most = numbers.max() {
            while recent.count <= Int(most) { recent.append((hour: .min, cell: 0)) }
        }
        var cells: [Int32] = []
        cells.reserveCapacity(rows.count)
        for index in rows.indices {
            let code = family == .site ? 1 : codes[Int(rows[index])]
            guard code != 0 else {
                cells.append(-1)
                continue
            }
            let entity = numbers[Int(code) - 1]
            let last = recent[Int(entity)]
            cells.append(last.hour == hours[index] ? last.cell : cell(entity, hours[index]))
        }
        return cells
    }

    /// The index of a cell, made where it is missing.
    private mutating func cell(_ entity: Int32, _ hour: Int32) -> Int32 {
        if Int(entity) < recent.count, recent[Int(entity)].hour == hour { return recent[Int(entity)].cell }
        let key = CellKey(entity: entity, hour: hour)
        let cell: Int32
        if let known = cells[key] {
            cell = known
        } else {
            cell = Int32(counts.count)
            cells[key] = cell
            counts.append(Counts())
            visitors.append(VisitorSketch())
            entityOfCell.append(entity)
        }
        while recent.count <= Int(entity) { recent.append((hour: .min, cell: 0)) }
        recent[Int(entity)] = (hour, cell)
        return cell
    }

    private mutating func count(_ eventTypes: TextColumn, _ rows: [Int32], _ cells: [Int32]) {
        let pageView = eventTypes.code(of: "page_view")
        let seatView = eventTypes.code(of: "seat_view")
        let types = eventTypes.codes.span
        counts.withUnsafeMutableBufferPointer { counts in
            for index in rows.indices where cells[index] >= 0 {
                let cell = Int(cells[index])
                let type = types[Int(rows[index])]
                counts[cell].beacons += 1
                counts[cell].pageViews += type == pageView ? 1 : 0
                counts[cell].seatViews += type == seatView ? 1 : 0
            }
        }
    }

    // MARK: Visitors and sessions

    /// Adds what each session key did, key by key: most go on with the visitor, the entity and the slot of their beacon
    /// before, and cost nothing more.
    private mutating func add(_ visits: Visits, _ timestamps: Span<Int64>, _ rows: [Int32], _ cells: [Int32]) {
        let instantOf = timestamps
        var fragments = fragments
        self.fragments = []
        visitors.withUnsafeMutableBufferPointer { sketches in
            var start = 0
            for key in visits.keys {
                let end = Int(key.end)
                var lastCell: Int32 = -1
                var lastVisitor: UInt64 = 0
                var fragment = SessionFragment(session: 0, entity: -1, cell: -1, first: 0, last: 0)
                var slotStart: Int64 = 0
                for place in start..<end {
                    let index = Int(visits.order[place])
                    let cell = cells[index]
                    guard cell >= 0 else { continue }
                    let visitor = visits.visitors[index]
                    if cell != lastCell || visitor != lastVisitor {
                        sketches[Int(cell)].add(hash: visitor)
                        lastCell = cell
                        lastVisitor = visitor
                    }
                    let entity = entityOfCell[Int(cell)]
                    let instant = instantOf[Int(rows[index])]
                    if entity == fragment.entity, instant >= slotStart, instant < slotStart + SessionPiece.gapMs {
                        fragment.first = min(fragment.first, instant)
                        fragment.last = max(fragment.last, instant)
                        continue
                    }
                    if fragment.entity >= 0 { fragments.append(fragment) }
                    slotStart = SessionPiece.start(ofSlot: SessionPiece.slot(of: instant))
                    fragment = SessionFragment(
                        session: Self.session(key.hash, of: entities.hashes[Int(entity)]), entity: entity, cell: cell,
                        first: instant, last: instant)
                }
                if fragment.entity >= 0 { fragments.append(fragment) }
                start = end
            }
        }
        self.fragments = fragments
    }

    /// Two keys that are equal by chance make one session of two: 64 bits make that rarer than a lost disk.
    static func session(_ key: UInt64, of entity: UInt64) -> UInt64 {
        var hash = key ^ (entity &* 0x9e37_79b9_7f4a_7c15)
        hash ^= hash >> 32
        hash = hash &* 0xd6e8_feb8_6659_fd93
        return hash ^ (hash >> 32)
    }

    /// Adds or takes away sessions that began in an hour.
    mutating func addSessions(_ count: Int64, milliseconds: Int64, entity: Int32, startingAt instant: Int64) {
        let hour = Int32(truncatingIfNeeded: floorDiv(instant, ReportingCalendar.hourMs))
        let cell = Int(cell(entity, hour))
        counts[cell].sessions += count
        counts[cell].sessionMs += milliseconds
    }

    /// Adds the session that begins with a fragment, and is no longer.
    mutating func addSession(_ fragment: SessionFragment) {
        counts[Int(fragment.cell)].sessions += 1
        counts[Int(fragment.cell)].sessionMs += fragment.last - fragment.first
    }

    /// The sessions of what was added, ascending by session and time, at most one of each session and slot; the fold
    /// forgets them.
    mutating func takeSessions() -> [SessionFragment] {
        let sorted = fragments.sorted(byHash: \.session) { $0.first < $1.first }
        fragments = []
        var merged: [SessionFragment] = []
        merged.reserveCapacity(sorted.count)
        for fragment in sorted {
            if let last = merged.last, last.session == fragment.session, last.slot == fragment.slot {
                merged[merged.count - 1].last = max(last.last, fragment.last)
            } else {
                merged.append(fragment)
            }
        }
        return merged
    }

    // MARK: Results

    private func cell(at index: Int) -> TrafficCell {
        let counts = counts[index]
        return TrafficCell(
            pageViews: counts.pageViews, seatViews: counts.seatViews, beacons: counts.beacons,
            sessions: counts.sessions, sessionMs: counts.sessionMs, visitors: visitors[index])
    }

    /// The family's cells, ascending by entity and hour: the order in which every runner writes them.
    func sortedCells(of family: TrafficFamily) -> [(entity: ExactText, hour: Int64, cell: TrafficCell)] {
        let ranks = entities.ranks(of: family)
        // Small keys are sorted, not cells with their sketches.
        var keys: [(rank: Int32, hour: Int32, entity: Int32, cell: Int32)] = []
        keys.reserveCapacity(cells.count)
        for (key, cell) in cells {
            if let rank = ranks[key.entity] { keys.append((rank, key.hour, key.entity, cell)) }
        }
        keys.sort { ($0.rank, $0.hour) < ($1.rank, $1.hour) }
        return keys.map { key in
            (
                entities[key.entity].id, CellKey(entity: key.entity, hour: key.hour).start,
                cell(at: Int(key.cell))
            )
        }
    }

    /// Forgets the cells and keeps the entities' numbers, for the next stretch of time.
    mutating func removeCells() {
        cells = [:]
        counts = []
        visitors = []
        entityOfCell = []
        recent = []
    }
}

/// What one session key did on one entity in one slot, as far as one fold saw it.
struct SessionFragment: BitwiseCopyable {
    var session: UInt64
    var entity: Int32
    /// Of the fold, as long as it has not removed its cells: the hour of the slot.
    fileprivate(set) var cell: Int32
    /// The first and the last beacon, in milliseconds since 1970.
    var first: Int64
    var last: Int64

    var slot: Int32 { SessionPiece.slot(of: first) }
}

extension BeaconBatch {
    /// The rows of beacons that count, ascending.
    ///
    /// - Parameter range: instants outside of it are passed over; nil takes all.
    func rows(in range: Range<Int64>? = nil, except repeats: RowSet) -> [Int32] {
        var rows: [Int32] = []
        rows.reserveCapacity(count)
        let timestamps = timestamp.span
        for row in 0..<count where !repeats.contains(row) {
            if let range, !range.contains(timestamps[row]) { continue }
            rows.append(Int32(row))
        }
        return rows
    }
}

extension TextColumn {
    /// The code of a value; `UInt32.max`, which no row has, where the column doesn't hold it.
    func code(of text: StaticString) -> UInt32 {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return (0..<valueCount).first { value($0).elementsEqual(wanted) }.map { UInt32($0 + 1) } ?? UInt32.max
    }
}
