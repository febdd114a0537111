import Core
import Foundation
import Logging
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Ingest

/// The night of the sale: what everybody sends for one artist doesn't make others wait.
@Suite(.timeLimit(.minutes(2))) struct TrackOverflowTests {
    @Test func aHotArtistGoesIntoTheOverflowLane() async throws {
        var settings = TrackSettings()
        settings.hotArtistRate = 3
        try await TrackServer.run(settings) { server in
            // One connection, so one event loop, in both ways of taking a request.
            let connection = try await server.connect()
            func post(_ body: String, _ target: String = "/track") async throws {
                try await connection.send(HTTPText.request("POST", target, Array(body.utf8)))
                #expect(try await connection.response().status / 100 == 2)
            }
            func beacons(_ artists: String...) -> String {
                "[" + artists.map { #"{"eventType":"a","artistId":"\#($0)"}"# }.joined(separator: ",") + "]"
            }
            // More at once than a second's: however slow the machine, its bucket never holds as many.
            try await post(beacons("hot", "hot", "hot", "hot"))
            try await post(beacons("hot", "hot", "hot", "cold"), "/track?wait=stored")
            try await post(beacons("cold"))
            try await post(#"{"eventType":"a"}"#)
            try await post(beacons("hot", "hot", "hot"))
            connection.close()
            #expect(
                server.sink.lanes.map { "\($0)" } == Array(repeating: "overflow", count: 8)
                    + Array(repeating: "normal", count: 5))
            #expect(server.sink.beacons.map { $0[.artistId] ?? "-" }.suffix(5) == ["cold", "-", "hot", "hot", "hot"])
            #expect(server.metrics.exposition().contains("tiketi_track_beacons_overflow_total 8\n"))
        }
    }

    /// However much waits in the overflow lane, a beacon in the normal one is in the next group.
    @Test func theNormalLaneOvertakes() async throws {
        try await withDirectory { directory in
            let disk = try SlowDirectory(DiskDirectory(directory))
            var settings = SpoolSettings(directory: directory)
            settings.segmentBytes = 4 << 20
            settings.overflowGroupBytes = 2000
            let spool = try Spool(
                settings, on: disk, metrics: SpoolMetrics(Metrics()), logger: testLogger, onFailure: { _ in })
            let order = Mutex<[String]>([])
            @Sendable func append(_ name: String, _ lane: Spool.Lane) {
                spool.append(BeaconRecords(numbers: 0..<1, padding: 800), until: .onDisk, lane: lane) { result in
                    if case .success = result { order.withLock { $0.append(name) } }
                }
            }
            disk.hold()
            append("first", .normal)
            // It is being synced: all others wait.
            try await until { disk.isHeld }
            for number in 0..<100 { append("overflow \(number)", .overflow) }
            append("normal", .normal)
            disk.release()
            try await until { order.withLock { $0.count } == 102 }
            let all = order.withLock { $0 }
            #expect(all[0] == "first")
            #expect(all[1] == "normal")
            // The overflow lane keeps its own order, and gets on while the other has something.
            #expect(Array(all[2...]) == (0..<100).map { "overflow \($0)" })
        }
    }

    /// A normal lane that always has something doesn't stop the other.
    @Test func theOverflowLaneGetsOnAllTheSame() async throws {
        try await withDirectory { directory in
            var settings = SpoolSettings(directory: directory)
            settings.overflowGroupBytes = 0
            let spool = try Spool(testing: settings)
            let done = Atomic<Int>(0)
            let isOver = Atomic<Bool>(false)
            @Sendable func feed() {
                guard !isOver.load(ordering: .relaxed) else { return }
                spool.append(BeaconRecords(numbers: 0..<1), until: .onDisk) { _ in feed() }
            }
            for _ in 0..<4 { feed() }
            for _ in 0..<50 {
                spool.append(BeaconRecords(numbers: 0..<1), until: .onDisk, lane: .overflow) { _ in
                    done.add(1, ordering: .relaxed)
                }
            }
            try await until { done.load(ordering: .relaxed) == 50 }
            isOver.store(true, ordering: .relaxed)
        }
    }

    /// Nor does one whose beacons fill each group.
    @Test func theOverflowLaneGetsOnWhereGroupsAreFull() async throws {
        try await withDirectory { directory in
            let disk = try SlowDirectory(DiskDirectory(directory))
            var settings = SpoolSettings(directory: directory)
            settings.segmentBytes = 4 << 20
            settings.maxGroupBeacons = 4
            let spool = try Spool(
                settings, on: disk, metrics: SpoolMetrics(Metrics()), logger: testLogger, onFailure: { _ in })
            let order = Mutex<[String]>([])
            @Sendable func append(_ name: String, _ lane: Spool.Lane) {
                spool.append(BeaconRecords(numbers: 0..<2), until: .onDisk, lane: lane) { result in
                    if case .success = result { order.withLock { $0.append(name) } }
                }
            }
            disk.hold()
            append("first", .normal)
            try await until { disk.isHeld }
            for number in 0..<10 { append("normal \(number)", .normal) }
            append("overflow", .overflow)
            disk.release()
            try await until { order.withLock { $0.count } == 12 }
            #expect(order.withLock { $0.prefix(3) } == ["first", "normal 0", "overflow"])
        }
    }

    /// What the overflow lane can't hold is refused, and only that.
    @Test func theOverflowLaneIsBounded() async throws {
        try await withDirectory { directory in
            let disk = try SlowDirectory(DiskDirectory(directory))
            var settings = SpoolSettings(directory: directory)
            settings.maxOverflowBytes = 5000
            let spool = try Spool(
                settings, on: disk, metrics: SpoolMetrics(Metrics()), logger: testLogger, onFailure: { _ in })
            disk.hold()
            let results = Mutex<[String: Int]>([:])
            func append(_ lane: Spool.Lane) {
                spool.append(BeaconRecords(numbers: 0..<1, padding: 900), until: .onDisk, lane: lane) { result in
                    results.withLock { $0["\(lane) \(result)", default: 0] += 1 }
                }
            }
            for _ in 0..<10 { append(.overflow) }
            for _ in 0..<10 { append(.normal) }
            #expect(results.withLock { $0 } == ["overflow failure(Ingest.SpoolRefusal.full(retryAfterSeconds: 1))": 5])
            disk.release()
            try await until { results.withLock { $0.values.reduce(0, +) } == 20 }
            #expect(results.withLock { $0["normal success(Ingest.Durability.onDisk)"] } == 10)
            // There is room again.
            append(.overflow)
            try await until { results.withLock { $0["overflow success(Ingest.Durability.onDisk)"] } == 6 }
        }
    }
}

/// A disk whose syncs can be held up.
private final class SlowDirectory: Directory {
    private let directory: DiskDirectory
    private let state = Mutex((holds: false, isHeld: false))

    init(_ directory: DiskDirectory) { self.directory = directory }

    var path: String { directory.path }
    var isHeld: Bool { state.withLock { $0.isHeld } }

    func hold() { state.withLock { $0.holds = true } }
    func release() { state.withLock { $0 = (false, false) } }

    func open(_ name: String, _ mode: FileMode) throws(DiskError) -> any File {
        SlowFile(try DiskFile(path(of: name), mode), self)
    }

    func names() throws(DiskError) -> [String] { try directory.names() }
    func link(_ name: String, to other: String) throws(DiskError) { try directory.link(name, to: other) }
    func rename(_ name: String, to other: String) throws(DiskError) { try directory.rename(name, to: other) }
    func remove(_ name: String) throws(DiskError) { try directory.remove(name) }
    func synchronize() throws(DiskError) { try directory.synchronize() }

    private final class SlowFile: File {
        private let file: DiskFile
        private let directory: SlowDirectory

        init(_ file: DiskFile, _ directory: SlowDirectory) {
            self.file = file
            self.directory = directory
        }

        var path: String { file.path }
        func size() throws(DiskError) -> Int { try file.size() }
        func allocate(_ bytes: Int) throws(DiskError) { try file.allocate(bytes) }
        func truncate(to bytes: Int) throws(DiskError) { try file.truncate(to: bytes) }
        func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
            try file.write(bytes, at: offset)
        }
        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
            try file.read(into: buffer, at: offset)
        }
        func synchronize() throws(DiskError) { try file.synchronize() }
        func tryLock() -> Bool { file.tryLock() }

        func synchronizeData() throws(DiskError) {
            while directory.state.withLock({ state in
                if state.holds { state.isHeld = true }
                return state.holds
            }) {
                usleep(1000)
            }
            try file.synchronizeData()
        }
    }
}
