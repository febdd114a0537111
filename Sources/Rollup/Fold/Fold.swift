import Core
import Storage

/// Adds beacons up by entity and hour, and collects their sessions. Pure: no IO, no clock.
///
/// Cells and intervals come out the same in whatever order batches and beacons are added.
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

    /// One beacon of a session.
    private struct Point {
        var session: UInt64
        var instant: Int64
        var entity: Int32
    }

    /// The columns that the fold reads.
    static let columns: ColumnSet = [
        .receivedAt, .timestamp, .claimed, .flags, .eventType, .artistId, .eventId, .visitorId, .sessionId,
        .messageId, .clientHash,
    ]

    private(set) var entities = EntityTable()
    private(set) var cells: [CellKey: Int] = [:]
    private(set) var values: [TrafficCell] = []
    /// By entity: the cell that was asked for last. Beacons come in order of time, more or less.
    private var recent: [(hour: Int32, cell: Int32)] = []
    private var points: [Point] = []

    /// Adds the rows for which `isCounted` holds.
    ///
    /// - Parameter range: instants outside of it are passed over; nil takes all.
    mutating func add(_ batch: BeaconBatch, in range: Range<Int64>? = nil, isCounted: (Int) -> Bool) {
        let artists = entities.numbers(of: batch[.artistId], family: .artist)
        let events = entities.numbers(of: batch[.eventId], family: .event)
        let site = entities.number(of: .init(family: .site, id: TrafficFamily.siteEntity))
        let eventTypes = batch[.eventType]
        let pageView = eventTypes.code(of: "page_view")
        let seatView = eventTypes.code(of: "seat_view")
        let visitorHashes = TextHashes(batch)

        for row in 0..<batch.count {
            let instant = batch.timestamp[row]
            if let range, !range.contains(instant) { continue }
            guard isCounted(row) else { continue }
            let hour = Int32(truncatingIfNeeded: floorDiv(instant, ReportingCalendar.hourMs))
            let type = eventTypes.codes[row]
            let views: Int64 = type == pageView ? 1 : 0
            let seatViews: Int64 = type == seatView ? 1 : 0
            let visitor = visitorHashes.visitor(at: row)
            let session = visitorHashes.sessionKey(at: row)

            func count(_ entity: Int32) {
                let cell = cell(entity, hour)
                values[cell].pageViews += views
                values[cell].seatViews += seatViews
                values[cell].beacons += 1
                if let visitor { values[cell].visitors.add(hash: visitor) }
                if let session {
                    points.append(
                        Point(
                            session: Self.session(session, of: entities.hashes[Int(entity)]), instant: instant,
                            entity: entity))
                }
            }
            let artist = batch[.artistId].codes[row]
            if artist != 0 { count(artists[Int(artist) - 1]) }
            let event = batch[.eventId].codes[row]
            if event != 0 { count(events[Int(event) - 1]) }
            count(site)
        }
    }

    /// Two keys that are equal by chance make one session of two: 64 bits make that rarer than a lost disk.
    private static func session(_ key: UInt64, of entity: UInt64) -> UInt64 {
        var hash = key ^ (entity &* 0x9e37_79b9_7f4a_7c15)
        hash ^= hash >> 32
        hash = hash &* 0xd6e8_feb8_6659_fd93
        return hash ^ (hash >> 32)
    }

    /// The index of a cell, made where it is missing.
    private mutating func cell(_ entity: Int32, _ hour: Int32) -> Int {
        while recent.count <= Int(entity) { recent.append((hour: .min, cell: 0)) }
        if recent[Int(entity)].hour == hour { return Int(recent[Int(entity)].cell) }
        let key = CellKey(entity: entity, hour: hour)
        let cell: Int
        if let known = cells[key] {
            cell = known
        } else {
            cell = values.count
            cells[key] = cell
            values.append(TrafficCell())
        }
        recent[Int(entity)] = (hour, Int32(cell))
        return cell
    }

    /// Adds or takes away sessions that began in an hour.
    mutating func addSessions(_ count: Int64, milliseconds: Int64, entity: Int32, startingAt instant: Int64) {
        let hour = Int32(truncatingIfNeeded: floorDiv(instant, ReportingCalendar.hourMs))
        let cell = cell(entity, hour)
        values[cell].sessions += count
        values[cell].sessionMs += milliseconds
    }

    /// The sessions of what was added, ascending by key; the fold forgets them.
    mutating func takeSessions() -> [SessionFragment] {
        var fragments: [SessionFragment] = []
        for point in sortedPoints() {
            if let last = fragments.last, last.session == point.session,
                point.instant - last.ended < SessionIntervals.gapMs
            {
                fragments[fragments.count - 1].ended = point.instant
            } else {
                fragments.append(
                    SessionFragment(
                        session: point.session, entity: point.entity, started: point.instant, ended: point.instant))
            }
        }
        points = []
        return fragments
    }

    /// The points, ascending by session and instant.
    ///
    /// Sessions are hashes, so their leading bits deal the points out evenly: what is left to sort fits the caches.
    private func sortedPoints() -> [Point] {
        let bits = max(1, min(20, 64 - UInt64(points.count / 8).leadingZeroBitCount))
        let shift = UInt64(64 - bits)
        var ends = [Int](repeating: 0, count: 1 << bits)
        for point in points { ends[Int(truncatingIfNeeded: point.session >> shift)] += 1 }
        var end = 0
        for bucket in ends.indices {
            let count = ends[bucket]
            ends[bucket] = end
            end += count
        }
        // Here `ends` holds starts, which move to the ends as the buckets fill.
        return [Point](unsafeUninitializedCapacity: points.count) { sorted, initialized in
            for point in points {
                let bucket = Int(truncatingIfNeeded: point.session >> shift)
                sorted.initializeElement(at: ends[bucket], to: point)
                ends[bucket] += 1
            }
            initialized = points.count
            var start = 0
            for end in ends {
                if end - start > 1 {
                    var bucket = UnsafeMutableBufferPointer(rebasing: sorted[start..<end])
                    bucket.sort { ($0.session, $0.instant) < ($1.session, $1.instant) }
                }
                start = end
            }
        }
    }

    /// Forgets the cells and keeps the entities' numbers, for the next stretch of time.
    mutating func removeCells() {
        cells = [:]
        values = []
        recent = []
    }
}

/// An interval of one session key, as far as one fold saw it.
struct SessionFragment: Equatable {
    var session: UInt64
    var entity: Int32
    var started: Int64
    var ended: Int64
}

extension TextColumn {
    /// The code of a value; `UInt32.max`, which no row has, where the column doesn't hold it.
    func code(of text: StaticString) -> UInt32 {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        return (0..<valueCount).first { value($0).elementsEqual(wanted) }.map { UInt32($0 + 1) } ?? UInt32.max
    }
}

/// Hashes of visitors and session keys, each distinct text hashed once a batch.
private struct TextHashes {
    private let visitorCodes: [UInt32]
    private let sessionCodes: [UInt32]
    private let clientCodes: [UInt32]
    private let visitors: [UInt64]
    private let sessions: [UInt64]
    private let clients: [UInt64]

    init(_ batch: BeaconBatch) {
        func hashes(_ column: TextColumn) -> [UInt64] {
            column.bytes.withUnsafeBytes { bytes in
                (0..<column.valueCount).map {
                    Murmur3.hash64(UnsafeRawBufferPointer(rebasing: bytes[column.range(ofValue: $0)]))
                }
            }
        }
        visitorCodes = batch[.visitorId].codes
        sessionCodes = batch[.sessionId].codes
        clientCodes = batch[.clientHash].codes
        visitors = hashes(batch[.visitorId])
        sessions = hashes(batch[.sessionId])
        clients = hashes(batch[.clientHash])
    }

    /// `visitorId`, else `sessionId`, else the client's hash.
    func visitor(at row: Int) -> UInt64? {
        let visitor = visitorCodes[row]
        if visitor != 0 { return visitors[Int(visitor) - 1] }
        return sessionOrClient(at: row)
    }

    /// `sessionId`, else the visitor.
    func sessionKey(at row: Int) -> UInt64? {
        let session = sessionCodes[row]
        if session != 0 { return sessions[Int(session) - 1] }
        return visitor(at: row)
    }

    private func sessionOrClient(at row: Int) -> UInt64? {
        let session = sessionCodes[row]
        if session != 0 { return sessions[Int(session) - 1] }
        let client = clientCodes[row]
        return client != 0 ? clients[Int(client) - 1] : nil
    }
}
