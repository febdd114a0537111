/// A server's reply: a code and its lines (RFC 5321 §4.2).
struct SMTPReply: Sendable, Equatable {
    let code: Int
    let lines: [String]

    /// Longer lines, or more of them, are no reply of a server worth talking to.
    static let maxLineBytes = 1000
    static let maxLines = 100
}

/// Puts bytes together to replies.
struct SMTPReplyReader: Sendable {
    struct Malformed: Error, Equatable {}

    private var line: [UInt8] = []
    private var lines: [String] = []

    /// Whether part of a reply has come.
    var isInside: Bool { !line.isEmpty || !lines.isEmpty }

    /// Takes the next byte; a reply where that was its last.
    mutating func take(_ byte: UInt8) throws(Malformed) -> SMTPReply? {
        guard byte == UInt8(ascii: "\n") else {
            line.append(byte)
            guard line.count <= SMTPReply.maxLineBytes else { throw Malformed() }
            return nil
        }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        line = []
        guard text.utf8.count >= 3, let code = Int(text.prefix(3)), (200...599).contains(code),
            lines.count < SMTPReply.maxLines
        else { throw Malformed() }
        let rest = text.dropFirst(3)
        lines.append(String(rest.dropFirst()))
        switch rest.first {
        case "-": return nil
        case " ", nil:
            defer { lines = [] }
            return SMTPReply(code: code, lines: lines)
        default: throw Malformed()
        }
    }
}
