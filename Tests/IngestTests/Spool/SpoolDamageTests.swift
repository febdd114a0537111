import Core
import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import Ingest

/// Damage costs what it hit, and who waited for that hears of it.
@Suite(.timeLimit(.minutes(5))) struct SpoolDamageTests {
    static let now: Int64 = 1_764_514_800_000

    /// A spool of gigabytes opens as fast as an empty one: its earlier segments are read when they are shipped.
    @Test func openingReadsTheLastSegmentOnly() async throws {
        try await withDirectory { directory in
            let segments = try await filled(directory)
            let frame = try SegmentScan(of: segments[0]).frames[1]
            try damage(directory + "/" + segments[0].name, at: frame.offset + 20)
            let spool = try Spool(testing: .small(directory), logger: silentLogger)
            #expect(try quarantined(directory).isEmpty)
            #expect(throws: SpoolReader.ReadError.self) { try numbers(in: spool) }
            try await spool.quarantine(spool.durable.segments[0])
            #expect(try quarantined(directory) == [segments[0].name + SpoolLog.quarantineSuffix])
            #expect(try numbers(in: spool) == Array(0..<600).filter { $0 != 1 })
        }
    }

    /// The name says what a damaged header said: frames that are stored don't come again under another one.
    @Test(arguments: [0, 1, -1])
    func aDamagedHeaderCountsNothingTwice(segment: Int) async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                var spool: Spool? = try Spool(testing: .small(directory))
                let shipper = Shipper(
                    spool: spool!, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { Self.now + 60_000 }, logger: testLogger)
                for number in 0..<600 { _ = await spool!.append(BeaconRecords(numbers: number..<(number + 1))) }
                let before = spool!.durable.segments
                let segment = before[(segment + before.count) % before.count]
                // Stored, and then killed before the segments go.
                let copy = directory + "-copy"
                defer { try? FileManager.default.removeItem(atPath: copy) }
                try FileManager.default.copyItem(atPath: directory, toPath: copy)
                let shipping = Task { await shipper.run() }
                #expect(await eventually { (try? await beacons(pool)) == 600 })
                // Their removal is under way, and must not meet the copies.
                #expect(await eventually { spool!.durable.segments.count == 1 })
                shipping.cancel()
                await shipping.value
                // It removes by name: not those of the copy.
                let emptied = spool!
                #expect(await eventually { emptied.durable.segments.count == 1 })
                spool = nil
                try FileManager.default.removeItem(atPath: directory)
                try FileManager.default.moveItem(atPath: copy, toPath: directory)

                try damage(directory + "/" + segment.name, at: 9)
                spool = try Spool(testing: .small(directory), logger: silentLogger)
                #expect(await spool!.append(BeaconRecords(numbers: 600..<601)).isSuccess)
                #expect(try numbers(in: spool!) == Array(0..<601))
                let next = Shipper(
                    spool: spool!, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { Self.now + 60_000 }, logger: silentLogger)
                spool!.beginDraining()
                next.beginDraining()
                await next.run()
                #expect(try await beacons(pool) == 601)
            }
        }
    }

    /// Who waits for a frame that damage took isn't told that it is stored, and holds up nobody.
    @Test(arguments: [2, 4])
    func whoWaitsForADamagedFrameIsTold(victim: Int) async throws {
        try await withDirectory { directory in
            try await withAnalyticsDatabase { _, pool in
                let spool = try Spool(testing: .small(directory), logger: silentLogger)
                var waiting: [Task<Result<Durability, SpoolRefusal>, Never>] = []
                for number in 0..<5 {
                    waiting.append(
                        Task { await spool.append(BeaconRecords(numbers: number..<(number + 1)), until: .stored) })
                    // Each in a frame of its own.
                    #expect(await eventually { (try? numbers(in: spool).count) == number + 1 })
                }
                let segment = spool.durable.segments[0]
                let frame = try SegmentScan(of: segment).frames[victim]
                try damage(directory + "/" + segment.name, at: frame.offset + 20)
                let shipper = Shipper(
                    spool: spool, nodeId: "node", pool: pool, counters: nil, metrics: ShipMetrics(Metrics()),
                    clock: { Self.now + 60_000 }, logger: silentLogger)
                let shipping = Task { await shipper.run() }
                for number in 0..<5 {
                    let result = await waiting[number].value
                    if number == victim {
                        #expect(result.refusal == .failed("the spool's disk has damaged what was taken"))
                    } else {
                        #expect(result.isSuccess)
                    }
                }
                #expect(!spool.hasStoredWaiters)
                #expect(await spool.append(BeaconRecords(numbers: 5..<6), until: .stored).isSuccess)
                #expect(try await beacons(pool) == 5)
                shipping.cancel()
                await shipping.value
            }
        }
    }

    /// Zeros in the place of frames that were taken, which look like the end.
    @Test func zerosAreDamageToo() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory), logger: silentLogger)
            for number in 0..<5 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
            let segment = spool.durable.segments[0]
            let frame = try SegmentScan(of: segment).frames[2]
            try segment.file.write([UInt8](repeating: 0, count: frame.bytes), at: frame.offset)
            #expect(throws: SpoolReader.ReadError.self) { try numbers(in: spool) }
            try await spool.quarantine(segment)
            #expect(try numbers(in: spool) == [0, 1, 3, 4])
        }
    }

    /// The same where another segment follows: its name says that frames are missing.
    @Test func zerosWithinAFullSegmentAreDamageToo() async throws {
        try await withDirectory { directory in
            let segments = try await filled(directory)
            let frames = try SegmentScan(of: segments[0]).frames
            try segments[0].file.write([UInt8](repeating: 0, count: frames[1].bytes), at: frames[1].offset)
            // Where the end is missing, too, the good frames are all there is.
            let last = try SegmentScan(of: segments[1]).frames.last!
            try segments[1].file.write([UInt8](repeating: 0, count: last.bytes), at: last.offset)
            let lost = [1, frames.count + (try SegmentScan(of: segments[1]).frames.count)]
            let spool = try Spool(testing: .small(directory), logger: silentLogger)
            for segment in 0..<2 {
                #expect(throws: SpoolReader.ReadError.self) { try numbers(in: spool) }
                try await spool.quarantine(spool.durable.segments[segment])
            }
            #expect(try numbers(in: spool) == Array(0..<600).filter { !lost.contains($0) })
        }
    }

    @Test func aFileWhoseNameIsNoSegmentsIsLeftAlone() async throws {
        try await withDirectory { directory in
            let segments = try await filled(directory)
            let names = ["00000000000000000001.seg", "1-2-3.seg", "x-0000000000000001.seg", "1-x.seg"]
            for name in names {
                try FileManager.default.copyItem(
                    atPath: directory + "/" + segments[0].name, toPath: directory + "/" + name)
            }
            let lines = LogLines()
            let spool = try Spool(testing: .small(directory), logger: lines.logger)
            #expect(lines.critical.count == names.count)
            #expect(try numbers(in: spool) == Array(0..<600))
            let present = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(Set(present).isSuperset(of: names))
            #expect(try quarantined(directory).isEmpty)
        }
    }

    @Test func aSegmentDamagedTwiceKeepsBothOriginals() async throws {
        try await withDirectory { directory in
            let segments = try await filled(directory)
            let spool = try Spool(testing: .small(directory), logger: silentLogger)
            let path = directory + "/" + segments[0].name
            for _ in 0..<3 {
                let segment = spool.durable.segments[0]
                try damage(path, at: try SegmentScan(of: segment).frames[1].offset + 20)
                try await spool.quarantine(segment)
            }
            let name = segments[0].name + SpoolLog.quarantineSuffix
            #expect(try quarantined(directory) == [name, name + ".2", name + ".3"])
            #expect(try numbers(in: spool) == [0] + Array(4..<600))
        }
    }

    // MARK: Removing

    @Test func aSegmentThatIsGoneAlreadyCountsAsRemoved() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory))
            for number in 0..<600 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
            try FileManager.default.removeItem(atPath: directory + "/" + spool.durable.segments[0].name)
            spool.markStored { _, _ in true }
            #expect(await eventually { spool.durable.segments.count == 1 })
        }
    }

    @Test func aSegmentThatCannotBeRemovedKeepsNoOther() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory), logger: silentLogger)
            for number in 0..<600 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
            let segments = spool.durable.segments
            #expect(segments.count > 3)
            // A directory can't be unlinked.
            let path = directory + "/" + segments[1].name
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            spool.markStored { _, _ in true }
            #expect(await eventually { spool.durable.segments.count == 2 })
            try FileManager.default.removeItem(atPath: path)
            spool.markStored { _, _ in true }
            #expect(await eventually { spool.durable.segments.count == 1 })
        }
    }

    // MARK: Fixture

    /// 600 frames of one beacon in several segments, closed again.
    private func filled(_ directory: String) async throws -> [SpoolSegment] {
        let spool = try Spool(testing: .small(directory))
        for number in 0..<600 { _ = await spool.append(BeaconRecords(numbers: number..<(number + 1))) }
        let segments = spool.durable.segments
        #expect(segments.count > 2)
        return segments
    }

    private func quarantined(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory)
            .filter { $0.contains(SpoolLog.quarantineSuffix) }.sorted()
    }

    private func beacons(_ pool: PostgresPool) async throws -> Int64 {
        try await pool.count("SELECT coalesce(sum(beacons), 0)::bigint FROM analytics_events")
    }
}
