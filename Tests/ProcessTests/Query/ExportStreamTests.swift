import AsyncHTTPClient
import Core
import Foundation
import Ingest
import NIOCore
import NIOHTTP1
import Storage
import TestSupport
import Testing

@Suite struct ExportStreamTests {
    /// Batches of one beacon of about a kilobyte each.
    private func store(_ count: Int64, _ pool: PostgresPool) async throws {
        try await pool.withConnection { connection in
            try connection.execute("SELECT ensure_events_partition('2025-12-01')")
            for number in 1...count {
                let instant = Instant.parse("2025-12-01T00:00:00Z")! + number
                var beacon = Beacon(receivedAt: instant, timestamp: instant)
                beacon[.eventType] = "page_view"
                beacon[.path] = String(repeating: "p", count: 1000)
                var builder = BeaconBatchBuilder()
                builder.append(beacon)
                _ = try BatchStore.storeImported(
                    .init(
                        node: "n", firstSeq: number, lastSeq: number, receivedAt: instant, encoding: builder.finish()),
                    on: connection)
            }
            try connection.execute(
                """
                INSERT INTO rollup_folded (received_day, node, seq, fold_seq)
                SELECT received_day, node, seq, nextval('fold_seq') FROM rollup_pending
                """)
            try connection.execute("DELETE FROM rollup_pending")
        }
    }

    @Test func aZippedExportIsThePlainOne() async throws {
        try await QueryServer.with { server in
            try await store(600, server.pool)
            for question in ["format=ndjson", "format=csv&of=traffic&granularity=hourly"] {
                let path = "/api/analytics/export?\(question)&startDate=2025-12-01&endDate=2025-12-01"
                let plain = try await server.get(path)
                #expect(plain.headers["content-encoding"] == [])
                #expect(plain.headers["vary"] == ["Accept-Encoding"])
                let whole = Array(try await plain.body.collect(upTo: 10 << 20).readableBytesView)
                let zipped = try await server.get(path, [("accept-encoding", "gzip")])
                #expect(zipped.headers["content-encoding"] == ["gzip"])
                #expect(zipped.headers["vary"] == ["Accept-Encoding"])
                var stream = GzipStream()
                var (text, progress): ([UInt8], Set<Int>) = ([], [])
                for try await piece in zipped.body {
                    stream.feed(Array(piece.readableBytesView))
                    while let bytes = try stream.next() { text += bytes }
                    progress.insert(text.count)
                }
                let isComplete = stream.isComplete
                #expect(isComplete)
                #expect(text == whole)
                // Beacons come in pieces of 64 KiB, and each can be read before the next is there.
                if question == "format=ndjson" { #expect(progress.count > 5, "\(progress.sorted())") }
            }
        }
    }

    @Test func aWholeExportEndsAndABrokenOneBreaksOff() async throws {
        try await QueryServer.with { server in
            try await store(300, server.pool)
            let path = "/api/analytics/export?format=ndjson&startDate=2025-12-01&endDate=2025-12-01"
            let whole = try await server.get(path)
            #expect(whole.status == .ok)
            #expect(whole.headers["content-type"] == ["application/x-ndjson"])
            #expect(whole.headers["content-disposition"] == ["attachment; filename=\"events.ndjson\""])
            let body = try await whole.body.collect(upTo: 10 << 20)
            #expect(body.readableBytesView.count { $0 == 0x0a } == 300)

            _ = try await server.pool.withConnection {
                try $0.execute("UPDATE analytics_events SET payload = 'x' WHERE seq = 290")
            }
            let broken = try await server.get(path)
            #expect(broken.status == .ok)
            await #expect(throws: (any Error).self) { try await broken.body.collect(upTo: 10 << 20) }
            #expect(server.program.error.contains("An export broke off"))

            // What is wrong at the very beginning is said with a status.
            _ = try await server.pool.withConnection {
                try $0.execute("UPDATE analytics_events SET payload = 'x' WHERE seq = 1")
            }
            #expect(try await server.get(path).status == .internalServerError)
            #expect(try await server.get("/api/analytics/dashboard").status == .ok)
        }
    }
}
