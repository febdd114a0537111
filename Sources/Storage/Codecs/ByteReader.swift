/// Reads forward over borrowed bytes and never past their end.
@safe struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// The bytes must outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = unsafe bytes
    }

    var remaining: Int { unsafe bytes.count - offset }

    mutating func byte() throws(CodecDefect) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { offset += 1 }
        return unsafe bytes[offset]
    }

    mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self
    ) throws(CodecDefect) -> Value {
        guard remaining >= MemoryLayout<Value>.size else { throw .truncated }
        defer { offset += MemoryLayout<Value>.size }
        return unsafe Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// LEB128, below 2³⁵.
    mutating func varint() throws(CodecDefect) -> Int {
        var value = 0
        for shift in stride(from: 0, to: 35, by: 7) {
            let byte = try byte()
            value |= Int(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .outOfRange
    }

    /// The next `count` bytes: valid as long as the reader's own are.
    mutating func take(_ count: Int) throws(CodecDefect) -> UnsafeRawBufferPointer {
        guard count >= 0, remaining >= count else { throw .truncated }
        defer { offset += count }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    func finish() throws(CodecDefect) {
        guard remaining == 0 else { throw .trailingBytes }
    }
}
