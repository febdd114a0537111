import Core

/// The text of a logged field.
enum LogText {
    /// Undoes the server's escapes (`\"`, `\\`, `\xhh`, `\t` …) where that yields UTF-8 without control characters.
    /// Elsewhere the text stays as logged: an escaped Latin-1 byte or tab says more than a replacement character.
    static func decode(_ logged: UnsafeRawBufferPointer) -> String {
        guard logged.contains(backslash), let bytes = unescape(logged),
            !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }), let text = String(validating: bytes, as: UTF8.self)
        else { return String(decoding: logged, as: UTF8.self) }
        return text
    }

    private static let backslash = UInt8(ascii: "\\")

    /// Nil where a backslash begins nothing that a server writes.
    private static func unescape(_ logged: UnsafeRawBufferPointer) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(logged.count)
        var position = 0
        while position < logged.count {
            guard logged[position] == backslash else {
                bytes.append(logged[position])
                position += 1
                continue
            }
            guard position + 1 < logged.count else { return nil }
            let escaped = logged[position + 1]
            position += 2
            switch escaped {
            case UInt8(ascii: "\""), backslash: bytes.append(escaped)
            case UInt8(ascii: "x"):
                guard position + 1 < logged.count, let high = Hexadecimal.value(ofDigit: logged[position]),
                    let low = Hexadecimal.value(ofDigit: logged[position + 1])
                else { return nil }
                bytes.append(high << 4 | low)
                position += 2
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "b"): bytes.append(0x08)
            case UInt8(ascii: "v"): bytes.append(0x0b)
            case UInt8(ascii: "f"): bytes.append(0x0c)
            default: return nil
            }
        }
        return bytes
    }
}
