import Core

/// What the scanner's extents turn into: plain text, and JSON without white space.
enum JSONText {
    /// The offset of the first byte that is not UTF-8, nil where all is.
    static func firstBadUTF8(_ bytes: UnsafeRawBufferPointer) -> Int? {
        // Most bodies are ASCII throughout, which eight bytes at a time tell.
        var position = 0
        while position &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { break }
            position &+= 8
        }
        guard position < bytes.count else { return nil }
        let rest = Span<UInt8>(
            _unsafeElements: UnsafeRawBufferPointer(rebasing: bytes[position...]).assumingMemoryBound(to: UInt8.self))
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: rest)
            return nil
        } catch {
            return position + error.byteOffsets.lowerBound
        }
    }

    /// The value of four hex digits.
    static func hexDigits(_ digits: UnsafePointer<UInt8>) -> UInt16? {
        var value: UInt16 = 0
        for index in 0..<4 {
            let byte = digits[index]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - 0x30
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - 0x61 + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - 0x41 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// Appends the text of a scanned string's inside. An unpaired surrogate becomes U+FFFD, as it does when a browser
    /// encodes text.
    static func unescape(_ text: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard let start = text.baseAddress else { return }
        let base = start.assumingMemoryBound(to: UInt8.self)
        var position = 0
        while position < text.count {
            let byte = base[position]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                position += 1
                continue
            }
            position += 2
            switch base[position - 1] {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0c)
            case UInt8(ascii: "n"): output.append(0x0a)
            case UInt8(ascii: "r"): output.append(0x0d)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                let (scalar, length) = scalar(ofEscapeAt: position - 2, in: base, count: text.count)
                UTF8.encode(scalar).map { output.append(contentsOf: $0) }
                position += length - 2
            case let itself: output.append(itself)
            }
        }
    }

    static func unescaped(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        unescape(text, into: &output)
        return output
    }

    /// The scalar that the `\u` escape at `position` stands for, and how many bytes spell it: 6, or 12 for a pair.
    private static func scalar(
        ofEscapeAt position: Int, in base: UnsafePointer<UInt8>, count: Int
    ) -> (Unicode.Scalar, length: Int) {
        let unit = hexDigits(base + position + 2) ?? 0
        if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
        if UTF16.isLeadSurrogate(unit), position + 12 <= count, base[position + 6] == UInt8(ascii: "\\"),
            base[position + 7] == UInt8(ascii: "u"), let next = hexDigits(base + position + 8),
            UTF16.isTrailSurrogate(next)
        {
            return (UTF16.decode(UTF16.EncodedScalar([unit, next])), 12)
        }
        return ("\u{fffd}", 6)
    }

    /// Appends scanned JSON without the white space between its tokens, and with unpaired surrogates as `\ufffd`.
    static func compact(_ json: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard let start = json.baseAddress else { return }
        let base = start.assumingMemoryBound(to: UInt8.self)
        var copied = 0
        var position = 0
        var inString = false
        while position < json.count {
            let byte = base[position]
            if inString {
                if byte == UInt8(ascii: "\\") {
                    guard base[position + 1] == UInt8(ascii: "u") else {
                        position += 2
                        continue
                    }
                    let (scalar, length) = scalar(ofEscapeAt: position, in: base, count: json.count)
                    if scalar == "\u{fffd}" {
                        output.append(contentsOf: json[copied..<position])
                        output.append(contentsOf: "\\ufffd".utf8)
                        copied = position + length
                    }
                    position += length
                    continue
                }
                if byte == UInt8(ascii: "\"") { inString = false }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if JSONScanner.isWhitespace(byte) {
                output.append(contentsOf: json[copied..<position])
                copied = position + 1
            }
            position += 1
        }
        output.append(contentsOf: json[copied...])
    }

    /// Appends text as a JSON string, quotes included. The text must be UTF-8.
    static func quote(_ text: some Sequence<UInt8>, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case ..<0x20:
                output.append(contentsOf: "\\u00".utf8)
                Hexadecimal.append(byte, to: &output)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
