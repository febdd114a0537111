/// Reads a JSON text byte by byte. What it is given is valid UTF-8.
struct JSONReader {
    struct Malformed: Error {}

    private let text: [UInt8]
    private var index = 0
    private var valuesLeft: Int

    init(_ text: [UInt8], maxValues: Int) {
        self.text = text
        valuesLeft = maxValues
    }

    /// One value and nothing beside it.
    mutating func document() throws(Malformed) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard index == text.count else { throw Malformed() }
        return value
    }

    private var byte: UInt8? { index < text.count ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    /// Takes the byte, behind whatever space there is.
    private mutating func take(_ expected: Character) -> Bool {
        skipSpace()
        guard byte == expected.asciiValue else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ expected: Character) throws(Malformed) {
        guard take(expected) else { throw Malformed() }
    }

    private mutating func value(depth: Int) throws(Malformed) -> JSONValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw Malformed() }
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        let end = index + word.utf8CodeUnitCount
        guard end <= text.count, text[index..<end].elementsEqual(word.description.utf8) else { throw Malformed() }
        index = end
        return value
    }

    private mutating func object(depth: Int) throws(Malformed) -> JSONValue {
        guard depth <= JSONValue.maxDepth else { throw Malformed() }
        index += 1
        var members: [String: JSONValue] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw Malformed() }
            let name = try string()
            try expect(":")
            guard members.updateValue(try value(depth: depth), forKey: name) == nil else { throw Malformed() }
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Malformed) -> JSONValue {
        guard depth <= JSONValue.maxDepth else { throw Malformed() }
        index += 1
        var elements: [JSONValue] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth)) } while take(",")
        try expect("]")
        return .array(elements)
    }

    // MARK: Numbers

    private mutating func digits() throws(Malformed) {
        let start = index
        while let byte, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        guard index > start else { throw Malformed() }
    }

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = index
        if byte == UInt8(ascii: "-") { index += 1 }
        // What follows a zero is no digit of the same number.
        if byte == UInt8(ascii: "0") { index += 1 } else { try digits() }
        var isWhole = true
        if byte == UInt8(ascii: ".") {
            isWhole = false
            index += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isWhole = false
            index += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        let written = String(decoding: text[start..<index], as: UTF8.self)
        if isWhole, let number = Int64(written) { return .integer(number) }
        guard let number = Double(written) else { throw Malformed() }
        // 1.0 and 1e3 are whole, as JSON Schema has it; beyond 2^53 nobody knows what was written.
        if abs(number) <= 0x1p53, let whole = Int64(exactly: number) { return .integer(whole) }
        return .otherNumber(number)
    }

    // MARK: Strings

    private mutating func string() throws(Malformed) -> String {
        index += 1
        let start = index
        while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        if byte == UInt8(ascii: "\"") {
            defer { index += 1 }
            return String(decoding: text[start..<index], as: UTF8.self)
        }
        var bytes = Array(text[start..<index])
        while let byte, byte >= 0x20 {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            default: bytes.append(byte)
            }
        }
        throw Malformed()
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(Malformed) {
        guard let byte else { throw Malformed() }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0c)
        case UInt8(ascii: "n"): bytes.append(0x0a)
        case UInt8(ascii: "r"): bytes.append(0x0d)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var code = UInt32(try hexadecimal())
            if (0xd800..<0xdc00).contains(code) {
                guard self.byte(at: 0) == UInt8(ascii: "\\"), self.byte(at: 1) == UInt8(ascii: "u") else {
                    throw Malformed()
                }
                index += 2
                let low = UInt32(try hexadecimal())
                guard (0xdc00..<0xe000).contains(low) else { throw Malformed() }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            // A surrogate without its other half is no character.
            guard let scalar = Unicode.Scalar(code) else { throw Malformed() }
            bytes.append(contentsOf: UTF8.encode(scalar)!)
        default: throw Malformed()
        }
    }

    private func byte(at offset: Int) -> UInt8? {
        index + offset < text.count ? text[index + offset] : nil
    }

    private mutating func hexadecimal() throws(Malformed) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch byte {
            case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
                digit = byte - UInt8(ascii: "0")
            case let byte? where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte):
                digit = byte - UInt8(ascii: "a") + 10
            case let byte? where (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte):
                digit = byte - UInt8(ascii: "A") + 10
            default: throw Malformed()
            }
            code = code << 4 | UInt16(digit)
            index += 1
        }
        return code
    }
}
