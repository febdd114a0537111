import Core
import Foundation
import Storage
import TestSupport
import Testing

@testable import Ingest

/// What is acknowledged is found again after the process is gone, whatever a crash left at the end of the file.
@Suite(.timeLimit(.minutes(5))) struct SpoolTests {
    @Test func whatWasAcknowledgedIsThereAfterAReopen() async throws {
        try await withDirectory { directory in
            var spool: Spool? = try Spool(testing: .small(directory))
            for number in 0..<200 {
                #expect(await spool!.append(BeaconRecords(numbers: (number * 3)..<(number * 3 + 3))).isSuccess)
            }
            #expect(spool!.durable.segments.count > 1, "it rotated")
            spool = nil
            #expect(try numbers(in: Spool(testing: .small(directory))) == Array(0..<600))
        }
    }

    @Test func concurrentAppendersAreAllInTheSpoolOnce() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory))
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        #expect(await spool.append(BeaconRecords(numbers: number..<(number + 1))).isSuccess)
                    }
                }
            }
            #expect(try numbers(in: spool).sorted() == Array(0..<300))
        }
    }

    @Test func aSecondProcessIsRefusedTheSameDirectory() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory))
            #expect(throws: SpoolLog.OpenError.self) { try Spool(testing: .small(directory)) }
            withExtendedLifetime(spool) {}
        }
    }

    /// A crash tears the frame that was being written, at any byte: what came before is there, and the spool goes on.
    @Test func aTornTailIsCutOffAndNothingElse() async throws {
        var random = SeededGenerator()
        print("\(random)")
        for _ in 0..<40 {
            try await withDirectory { directory in
                var spool: Spool? = try Spool(testing: .small(directory))
                for number in 0..<10 { _ = await spool!.append(BeaconRecords(numbers: number..<(number + 1))) }
                let durable = spool!.durable
                let name = durable.segments.last!.name
                spool = nil
                let path = directory + "/" + name
                var bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
                // Part of a frame that was never acknowledged, sometimes with its header only.
                var frame =
                    [UInt8](repeating: 0, count: 16) + (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
                SpoolFrame.seal(&frame, seq: durable.nextSeq)
                let torn = Int.random(in: 1..<frame.count, using: &random)
                bytes.replaceSubrange(durable.endOffset..<(durable.endOffset + torn), with: frame[0..<torn])
                try Data(bytes).write(to: URL(filePath: path))

                let reopened = try Spool(testing: .small(directory))
                #expect(try numbers(in: reopened) == Array(0..<10))
                #expect(reopened.durable.nextSeq == durable.nextSeq)
                _ = await reopened.append(BeaconRecords(numbers: 10..<12))
                #expect(try numbers(in: reopened) == Array(0..<12))
                #expect(
                    try !FileManager.default.contentsOfDirectory(atPath: directory).contains {
                        $0.hasSuffix("quarantined")
                    })
            }
        }
    }

    /// A flipped bit among acknowledged frames is found; the damaged file is kept, the other frames are served, and
    /// what is written next can't be mistaken for frames that were shipped before.
    @Test func damageInTheMiddleIsQuarantinedAndTheRestIsServed() async throws {
        var random = SeededGenerator()
        print("\(random)")
        for _ in 0..<40 {
            try await withDirectory { directory in
                var spool: Spool? = try Spool(testing: .small(directory))
                for number in 0..<30 { _ = await spool!.append(BeaconRecords(numbers: number..<(number + 1))) }
                let before = spool!.durable
                let scan = try SegmentScan(of: before.segments[0])
                spool = nil
                // Not the last frame: without a good one behind it, damage can't be told from a torn write.
                let victim = Int.random(in: 0..<(scan.frames.count - 1), using: &random)
                let frame = scan.frames[victim]
                let path = directory + "/" + before.segments[0].name
                var bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
                let place = Int.random(in: frame.offset..<(frame.offset + frame.bytes), using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try Data(bytes).write(to: URL(filePath: path))

                let reopened = try Spool(testing: .small(directory))
                var left = Array(0..<30)
                left.remove(at: victim)
                #expect(try numbers(in: reopened) == left)
                let files = try FileManager.default.contentsOfDirectory(atPath: directory)
                #expect(files.contains(before.segments[0].name + SpoolLog.quarantineSuffix))
                #expect(reopened.durable.segments.last!.identity != before.segments[0].identity)
                _ = await reopened.append(BeaconRecords(numbers: 30..<31))
                #expect(try numbers(in: reopened) == left + [30])
            }
        }
    }

    @Test func aSegmentWhoseMakingWasInterruptedIsRemoved() async throws {
        try await withDirectory { directory in
            var spool: Spool? = try Spool(testing: .small(directory))
            _ = await spool!.append(BeaconRecords(numbers: 0..<2))
            let next = spool!.durable.nextSeq
            spool = nil
            let unfinished = directory + "/" + SpoolSegment.name(identity: .max, firstSeq: next)
            for bytes in [0, 10, 16 << 10] {
                try Data(count: bytes).write(to: URL(filePath: unfinished))
                #expect(try numbers(in: Spool(testing: .small(directory))) == [0, 1])
                #expect(!FileManager.default.fileExists(atPath: unfinished))
            }
        }
    }

    // MARK: Bounds

    @Test func aFullSpoolRefusesAndTakesAgainOnceSegmentsAreStored() async throws {
        try await withDirectory { directory in
            var settings = SpoolSettings.small(directory)
            settings.maxBytes = 3 * settings.segmentBytes
            let spool = try Spool(testing: settings)
            var number = 0
            var refusal: SpoolRefusal?
            while refusal == nil, number < 1000 {
                if case .failure(let error) = await spool.append(
                    BeaconRecords(numbers: number..<(number + 1), padding: 1000))
                {
                    refusal = error
                } else {
                    number += 1
                }
            }
            #expect(refusal == .full(retryAfterSeconds: 5))
            #expect(!spool.canAccept)
            #expect(try numbers(in: spool) == Array(0..<number), "what was taken is there")
            spool.markStored { _, _ in true }
            #expect(await eventually { spool.canAccept })
            #expect(spool.durable.segments.count == 1)
            #expect(await spool.append(BeaconRecords(numbers: 0..<1)).isSuccess)
        }
    }

    @Test func aRequestLargerThanASegmentIsRefusedAndHarmsNothing() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory))
            let refused = await spool.append(BeaconRecords(numbers: 0..<40, padding: 1000))
            #expect(refused.refusal == .full(retryAfterSeconds: 1))
            #expect(await spool.append(BeaconRecords(numbers: 0..<1)).isSuccess)
        }
    }

    @Test func theQueueAheadOfTheDiskIsBounded() async throws {
        try await withDirectory { directory in
            var settings = SpoolSettings.small(directory)
            settings.maxQueuedBytes = 200
            let spool = try Spool(testing: settings)
            #expect(await spool.append(BeaconRecords(numbers: 0..<10)).refusal == .full(retryAfterSeconds: 1))
            #expect(await spool.append(BeaconRecords(numbers: 0..<1)).isSuccess)
        }
    }

    @Test func waitersForPostgresAreBoundedAndAnswered() async throws {
        try await withDirectory { directory in
            var settings = SpoolSettings.small(directory)
            settings.maxStoredWaiters = 1
            let spool = try Spool(testing: settings)
            async let waiting = spool.append(BeaconRecords(numbers: 0..<1), until: .stored)
            #expect(await eventually { spool.hasStoredWaiters })
            #expect(
                await spool.append(BeaconRecords(numbers: 1..<2), until: .stored).refusal == .full(retryAfterSeconds: 1)
            )
            #expect(await eventually { (try? numbers(in: spool)) == [0] })
            spool.markStored { _, _ in true }
            #expect(await waiting.isSuccess)
            #expect(!spool.hasStoredWaiters)
        }
    }

    @Test func aDrainingSpoolRefusesAndBecomesQuiet() async throws {
        try await withDirectory { directory in
            let spool = try Spool(testing: .small(directory))
            _ = await spool.append(BeaconRecords(numbers: 0..<1))
            spool.beginDraining()
            #expect(await spool.append(BeaconRecords(numbers: 1..<2)).refusal == .draining)
            #expect(await eventually { spool.isQuiet })
            #expect(try numbers(in: spool) == [0])
        }
    }
}

extension SegmentScan {
    init(of segment: SpoolSegment) throws {
        let bytes = try segment.file.read(try segment.file.size(), at: 0)
        self = bytes.withUnsafeBytes { SegmentScan($0, firstSeq: segment.firstSeq) }
    }
}

extension Result<Durability, SpoolRefusal> {
    var isSuccess: Bool { refusal == nil }

    var refusal: SpoolRefusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}

/// Whether `condition` holds within ten seconds.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    for _ in 0..<6000 {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
