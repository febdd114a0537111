import Core
import Storage

/// A block with a right checksum and anything at all in it: refused by name, or a batch that survives another block.
enum FuzzBlock {
    static func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let batch = try? BatchBlock.decode(sealed(bytes)) else { return }
        let again = try BatchBlock.decode(BatchBlock.encode(batch).bytes)
        precondition(again == batch)
        let some = try BatchBlock.decode(sealed(bytes), columns: [.timestamp, .messageId])
        precondition(some.timestamp == batch.timestamp && some[.messageId] == batch[.messageId])
    }

    /// Nobody guesses a checksum: what lies behind it is of interest.
    static func sealed(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let checksum = CRC32C.checksum(bytes)
        return Array(bytes) + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) }
    }
}
