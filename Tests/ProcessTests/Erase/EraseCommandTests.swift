import Core
import Foundation
import Ingest
import Storage
import TestSupport
import Testing

@Suite struct EraseCommandTests {
    private static let visitor = "0b5e7c1a-person"

    private func store(_ pool: PostgresPool) async throws {
        var builder = BeaconBatchBuilder()
        for (number, visitor) in [Self.visitor, "another", Self.visitor].enumerated() {
            let instant = Instant.parse("2025-12-01T12:00:00+09:00")! + Int64(number) * 86_400_000
            var beacon = Beacon(receivedAt: instant, timestamp: instant)
            beacon[.eventType] = "page_view"
            beacon[.artistId] = "iu"
            beacon[.visitorId] = visitor
            builder.append(beacon)
        }
        let batch = BatchStore.Batch(
            node: "test", firstSeq: 1, lastSeq: 1, receivedAt: Instant.parse("2025-12-01T12:00:00+09:00")!,
            encoding: builder.finish())
        let reservation = Message(
            id: "m1", occurredAt: batch.receivedAt,
            body: .reservationConfirmed(
                ReservationChanged(reservationId: "r1", eventId: "e1", artistId: "iu", visitorId: Self.visitor)))
        try await pool.withConnection { connection in
            _ = try connection.transaction { try MessageEffects.store([reservation], on: $0) }
            _ = try BatchStore.ensurePartition(of: batch.receivedDay, on: connection)
            _ = try BatchStore.storeImported(batch, on: connection)
        }
    }

    /// At every level of logging, the id is in none of it.
    @Test func aVisitorIsErasedAndNamedNowhere() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await store(pool)
            let settings = ["ANALYTICS_DATABASE_URL": configuration.url, "LOG_LEVEL": "trace"]
            #expect(try await CommandLineRun.tiketi(["rollup", "run"], settings: settings).status == 0)

            let look = try await CommandLineRun.tiketi(
                ["erase", "--visitor", Self.visitor, "--dry-run"], settings: settings)
            #expect(look.status == 0, "\(look.error)")
            #expect(
                look.output == """
                    would erase 2 beacons in 1 batches
                    would take the visitor out of 1 reservations, payments and refunds, which stay
                    would be counted again: 2025-12-01, 2025-12-03

                    """)
            let erase = try await withTemporaryFolder { folder in
                let input = folder.appendingPathComponent("id")
                try Data("\(Self.visitor)\n".utf8).write(to: input)
                return try await CommandLineRun.tiketi(
                    ["erase", "--visitor", "-", "--by", "ticket 1"], settings: settings, input: input)
            }
            #expect(erase.status == 0, "\(erase.error)")
            #expect(
                erase.output == """
                    erased 2 beacons in 1 batches
                    took the visitor out of 1 reservations, payments and refunds, which stay
                    were counted again: 2025-12-01, 2025-12-03
                    REDIS_URL is not set: the counters of the last days still hold the visitor
                    recorded as erasure 1
                    beacons that are still in the spool of a node, or are sent later, are not erased: run this again after that

                    """)
            for run in [look, erase] { #expect(!(run.output + run.error).contains(Self.visitor)) }
            let (views, person) = try await pool.withConnection { connection in
                (
                    try connection.query("SELECT sum(page_views)::bigint FROM artist_traffic_monthly")[0]
                        .get(0, as: Int64.self),
                    try connection.query("SELECT requested_by FROM erasures")[0].get(0, as: String.self)
                )
            }
            #expect(views == 1)
            #expect(person == "ticket 1")
            #expect(try await CommandLineRun.tiketi(["rollup", "verify"], settings: settings).status == 0)
        }
    }

    @Test func anIdThatNoBeaconCanHaveIsRefused() async throws {
        for id in ["", String(repeating: "x", count: 129)] {
            let run = try await CommandLineRun.tiketi(["erase", "--visitor", id])
            #expect(run.status == 64)
            #expect(run.error.contains("--visitor must be an id of 1 to 128 bytes"))
        }
    }

    /// Hours of months long past go, and whoever sets less than may be kept is told.
    @Test func partitionsAreKeptAsTheSettingsSay() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await pool.withConnection { connection in
                for table in ["site_traffic_hourly", "site_traffic_daily"] {
                    let bucket: SQL = table.hasSuffix("hourly") ? "'2001-01-01T12:00Z'" : "'2001-01-01'"
                    try connection.execute(
                        """
                        INSERT INTO \(unescaped: table)
                        VALUES ('all', \(sql: bucket), 1, 0, 1, 0, 0, \(VisitorSketch().bytes))
                        """)
                }
            }
            var settings = ["ANALYTICS_DATABASE_URL": configuration.url, "HOURLY_RETENTION_MONTHS": "13"]
            let refused = try await CommandLineRun.tiketi(["rollup", "partitions"], settings: settings)
            #expect(refused.status == 2)
            #expect(refused.error.contains("HOURLY_RETENTION_MONTHS: must be a whole number from 14"))
            settings["HOURLY_RETENTION_MONTHS"] = "14"
            let run = try await CommandLineRun.tiketi(["rollup", "partitions"], settings: settings)
            #expect(run.status == 0, "\(run.error)")
            #expect(run.output.contains("dropped the hours of 2001-01-01\n"))
        }
    }
}
