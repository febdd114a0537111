import Core
import TestSupport
import Testing

@testable import Storage

@Suite struct BatchBlockDamageTests {
    private func error(_ bytes: [UInt8]) -> BlockError? {
        do throws(BlockError) {
            _ = try BatchBlock.decode(bytes)
            return nil
        } catch {
            return error
        }
    }

    /// The same bytes with a checksum that agrees.
    private func resealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = Array(bytes.dropLast(4))
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        return bytes
    }

    @Test func everyFlippedBitIsFound() {
        var random = RandomBatches(seed: 1)
        let bytes = BatchBlock.encode(random.batch(rows: 30)).bytes
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard case .checksum = error(flipped) else {
                Issue.record("bit \(bit) went unnoticed")
                continue
            }
        }
    }

    @Test func everyTruncationIsFound() {
        var random = RandomBatches(seed: 2)
        let bytes = BatchBlock.encode(random.batch(rows: 20)).bytes
        for count in 0..<bytes.count {
            switch error(Array(bytes[..<count])) {
            case .truncated(let found): #expect(found == count && count < 15)
            case .checksum: #expect(count >= 15)
            default: Issue.record("\(count) of \(bytes.count) bytes went unnoticed")
            }
        }
    }

    @Test func aNewerVersionIsNamed() {
        var bytes = BatchBlock.encode(BeaconBatch()).bytes
        bytes[4] = 2
        #expect(error(resealed(bytes)) == .unknownVersion(2))
        #expect(BlockError.unknownVersion(2).description == "block has schema version 2, this build reads up to 1")
    }

    @Test func otherBytesAreNotABlock() {
        #expect(error(resealed([UInt8](repeating: 0, count: 40))) == .notABlock)
        #expect(error([]) == .truncated(count: 0))
    }

    @Test func moreThanTheMostRowsAreRefused() {
        var bytes = BatchBlock.encode(BeaconBatch()).bytes
        bytes.replaceSubrange(6..<10, with: [0x01, 0x00, 0x01, 0x00])
        #expect(error(resealed(bytes)) == .tooManyRows(65_537))
        bytes.replaceSubrange(6..<10, with: [0x00, 0x00, 0x01, 0x00])
        #expect(error(resealed(bytes)) == nil)
    }

    @Test func malformedDirectoriesAreRefused() {
        let header: [UInt8] = [0x54, 0x42, 0x4c, 0x4b, 1, 0, 1, 0, 0, 0]
        func error(_ rest: [UInt8]) -> BlockError? { self.error(resealed(header + rest + [0, 0, 0, 0])) }
        #expect(error([0]) == nil)
        #expect(error([1]) == .malformedDirectory(.truncated))
        #expect(error([0, 7]) == .malformedDirectory(.trailingBytes))
        #expect(error([1, 0, 0, 2, 0]) == .malformedDirectory(.truncated))
        #expect(error([1, 16, 0, 0]) == .malformedDirectory(.outOfRange))
        #expect(error([2, 0, 0, 0, 0, 0, 0]) == .malformedDirectory(.outOfRange))
        #expect(error([1, 0, 0, 0]) == .malformed(column: .receivedAt, .truncated))
        #expect(error([1, 0, 9, 0]) == .malformed(column: .receivedAt, .outOfRange))
        #expect(error([1, 4, 0, 1, 0]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([1, 0, 0x80, 1, 5, 0]) == .malformed(column: .receivedAt, .compression))
    }

    @Test func whatWouldInflateToTooMuchIsRefused() {
        let header: [UInt8] = [0x54, 0x42, 0x4c, 0x4b, 1, 0, 1, 0, 0, 0]
        func error(_ rest: [UInt8]) -> BlockError? { self.error(resealed(header + rest + [0, 0, 0, 0])) }
        // 256 MiB and one byte.
        #expect(error([1, 0, 0x80, 1, 0x81, 0x80, 0x80, 0x80, 0x01, 0]) == .malformed(column: .receivedAt, .tooLarge))
        // 65,536 UUIDs behind a prefix of 65,535 bytes.
        let prefix = [0xff, 0xff, 0x03] + [UInt8](repeating: 0x61, count: 0xffff)
        let values = [0x80, 0x80, 0x04] + prefix + [0x04]
        var varint: [UInt8] = []
        varint.append(varint: values.count)
        #expect(
            error([2, 4 | 0x80, 3] + varint + [4, 0, 1] + values + [0]) == .malformed(column: .eventType, .tooLarge))
        // 65,537 values.
        #expect(error([2, 4 | 0x80, 0, 3, 4, 0, 1, 0x81, 0x80, 0x04, 0]) == .malformed(column: .eventType, .tooLarge))
    }

    @Test func aCodeWithoutAValueIsRefused() {
        let header: [UInt8] = [0x54, 0x42, 0x4c, 0x4b, 1, 0, 2, 0, 0, 0]
        func error(_ codes: [UInt8]) -> BlockError? {
            let values: [UInt8] = [1, 1, 1, 0x41]
            let directory: [UInt8] = [2, 4 | 0x80, 0, UInt8(values.count), 4, codes[0], UInt8(codes.count - 1)]
            return self.error(resealed(header + directory + values + codes.dropFirst() + [0, 0, 0, 0]))
        }
        #expect(error([0, 1, 0b11]) == nil)
        #expect(error([0, 2, 0b1001]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([1, 1, 1, 1, 1, 1]) == nil)
        #expect(error([1, 1, 2, 2, 1, 1]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([1, 1, 1, 1, 2, 2]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([2, 2]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([2, 1, 0b01, 0]) == nil)
        #expect(error([2, 1, 0b101, 0]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([2, 1, 0b00, 0]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([0, 18, 0, 0, 0, 0, 0]) == .malformed(column: .eventType, .outOfRange))
        #expect(error([0, 1, 0b11, 0]) == .malformed(column: .eventType, .trailingBytes))
    }

    @Test func aColumnToldByOneThatMayNotTellItIsRefused() {
        let header: [UInt8] = [0x54, 0x42, 0x4c, 0x4b, 1, 0, 2, 0, 0, 0]
        func error(_ codes: [UInt8]) -> BlockError? {
            // eventId, two rows, one value.
            let values: [UInt8] = [1, 1, 1, 0x41]
            let directory: [UInt8] = [2, 6 | 0x80, 0, UInt8(values.count), 6, 3, UInt8(codes.count)]
            return self.error(resealed(header + directory + values + codes + [0, 0, 0, 0]))
        }
        let artistId = BlockColumn.artistId.rawValue
        #expect(error([artistId, 0b10, 0, 1, 1]) == nil)
        for column: BlockColumn in [.eventId, .path, .receivedAt, .metadata] {
            #expect(error([column.rawValue, 0b10, 0, 1, 1]) == .malformed(column: .eventId, .outOfRange))
        }
        #expect(error([99, 0b10, 0, 1, 1]) == .malformed(column: .eventId, .outOfRange))
        #expect(error([artistId, 0b110, 0, 1, 1]) == .malformed(column: .eventId, .outOfRange))
        #expect(error([artistId, 0b10, 3, 1, 1]) == .malformed(column: .eventId, .outOfRange))
        #expect(error([artistId, 0b10, 0, 2, 2]) == .malformed(column: .eventId, .outOfRange))
        #expect(error([artistId, 0b10, 0, 1, 1, 0]) == .malformed(column: .eventId, .trailingBytes))
        #expect(error([artistId, 0b10, 0, 1]) == .malformed(column: .eventId, .truncated))
    }

    @Test func mutatedBlocksNeverCrash() {
        let seed: UInt64 = 20_000
        var random = RandomBatches(seed: seed)
        let originals = (0..<24).map { index in BatchBlock.encode(random.batch(rows: index < 16 ? 12 : 300)).bytes }
        var generator = SeededGenerator(seed: seed)
        var refused = 0
        for round in 0..<20_000 {
            var bytes = originals[round % originals.count]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                // Half of them in the header and directory, which steer everything else.
                let end = Bool.random(using: &generator) ? min(bytes.count, 120) : bytes.count
                let at = Int.random(in: 0..<end, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes[at] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator)!
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: at)
                }
            }
            if Int.random(in: 0..<8, using: &generator) == 0 {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
            }
            if bytes.count >= 4 { bytes = resealed(bytes) }
            do throws(BlockError) {
                // What is accepted is a batch like any other.
                let batch = try BatchBlock.decode(bytes)
                #expect(batch.texts.allSatisfy { $0.rowCount == batch.count }, "seed \(seed)")
                if batch.count <= 300, round % 16 == 0 {
                    #expect(try BatchBlock.decode(BatchBlock.encode(batch).bytes) == batch, "seed \(seed)")
                }
            } catch {
                refused += 1
            }
        }
        #expect(refused > 5000)
    }
}
