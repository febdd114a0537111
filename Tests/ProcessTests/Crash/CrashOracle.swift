import Core
import Storage
import Testing

/// What must hold of a load once all of it is folded: acknowledged ⊆ counted ⊆ offered, each once; raw, a copy for each
/// time that it was taken; and every sum is what the counted beacons add up to.
struct CrashOracle {
    let load: BeaconLoad
    private(set) var stored: StoredBeacons
    private var expected = ExpectedSums(calendar: .seoul)

    init(_ load: BeaconLoad) {
        self.load = load
        stored = StoredBeacons(of: load)
    }

    /// Reads what Postgres holds since it was last called.
    mutating func read(_ pool: PostgresPool) async throws {
        let before = stored
        let (after, new) = try await pool.withConnection { connection in
            var stored = before
            try stored.readBatches(on: connection)
            let new = try stored.countFolded(on: connection)
            return (stored, new)
        }
        stored = after
        for position in new { expected.add(position, of: load) }
    }

    func checkBeacons() {
        #expect(load.defects.isEmpty, "\(load.defects.prefix(3))")
        #expect(stored.defects.isEmpty, "\(stored.defects.prefix(3))")
        #expect(stored.unfoldedBatches == 0)
        var lost: [StoredBeacons.Position] = []
        var doubled: [StoredBeacons.Position] = []
        var invented: [StoredBeacons.Position] = []
        var miscopied: [StoredBeacons.Position] = []
        for (request, knowledge) in load.knowledge.enumerated() {
            let isAcknowledged = if case .acknowledged = knowledge { true } else { false }
            let bounds = load.copies(ofRequest: request)
            let counts = stored.counts(ofRequest: request)
            let copies = stored.copies(ofRequest: request)
            // Nearly all of them, and there are many.
            if isAcknowledged, counts.allSatisfy({ $0 == 1 }), copies.allSatisfy({ bounds.contains(Int($0)) }) {
                continue
            }
            for (row, (count, copies)) in zip(counts, copies).enumerated() {
                let position = StoredBeacons.Position(request: request, row: row)
                if isAcknowledged, count == 0 { lost.append(position) }
                if count > 1 { doubled.append(position) }
                if count > 0, knowledge == .notOffered { invented.append(position) }
                if !bounds.contains(Int(copies)) { miscopied.append(position) }
            }
        }
        #expect(lost.count == 0, "\(lost.count) acknowledged beacons lost, such as \(named(lost))")
        #expect(doubled.count == 0, "\(doubled.count) beacons counted twice, such as \(named(doubled))")
        #expect(invented.count == 0, "\(invented.count) beacons counted and never offered, such as \(named(invented))")
        #expect(
            miscopied.count == 0,
            "\(miscopied.count) beacons stored more or less often than they were taken, such as \(named(miscopied))")
    }

    private func named(_ positions: [StoredBeacons.Position]) -> [String] {
        positions.prefix(3).map { load.beacons.messageId($0.request, $0.row) }
    }

    /// Hours, days, months and healed Redis counters are what the counted beacons add up to.
    func checkSums(_ pool: PostgresPool, _ redis: RedisPool) async throws {
        let sums = try await pool.withConnection { try ExpectedSums.stored(on: $0) }
        let wrong = Set(sums.keys).union(expected.sums.keys).filter { sums[$0] != expected.sums[$0] }
        #expect(
            wrong.count == 0,
            """
            \(wrong.count) wrong buckets, such as \(wrong.prefix(3).map {
                "\($0): \(sums[$0].map { "\($0)" } ?? "none") for \(expected.sums[$0].map { "\($0)" } ?? "none")"
            })
            """)
        let counters = try await Self.counters(redis)
        let due = expected.livingCounters(at: BeaconLoad.now())
        let differing = Set(counters.keys).union(due.keys).filter { counters[$0] != due[$0] }
        #expect(
            differing.count == 0,
            "\(differing.count) wrong counters, such as \(differing.prefix(3).map { "\($0): \(counters[$0] ?? 0) for \(due[$0] ?? 0)" })"
        )
    }

    /// Counters that were right when they were last checked, and not healed since, hold at most what is stored: a batch
    /// adds once, or not at all where Redis was away.
    func checkUnhealedCounters(_ redis: RedisPool) async throws {
        var stored = expected
        for position in self.stored.unfoldedBeacons { stored.add(position, of: load) }
        let bounds = stored.livingCounters(at: BeaconLoad.now())
        let above = try await Self.counters(redis).filter { $0.value > bounds[$0.key] ?? 0 }
        #expect(
            above.count == 0,
            "\(above.count) counters above what is stored, such as \(above.prefix(3).map { "\($0.key): \($0.value) for \(bounds[$0.key] ?? 0)" })"
        )
    }

    private static func counters(_ redis: RedisPool) async throws -> [String: Int64] {
        try await redis.withConnection { connection in
            let names = try connection.command(["KEYS", "*:views:????????"]).array?.compactMap(\.string) ?? []
            var counters: [String: Int64] = [:]
            for name in names { counters[name] = try connection.command(["GET", .init(name)]).int }
            return counters
        }
    }
}
