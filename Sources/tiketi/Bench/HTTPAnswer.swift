/// As much of an answer as a load generator must know. Nil until all of it is there.
struct HTTPAnswer {
    var status = 0
    /// Where its body begins.
    var body = 0

    /// - Parameter bytes: one answer with `Content-Length`, in chunks, or to 204.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 12 else { return nil }
        for index in 9..<12 { status = status * 10 + Int(bytes[index] &- 0x30) }
        var line = 12
        var length = 0
        var isChunked = false
        while true {
            while line < bytes.count, bytes[line] != 0x0a { line += 1 }
            line += 1
            guard line < bytes.count else { return nil }
            switch bytes[line] | 0x20 {
            case UInt8(ascii: "\r") | 0x20:
                body = line + 2
                guard
                    isChunked
                        ? bytes.count >= body + 5 && bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8)
                        : bytes.count >= body + length
                else { return nil }
                return
            case UInt8(ascii: "c"):
                if let value = Self.value(of: "content-length:", bytes, line) { length = Self.number(bytes, value) }
            case UInt8(ascii: "t"):
                if Self.value(of: "transfer-encoding:", bytes, line) != nil { isChunked = true }
            default: break
            }
        }
    }

    private static func value(of name: StaticString, _ bytes: UnsafeRawBufferPointer, _ line: Int) -> Int? {
        let count = name.utf8CodeUnitCount
        guard line + count < bytes.count else { return nil }
        for index in 0..<count where bytes[line + index] | 0x20 != name.utf8Start[index] | 0x20 { return nil }
        return line + count
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var position = start
        while position < bytes.count, bytes[position] == 0x20 { position += 1 }
        var value = 0
        while position < bytes.count, bytes[position] &- 0x30 <= 9 {
            value = value * 10 + Int(bytes[position] - 0x30)
            position += 1
        }
        return value
    }
}
