import Core
import Storage

/// The unit of the spool's group commit: `length u32 | crc32c u32 | seq u64 | payload`.
///
/// `length` counts the payload; the checksum covers length, seq and payload. A payload is
/// `beacons u32 | receivedAt i64 | records`, with the receipt of its first beacon in milliseconds since 1970.
enum SpoolFrame {
    static let payloadHeaderBytes = 12
    /// A frame holds one group; one request alone may be larger than a group and gets a frame of its own.
    static let maxPayloadBytes = 48 << 20

    /// Puts the header into the first 16 bytes of `frame`, whose payload is complete.
    static func seal(_ frame: inout [UInt8], seq: UInt64) {
        frame.withUnsafeMutableBytes { bytes in
            let length = UInt32(bytes.count - SpoolSegment.frameHeaderBytes)
            bytes.storeBytes(of: length.littleEndian, toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: seq.littleEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: checksum(UnsafeRawBufferPointer(bytes)).littleEndian, toByteOffset: 4, as: UInt32.self)
        }
    }

    private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt32 {
        let length = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[0..<4]))
        return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: frame[8...]), continuing: length)
    }

    enum Parsed: Equatable {
        /// A whole frame of this many bytes, header included.
        case frame(seq: UInt64, bytes: Int)
        /// Zeros: nothing was written here.
        case end
        case damaged
    }

    /// What lies at the start of `bytes`, which reach to the end of the segment.
    static func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed {
        guard bytes.count >= SpoolSegment.frameHeaderBytes else {
            return bytes.allSatisfy { $0 == 0 } ? .end : .damaged
        }
        let length = Int(bytes.integer(at: 0, as: UInt32.self))
        let total = SpoolSegment.frameHeaderBytes + length
        if length == 0 {
            return bytes.integer(at: 4, as: UInt32.self) == 0 && bytes.integer(at: 8, as: UInt64.self) == 0
                ? .end : .damaged
        }
        guard length >= payloadHeaderBytes, length <= maxPayloadBytes, total <= bytes.count else { return .damaged }
        let frame = UnsafeRawBufferPointer(rebasing: bytes[0..<total])
        guard checksum(frame) == frame.integer(at: 4, as: UInt32.self) else { return .damaged }
        return .frame(seq: frame.integer(at: 8, as: UInt64.self), bytes: total)
    }
}
