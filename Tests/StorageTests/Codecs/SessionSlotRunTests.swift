import Core
import TestSupport
import Testing

@testable import Storage

@Suite struct SessionSlotRunTests {
    private static let slot: Int32 = 980_000

    private func failure(_ bytes: [UInt8], slot: Int32 = Self.slot) -> SealedRun.Failure? {
        do throws(SealedRun.Failure) {
            _ = try SessionSlotRun.decode(bytes, slot: slot)
            return nil
        } catch {
            return error
        }
    }

    private func randomPieces(_ count: Int, _ generator: inout SeededGenerator) -> [SessionPiece] {
        let start = SessionPiece.start(ofSlot: Self.slot)
        var sessions: Set<UInt64> = []
        while sessions.count < count { sessions.insert(generator.next()) }
        return sessions.sorted().map { session in
            let first = start + Int64.random(in: 0..<SessionPiece.gapMs, using: &generator)
            let last = Int64.random(in: first..<start + SessionPiece.gapMs, using: &generator)
            let isLater = Int.random(in: 0..<4, using: &generator) == 0
            let origin = isLater ? start - Int64.random(in: 1...90_000_000_000, using: &generator) : first
            return SessionPiece(session: session, first: first, last: last, origin: origin)
        }
    }

    @Test(arguments: [0, 1, 2, 7, 8, 9, 255, 256, 257, 5000])
    func decodingIsTheInverse(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        let pieces = randomPieces(count, &generator)
        let bytes = SessionSlotRun.encode(sorted: pieces, slot: Self.slot)
        #expect(try SessionSlotRun.decode(bytes, slot: Self.slot) == pieces)
    }

    @Test func theSlotsFirstAndLastMillisecondAreKept() throws {
        let start = SessionPiece.start(ofSlot: Self.slot)
        let pieces = [
            SessionPiece(session: 0, first: start, last: start + SessionPiece.gapMs - 1, origin: start - 1),
            SessionPiece(
                session: .max, first: start + SessionPiece.gapMs - 1, last: start + SessionPiece.gapMs - 1,
                origin: start + SessionPiece.gapMs - 1),
        ]
        #expect(
            try SessionSlotRun.decode(SessionSlotRun.encode(sorted: pieces, slot: Self.slot), slot: Self.slot) == pieces
        )
    }

    @Test func bytesAreThoseOfTheFormat() {
        let start = SessionPiece.start(ofSlot: Self.slot)
        let bytes = SessionSlotRun.encode(
            sorted: [SessionPiece(session: 5, first: start + 3, last: start + 4, origin: start + 1)], slot: Self.slot)
        // version; one session: count, 64 low bits, places; width and bits of 3, of 1; later; width and bits of 2.
        #expect(bytes.dropLast(4) == [1, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0b1, 2, 3, 1, 1, 1, 2, 2])
    }

    @Test func everyFlippedBitIsFound() {
        var generator = SeededGenerator(seed: 1)
        let bytes = SessionSlotRun.encode(sorted: randomPieces(20, &generator), slot: Self.slot)
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            guard case .checksum = failure(flipped) else {
                Issue.record("bit \(bit) went unnoticed")
                continue
            }
        }
    }

    @Test func mutatedRunsNeverCrashAndNeverGiveWhatCanNotBe() {
        var generator = SeededGenerator(seed: 64)
        let originals = [0, 1, 2, 9, 300].map {
            SessionSlotRun.encode(sorted: randomPieces($0, &generator), slot: Self.slot)
        }
        let start = SessionPiece.start(ofSlot: Self.slot)
        for _ in 0..<20_000 {
            var bytes = originals.randomElement(using: &generator)!
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
            if bytes.count >= 4 {
                bytes.removeLast(4)
                bytes.append(littleEndian: CRC32C.checksum(bytes))
            }
            guard let pieces = try? SessionSlotRun.decode(bytes, slot: Self.slot) else { continue }
            for piece in pieces {
                #expect(piece.first >= start && piece.last >= piece.first && piece.origin <= piece.first)
                #expect(piece.last < start + SessionPiece.gapMs)
            }
            #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.session < $1.session })
        }
    }
}
