import Foundation
import Platform
import Storage
import TestSupport
import Testing

@Suite struct DrainTests {
    /// SIGTERM in the middle of the load: when the process has ended, everything it acknowledged is in Postgres.
    @Test func whatWasAcknowledgedIsInPostgresWhenIngestHasEnded() async throws {
        let generator = SeededGenerator()
        print("drain test: \(generator)")
        let seed = generator.seed
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { database, pool in
                try await withRedis { redis in
                    let settings = [
                        "ANALYTICS_DATABASE_URL": database.url, "REDIS_URL": redis.url,
                        "SPOOL_DIR": folder.appending(path: "spool").path, "NODE_ID": "drain-0",
                    ]
                    let ingest = try RunningProgram(
                        ["serve", "ingest", "--port", "0"], settings: settings, name: "ingest", in: folder)
                    let port = try await port(of: ingest)
                    let load = BeaconLoad(OfferedBeacons(seed: seed), requests: 2000, rate: 4000, port: port)
                    let loading = Task { try await load.run() }
                    try await eventually {
                        guard load.acknowledgedBeacons >= 2000 else { throw NotYet(what: "too few acknowledged") }
                    }
                    ingest.signal(SIGTERM)
                    #expect(await ingest.end() == .exited(0), "\(ingest.error)")
                    load.stop()
                    try await loading.value

                    let stored = try await StoredBeacons.read(of: load, pool)
                    let lost = stored.lost()
                    #expect(lost.isEmpty, "\(lost.count) of \(load.acknowledgedBeacons), such as \(lost.prefix(3))")
                    #expect(stored.defects.isEmpty, "\(stored.defects.prefix(3))")
                    #expect(load.defects.isEmpty, "\(load.defects.prefix(3))")
                    #expect(try await isDrained(pool))

                    // From before it takes beacons again, answers are no fresher than it has shipped.
                    let next = try RunningProgram(
                        ["serve", "ingest", "--port", "0"], settings: settings, name: "next", in: folder)
                    _ = try await self.port(of: next)
                    #expect(try await !isDrained(pool))
                    next.signal(SIGTERM)
                    #expect(await next.end() == .exited(0), "\(next.error)")
                }
            }
        }
    }

    /// The spool's disk is set back to a copy that was taken before anything was acknowledged, as by a restored backup:
    /// what is acknowledged from then on is stored all the same.
    @Test func aSpoolThatWasSetBackLosesNothingThatIsAcknowledgedLater() async throws {
        let generator = SeededGenerator()
        print("set back test: \(generator)")
        try await withTemporaryFolder { folder in
            try await withAnalyticsDatabase { database, pool in
                try await withRedis { redis in
                    let spool = folder.appending(path: "spool")
                    let copy = folder.appending(path: "copy")
                    let settings = [
                        "ANALYTICS_DATABASE_URL": database.url, "REDIS_URL": redis.url, "SPOOL_DIR": spool.path,
                        "NODE_ID": "back-0",
                    ]
                    let ingest = try RunningProgram(
                        ["serve", "ingest", "--port", "0"], settings: settings, name: "ingest", in: folder)
                    let load = BeaconLoad(
                        OfferedBeacons(seed: generator.seed), requests: 2000, rate: 2000,
                        port: try await port(of: ingest))
                    try FileManager.default.copyItem(at: spool, to: copy)
                    let loading = Task { try await load.run() }
                    try await eventually {
                        guard load.acknowledgedBeacons >= 1000 else { throw NotYet(what: "too few acknowledged") }
                    }
                    ingest.signal(SIGKILL)
                    await ingest.end()
                    // What the old disk held and Postgres did not is lost with it.
                    try FileManager.default.removeItem(at: spool)
                    try FileManager.default.moveItem(at: copy, to: spool)

                    let next = try RunningProgram(
                        ["serve", "ingest", "--port", "0"], settings: settings, name: "next", in: folder)
                    let nextPort = try await port(of: next)
                    load.move(toPort: nextPort)
                    try await eventually {
                        guard load.acknowledged(byPort: nextPort).count >= 10 else {
                            throw NotYet(what: "too few acknowledged")
                        }
                    }
                    load.stop()
                    try await loading.value
                    next.signal(SIGTERM)
                    #expect(await next.end() == .exited(0), "\(next.error)")
                    let after = try await StoredBeacons.read(of: load, pool)
                    let promised = load.acknowledged(byPort: nextPort)
                    let lost = after.lost().filter {
                        promised.contains($0.request)
                    }
                    #expect(lost.isEmpty, "\(lost.count) of \(promised.count) requests, such as \(lost.prefix(3))")
                    #expect(after.defects.isEmpty, "\(after.defects.prefix(3))")
                }
            }
        }
    }

    private func port(of ingest: RunningProgram) async throws -> Int {
        try await eventually {
            guard let port = CrashStage.port(in: ingest.error) else { throw NotYet(what: ingest.error) }
            return port
        }
    }

    private func isDrained(_ pool: PostgresPool) async throws -> Bool {
        let nodes = try await pool.withConnection {
            try $0.query("SELECT shipped_through = 'infinity' FROM spool_positions").map {
                try $0.get(0, as: Bool.self)
            }
        }
        try #require(!nodes.isEmpty)
        return nodes.allSatisfy { $0 }
    }
}
