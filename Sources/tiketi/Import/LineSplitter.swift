/// Cuts chunks of a file into lines. A pure state machine: the same lines come out however the bytes were chunked.
struct LineSplitter {
    /// A longer line is passed over and reported.
    static let maxLineBytes = 65_536

    enum Line {
        /// Without its line break, LF or CR LF.
        case line(UnsafeRawBufferPointer)
        /// More than `maxLineBytes`.
        case tooLong
    }

    /// The beginning of a line whose end is still to come.
    private var rest: [UInt8] = []
    private var isTooLong = false

    /// Hands each line that the chunk completes to `body`, which must not keep it.
    mutating func split(_ chunk: [UInt8], _ body: (Line) throws -> Void) rethrows {
        try chunk.withUnsafeBytes { chunk in
            var start = 0
            while start < chunk.count {
                guard let end = chunk[start...].firstIndex(of: 0x0a) else {
                    keep(chunk[start...])
                    return
                }
                if rest.isEmpty && !isTooLong {
                    try Self.complete(UnsafeRawBufferPointer(rebasing: chunk[start..<end]), body)
                } else {
                    keep(chunk[start..<end])
                    try flush(body)
                }
                start = end + 1
            }
        }
    }

    /// The last line, where no line break ended it.
    mutating func finish(_ body: (Line) throws -> Void) rethrows {
        if isTooLong || !rest.isEmpty { try flush(body) }
    }

    private mutating func keep(_ bytes: Slice<UnsafeRawBufferPointer>) {
        // One more than the bound, for a carriage return.
        if isTooLong || rest.count + bytes.count > Self.maxLineBytes + 1 {
            isTooLong = true
            rest.removeAll(keepingCapacity: true)
        } else {
            rest.append(contentsOf: bytes)
        }
    }

    private mutating func flush(_ body: (Line) throws -> Void) rethrows {
        if isTooLong {
            try body(.tooLong)
        } else {
            try rest.withUnsafeBytes { try Self.complete($0, body) }
        }
        isTooLong = false
        rest.removeAll(keepingCapacity: true)
    }

    private static func complete(_ bytes: UnsafeRawBufferPointer, _ body: (Line) throws -> Void) rethrows {
        let line = bytes.last == 0x0d ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes
        try body(line.count > maxLineBytes ? .tooLong : .line(line))
    }
}
