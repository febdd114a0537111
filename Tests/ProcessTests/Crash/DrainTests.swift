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
                    let ingest = try RunningProgram(
                        ["serve", "ingest", "--port", "0"],
                        settings: [
                            "ANALYTICS_DATABASE_URL": database.url, "REDIS_URL": redis.url,
                            "SPOOL_DIR": folder.appending(path: "spool").path, "NODE_ID": "drain-0",
                        ], name: "ingest", in: folder)
                    let port = try await eventually {
                        guard let port = CrashStage.port(in: ingest.error) else { throw NotYet(what: ingest.error) }
                        return port
                    }
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
                    let drained = try await pool.withConnection {
                        try $0.query("SELECT shipped_through = 'infinity' FROM spool_positions")
                            .map { try $0.get(0, as: Bool.self) }
                    }
                    #expect(drained == [true])
                }
            }
        }
    }
}
