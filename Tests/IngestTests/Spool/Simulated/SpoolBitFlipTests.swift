import Storage
import TestSupport
import Testing

@testable import Ingest

/// Every single bit of a segment, flipped: the file is named and kept, every other frame is served as it was written,
/// and where no frame was hit nothing is lost.
@Suite(.timeLimit(.minutes(5))) struct SpoolBitFlipTests {
    private static let segmentBytes = 400
    private static let frameBytes = [28, 60, 45, 100]

    private struct Fixture {
        let disk = SimulatedDisk(seed: 0)
        let directory: SimulatedDirectory
        var log: SpoolLog
        var ledger = SpoolLedger()
        let segment: SpoolSegment

        /// A segment of four frames with zeros behind them.
        init() throws {
            directory = disk.mount()
            log = try SpoolLog(
                directory, segmentBytes: SpoolBitFlipTests.segmentBytes, identify: { _ in 1 }, logger: silentLogger)
            segment = log.segments[0]
            for bytes in SpoolBitFlipTests.frameBytes { try append(bytes) }
        }

        mutating func append(_ bytes: Int) throws {
            var (_, frame) = ledger.offer(
                at: Spool.Position(identity: log.identity, seq: log.nextSeq), bytes: bytes)
            _ = try log.append(&frame)
            try log.synchronize()
        }

        func reopened() throws -> SpoolLog {
            try SpoolLog(
                disk.mount(), segmentBytes: SpoolBitFlipTests.segmentBytes, identify: { _ in 2 }, logger: silentLogger)
        }

        func flip(_ bit: Int) { #expect(disk.flip(bit: bit, of: segment.name)) }

        /// The quarantined file, with the flipped bit in it.
        func isQuarantined(_ bit: Int) -> Bool {
            let name = segment.name + SpoolLog.quarantineSuffix
            guard disk.names.contains(name) else { return false }
            var bytes = disk.bytes(of: name)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            return bytes.withUnsafeBytes { SegmentScan($0, firstSeq: 1) }.frames.count
                == SpoolBitFlipTests.frameBytes.count
        }

        /// The frames of a spool, checked against what was offered.
        func frames(in log: SpoolLog, _ reader: inout SpoolReader) throws -> [Int] {
            var numbers: [Int] = []
            while let frame = try reader.next(in: Spool.Durable(log)) { numbers.append(try ledger.check(frame)) }
            return numbers
        }
    }

    private enum Place: Equatable {
        case header
        case frame(Int, offset: Int)
        /// Behind the last frame.
        case zeros
    }

    private func place(ofBit bit: Int) -> Place {
        var offset = SpoolSegment.headerBytes
        if bit / 8 < offset { return .header }
        for (index, bytes) in Self.frameBytes.enumerated() {
            if bit / 8 < offset + bytes { return .frame(index, offset: offset) }
            offset += bytes
        }
        return .zeros
    }

    private var allFrames: [Int] { Array(Self.frameBytes.indices) }

    /// The last segment, which opening reads. A bit behind the frames is cut off, and one in the last frame with it:
    /// that can't be told from a write that a crash tore.
    @Test func everyBitOfTheLastSegment() throws {
        for bit in 0..<(Self.segmentBytes * 8) {
            let fixture = try Fixture()
            fixture.flip(bit)
            let log = try fixture.reopened()
            var reader = SpoolReader(chunkBytes: 100)
            let found = try fixture.frames(in: log, &reader)
            switch place(ofBit: bit) {
            case .header:
                #expect(found == allFrames && fixture.isQuarantined(bit), "bit \(bit)")
            case .frame(let index, _) where index < Self.frameBytes.count - 1:
                #expect(found == allFrames.filter { $0 != index } && fixture.isQuarantined(bit), "bit \(bit)")
            case .frame(let index, let offset):
                #expect(found == allFrames.filter { $0 != index }, "bit \(bit)")
                #expect(fixture.disk.bytes(of: fixture.segment.name).count == offset, "bit \(bit)")
            case .zeros:
                #expect(found == allFrames && !fixture.isQuarantined(bit), "bit \(bit)")
            }
        }
    }

    /// A segment behind which another was begun, which is read when it is shipped. A bit behind the frames costs nothing:
    /// where the next frame's header would be it is named as damage, and what follows isn't looked at.
    @Test func everyBitOfAnEarlierSegment() throws {
        for bit in 0..<(Self.segmentBytes * 8) {
            var fixture = try Fixture()
            try fixture.append(300)
            #expect(fixture.log.segments.count == 2)
            fixture.flip(bit)
            var reader = SpoolReader(chunkBytes: 100)
            let lost: Int?
            switch place(ofBit: bit) {
            case .header:
                // Found at the next opening, for which the name says what the header said.
                #expect(try fixture.frames(in: fixture.log, &reader) == allFrames + [4], "bit \(bit)")
                let log = try fixture.reopened()
                #expect(fixture.isQuarantined(bit), "bit \(bit)")
                var reader = SpoolReader(chunkBytes: 100)
                #expect(try fixture.frames(in: log, &reader) == allFrames + [4], "bit \(bit)")
                continue
            case .frame(let index, let offset):
                lost = index
                #expect(damage(in: fixture, &reader) == offset, "bit \(bit)")
            case .zeros:
                lost = nil
                let end = SpoolSegment.headerBytes + Self.frameBytes.reduce(0, +)
                guard bit / 8 < end + SpoolSegment.frameHeaderBytes else {
                    #expect(try fixture.frames(in: fixture.log, &reader) == allFrames + [4], "bit \(bit)")
                    continue
                }
                #expect(damage(in: fixture, &reader) == end, "bit \(bit)")
            }
            let frames = try fixture.log.quarantine(fixture.segment, logger: silentLogger)
            #expect(fixture.isQuarantined(bit), "bit \(bit)")
            for number in allFrames {
                #expect(frames.contains(fixture.ledger.offers[number].position) == (number == lost), "bit \(bit)")
            }
            reader.rewind()
            let found = try fixture.frames(in: fixture.log, &reader)
            #expect(found == (allFrames + [4]).filter { $0 != lost }, "bit \(bit)")
        }
    }

    /// Where reading finds the segment damaged.
    private func damage(in fixture: Fixture, _ reader: inout SpoolReader) -> Int? {
        do {
            _ = try fixture.frames(in: fixture.log, &reader)
            return nil
        } catch SpoolReader.ReadError.damaged(let segment, let offset) {
            return segment.name == fixture.segment.name ? offset : nil
        } catch {
            return nil
        }
    }
}
