import Core
import Foundation
import Logging
import Platform
import Storage
import Synchronization
import TestSupport

@testable import Ingest

/// A directory of a test's own, removed afterwards.
func withDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let directory = FileManager.default.temporaryDirectory.appending(path: "tiketi-spool-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    return try await body(directory)
}

extension SpoolSettings {
    /// Small segments, so that a test rotates.
    static func small(_ directory: String) -> SpoolSettings {
        var settings = SpoolSettings(directory: directory)
        settings.segmentBytes = 16 << 10
        settings.maxGroupBytes = 4 << 10
        return settings
    }
}

extension Spool {
    convenience init(testing settings: SpoolSettings, logger: Logger = testLogger) throws {
        // The one before may be let go of by its queue just now: it answers before the queue is done with it.
        for _ in 0..<500 {
            guard let lock = try? DiskFile(settings.directory + "/lock", .readWrite), !lock.tryLock() else { break }
            usleep(1000)
        }
        try self.init(
            settings, metrics: SpoolMetrics(Metrics()), logger: logger,
            onFailure: { message in fatalError(message) })
    }

    func append(_ records: BeaconRecords, until durability: Durability = .onDisk) async -> Result<Void, SpoolRefusal> {
        await withCheckedContinuation { continuation in
            append(records, until: durability) { continuation.resume(returning: $0) }
        }
    }
}

extension BeaconRecords {
    /// Beacons whose messageId are the numbers.
    init(numbers: Range<Int>, receivedAt: Int64 = 1_764_514_800_000, padding: Int = 0) {
        self.init()
        for number in numbers {
            var beacon = Beacon(receivedAt: receivedAt, timestamp: receivedAt)
            beacon[.eventType] = "page_view"
            beacon[.artistId] = "artist_\(number % 7)"
            beacon[.messageId] = String(number)
            if padding > 0 { beacon[.path] = String(repeating: "x", count: padding) }
            append(beacon)
        }
    }
}

/// The numbers of all beacons that a reader finds in the spool, in order.
func numbers(in spool: Spool) throws -> [Int] {
    var reader = SpoolReader()
    var numbers: [Int] = []
    while let frame = try reader.next(in: spool.durable) {
        var builder = BeaconBatchBuilder()
        try frame.records.withUnsafeBytes { try builder.append(records: $0) }
        let batch = builder.finish()
        numbers += (0..<batch.count).map { Int(batch[.messageId][$0]!)! }
    }
    return numbers
}
