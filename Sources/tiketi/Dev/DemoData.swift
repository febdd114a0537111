import Core
import Ingest
import Logging
import Platform
import Rollup
import Storage

/// The demo catalogue and a few days of its traffic, put in as if it had come the usual way.
struct DemoData {
    static let artists = 40
    static let days: Int64 = 3
    /// Says that it is there; in the transaction that puts it there.
    static let marker = "demo-data"
    static let node = "demo"
    /// In the ids of its sessions, messages and payments.
    static let run = "demo"

    let settings: Settings
    let logger: Logger

    /// Does nothing where it was loaded before.
    func loadOnce() async throws {
        let calendar = try settings.reportingCalendar()
        let pool = PostgresPool(try settings.analyticsDatabase(), connections: 1, logger: logger)
        do {
            let now = ProcessSettings.clock()
            let isLoaded = try await pool.withConnection { connection in
                try connection.query("SELECT FROM inbox WHERE message_id = \(Self.marker)").count > 0
            }
            if !isLoaded {
                ProcessSettings.standardError("loading \(Self.days) days of demo traffic …")
                try await pool.withConnection { connection in
                    try connection.transaction { try Self.load(now: now, on: $0) }
                }
                _ = try await Rollup(
                    postgres: pool, redis: nil, calendar: calendar, clock: ProcessSettings.clock,
                    metrics: RollupMetrics(Metrics()), logger: logger
                ).run()
            }
        } catch {
            await pool.shutdown()
            throw error
        }
        await pool.shutdown()
    }

    private static func load(now: Int64, on connection: PostgresConnection) throws {
        _ = try BatchStore.ensurePartition(of: Day(daysSince1970: Int(floorDiv(now, 86_400_000))), on: connection)
        let catalogue = DemoCatalogue(artists: artists)
        let start = now - days * 86_400_000
        _ = try MessageEffects.store(catalogue.announcements(at: start), on: connection)
        var traffic = DemoTraffic(catalogue: catalogue, seed: 1, run: run, activeSessions: 12)
        var builder = BeaconBatchBuilder()
        var seq: Int64 = 0
        func store() throws {
            guard builder.count > 0 else { return }
            seq += 1
            _ = try BatchStore.storeImported(
                .init(node: node, firstSeq: seq, lastSeq: seq, receivedAt: now, encoding: builder.finish()),
                on: connection)
        }
        var instant = start
        while instant < now {
            let step = traffic.step(at: instant)
            builder.append(step.beacon)
            if !step.messages.isEmpty { _ = try MessageEffects.store(step.messages, on: connection) }
            if builder.count >= 8192 { try store() }
            // Evenings in Seoul are busy, nights are not.
            let hour = (floorDiv(instant, 3_600_000) + 9) % 24
            instant += hour >= 18 && hour < 24 ? 7_000 : hour < 7 ? 45_000 : 15_000
        }
        try store()
        try connection.execute("INSERT INTO inbox (message_id, type) VALUES (\(marker), 'demo')")
    }
}
