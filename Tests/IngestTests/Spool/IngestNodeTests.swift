import Core
import Foundation
import NIOPosix
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

@Suite(.timeLimit(.minutes(5))) struct IngestNodeTests {
    /// The process must not end as if all were well: who removes the spool after it would lose beacons.
    @Test func aDrainWithoutPostgresFailsAndTheSpoolKeepsItAll() async throws {
        try await withDirectory { directory in
            let nowhere = PostgresPool(
                try PostgresConfiguration(url: "host=/nonexistent dbname=none"), connections: 1, logger: silentLogger)
            do {
                var settings = IngestNode.Settings(spool: .small(directory), nodeId: "node")
                settings.maxDrain = .milliseconds(200)
                let node = try await IngestNode(
                    settings, calendar: .seoul, postgres: nowhere, redis: nil, metrics: Metrics(),
                    threadPool: .singleton, clock: { ShipperTests.now }, logger: silentLogger,
                    onFailure: { _ in })
                await node.announce()
                #expect(await node.spool.append(BeaconRecords(numbers: 0..<3)).isSuccess)
                let running = Task { try await node.run() }
                running.cancel()
                await #expect(throws: IngestNode.DrainIncomplete.self) { try await running.value }
            }
            await nowhere.shutdown()
            #expect(try numbers(in: Spool(testing: .small(directory))) == [0, 1, 2])
        }
    }
}
