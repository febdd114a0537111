/// Why bytes are not a block.
package enum BlockError: Error, Equatable {
    /// Shorter than any block.
    case truncated(count: Int)
    /// Some bit has changed, or bytes are missing.
    case checksum(stored: UInt32, computed: UInt32)
    /// The first four bytes are not those of a block.
    case notABlock
    /// Written by a newer version, which must read it.
    case unknownVersion(Int16)
    case tooManyRows(Int)
    case malformedDirectory(CodecDefect)
    case malformed(column: BlockColumn, CodecDefect)
}

extension BlockError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncated(let count): "block of \(count) bytes is cut short"
        case .checksum(let stored, let computed): "block's checksum is \(computed), it says \(stored)"
        case .notABlock: "not a block"
        case .unknownVersion(let version):
            "block has schema version \(version), this build reads up to \(BatchBlock.schemaVersion)"
        case .tooManyRows(let rows): "block of \(rows) rows, at most \(BatchBlock.maxRows) are allowed"
        case .malformedDirectory(let defect): "block's directory is malformed: \(defect)"
        case .malformed(let column, let defect): "block's column \(column) is malformed: \(defect)"
        }
    }
}
