import Core
import Dispatch
import HTTPTypes
import Hummingbird
import NIOCore
import Platform
import Storage

/// Seat maps as they were moments ago, shared by all who look: written once for many readers.
///
/// A buyer who has just changed something sees it at once; others see it after `maxAgeMs` at most.
actor SeatMaps {
    static let maxAgeMs: Int64 = 500
    static let maxEvents = 64

    /// One state of an event's seats.
    final class Snapshot: Sendable {
        let layout: SeatLayout
        let statuses: [SeatStatus]
        /// Whose seats are which, where they are held or sold.
        let owned: [String: [Int]]
        let full: SeatMapText
        let compact: SeatMapText

        init(layout: SeatLayout, statuses: [SeatStatus], owned: [String: [Int]]) {
            self.layout = layout
            self.statuses = statuses
            self.owned = owned
            full = SeatMapText(layout.json(statuses), isShared: true)
            compact = SeatMapText(layout.compactJSON(statuses), isShared: true)
        }

        /// As this buyer sees it.
        func text(for buyer: String?, isCompact: Bool) -> SeatMapText {
            guard let buyer, let own = owned[buyer] else { return isCompact ? compact : full }
            var statuses = statuses
            for index in own { statuses[index] = .mine }
            return SeatMapText(isCompact ? layout.compactJSON(statuses) : layout.json(statuses), isShared: false)
        }
    }

    private struct Entry {
        var snapshot: Snapshot?
        var takenAt: Int64 = .min
        /// Which reading it is of.
        var order = 0
        var reading: Task<Snapshot?, any Error>?
        /// Who has changed something since it was read.
        var changedBy: Set<String> = []
        var usedAt: Int64 = 0
    }

    private let postgres: PostgresPool
    private let clock: @Sendable () -> Int64
    /// Milliseconds of a clock that only goes forward.
    private let now: @Sendable () -> Int64
    private var entries: [String: Entry] = [:]
    private var readings = 0

    init(postgres: PostgresPool, clock: @escaping @Sendable () -> Int64, now: @escaping @Sendable () -> Int64) {
        self.postgres = postgres
        self.clock = clock
        self.now = now
    }

    /// Nil where there is no copy of such an event.
    func snapshot(_ eventId: String, for buyer: String?) async throws -> Snapshot? {
        var entry = entries[eventId] ?? Entry()
        entry.usedAt = now()
        let isFresh =
            entry.takenAt > now() - Self.maxAgeMs && !(buyer.map { entry.changedBy.contains($0) } ?? false)
        if let snapshot = entry.snapshot, isFresh {
            entries[eventId] = entry
            return snapshot
        }
        if let reading = entry.reading, !(buyer.map { entry.changedBy.contains($0) } ?? false) {
            return try await reading.value
        }
        makeRoom()
        let begun = now()
        readings += 1
        let order = readings
        let task = Task { [postgres, clock, layout = entry.snapshot?.layout] in
            try await Self.read(eventId, layout, on: postgres, nowMs: clock())
        }
        entry.changedBy = []
        entry.reading = task
        entries[eventId] = entry
        let result = await task.result
        if entries[eventId]?.reading == task { entries[eventId]?.reading = nil }
        guard let snapshot = try result.get() else {
            entries[eventId] = nil
            return nil
        }
        if order > entries[eventId]?.order ?? .max {
            entries[eventId]?.order = order
            entries[eventId]?.snapshot = snapshot
            entries[eventId]?.takenAt = begun
        }
        return snapshot
    }

    /// This buyer has taken or given back seats.
    func changed(_ eventId: String, by buyer: String) {
        guard entries[eventId] != nil else { return }
        // A fresh reading serves them all.
        if entries[eventId]!.changedBy.count >= 1024 { entries[eventId]!.takenAt = .min }
        entries[eventId]!.changedBy.insert(buyer)
    }

    var eventCount: Int { entries.count }

    private func makeRoom() {
        while entries.count >= Self.maxEvents, let oldest = entries.min(by: { $0.value.usedAt < $1.value.usedAt }) {
            entries[oldest.key] = nil
        }
    }

    private static func read(
        _ eventId: String, _ known: SeatLayout?, on postgres: PostgresPool, nowMs: Int64
    ) async throws -> Snapshot? {
        try await postgres.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                guard
                    let version = try connection.query("SELECT version FROM events WHERE event_id = \(eventId)").first?
                        .get(0, as: Int64.self)
                else { return nil }
                let layout: SeatLayout
                if let known, known.version == version {
                    layout = known
                } else if let loaded = try SeatLayout.load(eventId, on: connection) {
                    layout = loaded
                } else {
                    return nil
                }
                var statuses = [SeatStatus](repeating: .free, count: layout.indexes.count)
                var owned: [String: [Int]] = [:]
                for row in try connection.query(liveClaims(eventId, nowMs: nowMs)) {
                    guard let index = layout.indexes[try row.get(0)] else { continue }
                    statuses[index] = try row.get(1) ? .sold : .held
                    owned[try row.get(2), default: []].append(index)
                }
                return Snapshot(layout: layout, statuses: statuses, owned: owned)
            }
        }
    }

    static func liveClaims(_ eventId: String, nowMs: Int64) -> SQL {
        """
        SELECT seat_id, state = 'sold', user_id FROM seat_claims
        WHERE event_id = \(eventId) AND state IN ('held', 'confirming', 'sold')
            AND (state <> 'held' OR expires_at > \(PostgresTimestamp(ms: nowMs)))
        """
    }

    /// Milliseconds since the machine was started.
    static let uptime: @Sendable () -> Int64 = { Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000) }
}

/// One JSON text, with its validator, and compressed where many get it.
struct SeatMapText: Sendable {
    let bytes: ByteBuffer
    let compressed: ByteBuffer?
    let tag: String

    init(_ json: [UInt8], isShared: Bool) {
        tag = "W/\"\(Hexadecimal.text(json.withUnsafeBytes { Murmur3.hash64($0) }))\""
        bytes = ByteBuffer(bytes: json)
        compressed =
            isShared && json.count >= JSONResponse.minGzipBytes
            ? ByteBuffer(bytes: json.withUnsafeBytes { Gzip.deflate($0, level: 1) }) : nil
    }

    func response(to request: Request) -> Response {
        var headers: HTTPFields = [
            .cacheControl: "private, no-cache", .eTag: tag, .vary: "Accept-Encoding, Authorization",
        ]
        if let known = request.headers[.ifNoneMatch], JSONResponse.matches(known, tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/json"
        if let compressed, JSONResponse.acceptsGzip(request.headers[.acceptEncoding] ?? "") {
            headers[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: compressed))
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }
}
