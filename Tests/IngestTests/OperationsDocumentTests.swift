import Foundation
import Platform
import Testing

@testable import Ingest

/// Whoever is awake at 3 a.m. finds every metric of ingest explained.
@Suite struct OperationsDocumentTests {
    @Test func everyMetricIsExplained() throws {
        let document = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/operations.md")
        let text = try String(contentsOf: document, encoding: .utf8)
        let metrics = Metrics()
        _ = TrackMetrics(metrics)
        _ = SpoolMetrics(metrics)
        _ = ShipMetrics(metrics)
        _ = MessageMetrics(metrics)
        let names = metrics.exposition().split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            .map { String($0.split(separator: " ")[2]) }
        #expect(names.count > 15)
        // `tiketi_ship_batches_total`, `…_beacons_total`: a row may leave out what its first name begins with.
        let unexplained = names.filter { name in
            !text.contains("`\(name)")
                && !text.contains("`…_" + name.split(separator: "_").suffix(2).joined(separator: "_") + "`")
        }
        #expect(unexplained == [])
    }
}
