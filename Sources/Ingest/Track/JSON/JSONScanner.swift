/// Walks RFC 8259 JSON over bytes in place: it finds where values begin and end, and builds nothing.
///
/// The bytes must be UTF-8 (the caller checks the whole text once, which costs less than checking each string).
/// Strict but for one thing: a `\u` escape of an unpaired surrogate passes, as ECMAScript's own parser lets it;
/// `JSONText` turns it into U+FFFD.
package struct JSONScanner {
    /// How deep one value's arrays and objects may nest. One bit each in a word, so at most 64.
    package static let maxDepth = 64

    let base: UnsafePointer<UInt8>
    let end: Int
    var at: Int

    /// The extent of a string between its quotes.
    struct Text {
        var start: Int
        var end: Int
        var escaped: Bool
    }

    init(base: UnsafePointer<UInt8>, start: Int, end: Int) {
        self.base = base
        self.at = start
        self.end = end
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while at < end, Self.isWhitespace(base[at]) { at &+= 1 }
    }

    @inline(__always)
    static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }

    /// The byte at hand, which must be there.
    @inline(__always)
    func current() throws(JSONSyntaxError) -> UInt8 {
        guard at < end else { throw JSONSyntaxError(offset: end, reason: .unexpectedEnd) }
        return base[at]
    }

    @inline(__always)
    func unexpected() -> JSONSyntaxError {
        JSONSyntaxError(offset: at, reason: at < end ? .unexpectedByte : .unexpectedEnd)
    }

    /// Passes an object's key, its colon and the white space around them.
    @inline(__always)
    mutating func key() throws(JSONSyntaxError) -> Text {
        skipWhitespace()
        guard try current() == UInt8(ascii: "\"") else { throw unexpected() }
        let text = try string()
        skipWhitespace()
        guard try current() == UInt8(ascii: ":") else { throw unexpected() }
        at &+= 1
        skipWhitespace()
        return text
    }

    /// Passes the string whose opening quote is at hand, eight bytes at a time.
    mutating func string() throws(JSONSyntaxError) -> Text {
        let start = at &+ 1
        var position = start
        var escaped = false
        while true {
            while position &+ 8 <= end {
                let word = UnsafeRawPointer(base).loadUnaligned(fromByteOffset: position, as: UInt64.self)
                let hits = Self.specialBytes(UInt64(littleEndian: word))
                guard hits == 0 else {
                    position &+= hits.trailingZeroBitCount >> 3
                    break
                }
                position &+= 8
            }
            guard position < end else { throw JSONSyntaxError(offset: end, reason: .unexpectedEnd) }
            switch base[position] {
            case UInt8(ascii: "\""):
                at = position &+ 1
                return Text(start: start, end: position, escaped: escaped)
            case UInt8(ascii: "\\"):
                escaped = true
                position = try escape(at: position)
            case ..<0x20:
                throw JSONSyntaxError(offset: position, reason: .controlCharacter)
            default:
                position &+= 1
            }
        }
    }

    /// The high bit of the lowest byte that is a quote, a backslash or a control character; garbage above it.
    ///
    /// `(x - 0x01…) & ~x & 0x80…` finds zero bytes; its borrow can only spoil bytes above the first one found.
    @inline(__always)
    static func specialBytes(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        let found =
            ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- (ones &* 0x20)) & ~word)
        return found & (ones &* 0x80)
    }

    /// The position after the escape that begins at `position`.
    private func escape(at position: Int) throws(JSONSyntaxError) -> Int {
        guard position + 1 < end else { throw JSONSyntaxError(offset: end, reason: .unexpectedEnd) }
        switch base[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return position + 2
        case UInt8(ascii: "u"):
            guard position + 6 <= end else { throw JSONSyntaxError(offset: end, reason: .unexpectedEnd) }
            guard JSONText.hexDigits(base + position + 2) != nil else {
                throw JSONSyntaxError(offset: position, reason: .badEscape)
            }
            return position + 6
        default:
            throw JSONSyntaxError(offset: position, reason: .badEscape)
        }
    }

    /// Passes a number; true when it is written as an integer.
    mutating func number() throws(JSONSyntaxError) -> Bool {
        let start = at
        func bad() -> JSONSyntaxError { JSONSyntaxError(offset: start, reason: .badNumber) }
        if base[at] == UInt8(ascii: "-") { at &+= 1 }
        guard at < end else { throw bad() }
        if base[at] == UInt8(ascii: "0") {
            at &+= 1
        } else {
            guard skipDigits() else { throw bad() }
        }
        var isInteger = true
        if at < end, base[at] == UInt8(ascii: ".") {
            at &+= 1
            isInteger = false
            guard skipDigits() else { throw bad() }
        }
        if at < end, base[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            isInteger = false
            if at < end, base[at] == UInt8(ascii: "+") || base[at] == UInt8(ascii: "-") { at &+= 1 }
            guard skipDigits() else { throw bad() }
        }
        return isInteger
    }

    @inline(__always)
    private mutating func skipDigits() -> Bool {
        let start = at
        while at < end, base[at] &- 0x30 <= 9 { at &+= 1 }
        return at > start
    }

    mutating func literal(_ text: StaticString) throws(JSONSyntaxError) {
        let count = text.utf8CodeUnitCount
        guard at &+ count <= end else { throw unexpected() }
        for index in 0..<count where base[at &+ index] != text.utf8Start[index] { throw unexpected() }
        at &+= count
    }

    /// Passes one value of any kind, however it nests, without recursion.
    mutating func skipValue() throws(JSONSyntaxError) {
        // Bit 0 is the innermost container: 1 an object, 0 an array.
        var kinds: UInt64 = 0
        var depth = 0
        while true {
            skipWhitespace()
            var closed = true
            switch try current() {
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "{"):
                guard depth < Self.maxDepth else { throw JSONSyntaxError(offset: at, reason: .tooDeep) }
                at &+= 1
                skipWhitespace()
                if at < end, base[at] == UInt8(ascii: "}") {
                    at &+= 1
                } else {
                    kinds = kinds << 1 | 1
                    depth &+= 1
                    _ = try key()
                    closed = false
                }
            case UInt8(ascii: "["):
                guard depth < Self.maxDepth else { throw JSONSyntaxError(offset: at, reason: .tooDeep) }
                at &+= 1
                skipWhitespace()
                if at < end, base[at] == UInt8(ascii: "]") {
                    at &+= 1
                } else {
                    kinds <<= 1
                    depth &+= 1
                    closed = false
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number()
            case UInt8(ascii: "t"): try literal("true")
            case UInt8(ascii: "f"): try literal("false")
            case UInt8(ascii: "n"): try literal("null")
            default: throw unexpected()
            }
            while closed {
                if depth == 0 { return }
                skipWhitespace()
                let isObject = kinds & 1 == 1
                switch try current() {
                case UInt8(ascii: ","):
                    at &+= 1
                    if isObject { _ = try key() }
                    closed = false
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    at &+= 1
                    kinds >>= 1
                    depth &-= 1
                default: throw unexpected()
                }
            }
        }
    }
}

extension JSONScanner {
    /// Throws unless the bytes are one JSON text.
    package static func check(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
        if let offset = JSONText.firstBadUTF8(bytes) { throw JSONSyntaxError(offset: offset, reason: .badUTF8) }
        guard let address = bytes.baseAddress else { throw JSONSyntaxError(offset: 0, reason: .unexpectedEnd) }
        var scanner = JSONScanner(base: address.assumingMemoryBound(to: UInt8.self), start: 0, end: bytes.count)
        scanner.skipByteOrderMark()
        try scanner.skipValue()
        scanner.skipWhitespace()
        guard scanner.at == scanner.end else { throw scanner.unexpected() }
    }

    package static func check(_ bytes: [UInt8]) throws(JSONSyntaxError) {
        var failure: JSONSyntaxError?
        bytes.withUnsafeBytes { bytes in
            do throws(JSONSyntaxError) { try check(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    mutating func skipByteOrderMark() {
        if end - at >= 3, base[at] == 0xef, base[at + 1] == 0xbb, base[at + 2] == 0xbf { at += 3 }
    }
}
