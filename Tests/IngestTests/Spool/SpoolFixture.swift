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

    func append(
        _ records: BeaconRecords, until durability: Durability = .onDisk
    ) async -> Result<Durability, SpoolRefusal> {
        await withCheckedContinuation { continuation in
            append(records, until: durability) { result in
                if durability == .stored, case .success(.onDisk) = result { return }
                continuation.resume(returning: result)
            }
        }
    }
}

extension BeaconRecords {
    mutating func append(_ beacon: Beacon) {
        let texts = BeaconBatch.Text.allCases.map { beacon[$0].map { Array($0.utf8) } }
        // One byte in front of each, so that an empty text has an address.
        let bytes = texts.reduce(into: [UInt8]()) { $0 += [0] + ($1 ?? []) }
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            let slices = texts.map { text -> UnsafeRawBufferPointer in
                defer { offset += 1 + (text?.count ?? 0) }
                guard let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
                return UnsafeRawBufferPointer(rebasing: bytes[(offset + 1)..<(offset + 1 + text.count)])
            }
            slices.withUnsafeBufferPointer { slices in
                append(
                    receivedAt: beacon.receivedAt, timestamp: beacon.timestamp, claimed: beacon.claimed,
                    flags: beacon.flags, texts: slices)
            }
        }
    }

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

/// The numbers of all beacons in Postgres, by batch.
func storedNumbers(on connection: PostgresConnection) throws -> [Int] {
    try connection.query("SELECT payload FROM analytics_events ORDER BY node, seq").flatMap { row in
        let batch = try row.withBytes(0) { try BatchBlock.decode($0) }
        return (0..<batch.count).map { Int(batch[.messageId][$0]!)! }
    }
}

/// Spoils the bytes at a place of a file.
func damage(_ path: String, at offset: Int, bytes: Int = 3) throws {
    let file = try FileHandle(forUpdating: URL(filePath: path))
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(offset))
    let before = try file.read(upToCount: bytes) ?? Data()
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: Data(before.map { ~$0 }))
}

/// What was logged as critical.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var critical: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "lines") { _ in Handler(lines: self) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.critical
        var metadata = Logger.Metadata()

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.message)") }
        }
    }
}
