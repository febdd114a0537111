/// Where and why a text is not JSON.
package struct JSONSyntaxError: Error, Equatable {
    package enum Reason: UInt8, Sendable {
        case badUTF8, unexpectedEnd, unexpectedByte, badEscape, controlCharacter, badNumber, tooDeep
    }

    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }
}

extension JSONSyntaxError: CustomStringConvertible {
    package var description: String {
        let what =
            switch reason {
            case .badUTF8: "not UTF-8"
            case .unexpectedEnd: "unexpected end"
            case .unexpectedByte: "unexpected character"
            case .badEscape: "malformed escape"
            case .controlCharacter: "unescaped control character in a string"
            case .badNumber: "malformed number"
            case .tooDeep: "nested deeper than \(JSONScanner.maxDepth) levels"
            }
        return "\(what) at byte \(offset)"
    }
}
