import Core
import Storage

@testable import Ingest

/// A segment of frames, and then bits that flip anywhere in it: what no flip touched is found, what one did touch is
/// not, and what lies between good frames is called damage.
///
/// The first byte tells how many flips there are, two bytes each the places; the rest are the frames' payloads, each
/// after a byte that tells its length.
enum FuzzSegment {
    private static let maxFlips = 7
    private static let slackBytes = 256

    static func run(_ bytes: UnsafeRawBufferPointer) {
        var input = bytes[...]
        let flipCount = Int(input.popFirst() ?? 0) & maxFlips
        var flips: [Int] = []
        for _ in 0..<flipCount {
            flips.append(Int(input.popFirst() ?? 0) << 8 | Int(input.popFirst() ?? 0))
        }
        var segment = [UInt8](repeating: 0, count: SpoolSegment.headerBytes)
        var written: [SegmentScan.Frame] = []
        while let length = input.popFirst() {
            var frame = [UInt8](repeating: 0, count: SpoolSegment.frameHeaderBytes)
            // Texts hold no control characters: or else one of them could hold a frame.
            frame += input.prefix(Int(length)).map { $0 | 0x20 }
            input = input.dropFirst(Int(length))
            // Shorter ones nobody writes.
            while frame.count < SpoolSegment.frameHeaderBytes + SpoolFrame.payloadHeaderBytes { frame.append(0) }
            let seq = UInt64(written.count + 1)
            SpoolFrame.seal(&frame, seq: seq)
            written.append(SegmentScan.Frame(seq: seq, offset: segment.count, bytes: frame.count))
            segment += frame
        }
        segment += [UInt8](repeating: 0, count: slackBytes)

        var flipped: Set<Int> = []
        // Flipped twice is not flipped.
        let bits = Set(flips.map { $0 % ((segment.count - SpoolSegment.headerBytes) * 8) })
        for bit in bits {
            let place = SpoolSegment.headerBytes + bit / 8
            segment[place] ^= 1 << UInt8(bit % 8)
            flipped.insert(place)
        }
        let scan = segment.withUnsafeBytes { SegmentScan($0, firstSeq: 1) }
        let intact = written.filter { frame in !flipped.contains { (frame.offset..<frame.offset + frame.bytes) ~= $0 } }
        // The checksum finds any three flips within a frame.
        if bits.count <= 3 { precondition(scan.frames == intact) }
        precondition(intact.allSatisfy(scan.frames.contains))
        let last = intact.last.map { $0.offset + $0.bytes } ?? SpoolSegment.headerBytes
        precondition(scan.end >= last)
        if bits.isEmpty { precondition(scan.damagedBytes == 0 && scan.tornEnd == nil) }

        // Records that no checksum vouches for are refused, or read whole.
        var builder = BeaconBatchBuilder()
        do { try builder.append(records: bytes) } catch {}
        let batch = builder.finish()
        precondition(batch.count == batch[.path].rowCount)
    }
}
