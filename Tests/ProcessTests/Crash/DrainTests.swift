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

                    let stored = try await pool.withConnection { try StoredBeacons(load, on: $0) }
                    let lost = stored.lost(of: load)
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
        try #require(nodes.count == 1)
        return nodes[0]
    }
}
