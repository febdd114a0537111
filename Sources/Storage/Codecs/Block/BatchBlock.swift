/// A batch as one self-contained block of bytes: columns, each in the shortest of a few encodings and then LZ4 where that
/// helps (docs/formats.md, "Block"). Equal batches give equal bytes.
package enum BatchBlock {
    package static let schemaVersion: Int16 = 1
    package static let maxRows = 65_536
    /// What a batch's texts may come to, each distinct value once, and what a block may inflate to.
    package static let maxRawBytes = 256 * 1024 * 1024

    static let magic: UInt32 = 0x4b4c_4254  // "TBLK"
    static let headerBytes = 4 + 2 + 4 + 1
    static let checksumBytes = 4
    /// A part whose column is a text: set where it is the dictionary, clear where it is the rows' codes.
    static let valuesBit: UInt8 = 0x80
    /// Set in a part's encoding where its bytes are an LZ4 block.
    static let compressedBit: UInt8 = 0x80
    /// Parts shorter than this are not worth the attempt.
    static let minCompressedBytes = 64
}
