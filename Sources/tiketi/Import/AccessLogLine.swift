import Core

/// One line of a web server's log in the combined format, as places in its bytes:
/// `address ident user [17/May/2015:10:05:03 +0000] "GET /path HTTP/1.1" 200 123 "referrer" "agent"`.
///
/// Referrer and agent may be missing (the common format), and more may follow the agent. A user may contain spaces.
struct AccessLogLine: Equatable {
    enum Malformed: Error, Equatable {
        case controlCharacter
        case noAddress
        case noTime
        case noRequest
        case noStatus
        case noSize
        case noReferrer
        case noUserAgent
    }

    var address: Range<Int>
    /// Milliseconds since 1970.
    var timestamp: Int64
    /// Empty, like `target`, where what was asked is no HTTP request line, as for a TLS greeting to a plain port.
    var method: Range<Int>
    /// The path with its query, escaped and percent-encoded as logged.
    var target: Range<Int>
    var status: Int
    /// As logged, escapes and all; nil where it is `-` or left out.
    var referrer: Range<Int>?
    var userAgent: Range<Int>?

    /// - Parameter line: without its line break.
    init(_ line: UnsafeRawBufferPointer) throws(Malformed) {
        guard !line.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { throw .controlCharacter }
        guard let space = line.firstIndex(of: Self.space), space > 0 else { throw .noAddress }
        address = 0..<space
        guard let (time, afterTime) = Self.time(in: line, from: space) else { throw .noTime }
        timestamp = time
        var position = afterTime
        guard let request = Self.quoted(line, &position) else { throw .noRequest }
        (method, target) = Self.split(request, of: line)
        guard let status = Self.number(line, &position), (100...999).contains(status) else { throw .noStatus }
        self.status = status
        guard Self.size(line, &position) else { throw .noSize }
        guard position < line.count else { return }
        guard let referrer = Self.quoted(line, &position) else { throw .noReferrer }
        self.referrer = Self.unlessDash(referrer, of: line)
        guard let userAgent = Self.quoted(line, &position) else { throw .noUserAgent }
        self.userAgent = Self.unlessDash(userAgent, of: line)
    }

    private static let space = UInt8(ascii: " ")
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let dash = UInt8(ascii: "-")

    /// The first well-formed time in brackets at or after `start`, and where the line goes on behind it.
    private static func time(in line: UnsafeRawBufferPointer, from start: Int) -> (Int64, Int)? {
        var position = start
        // ` [` and 26 bytes of time and `]`.
        while position + 29 <= line.count {
            if line[position] == space, line[position + 1] == UInt8(ascii: "["),
                line[position + 28] == UInt8(ascii: "]"),
                let time = AccessLogTime.parse(UnsafeRawBufferPointer(rebasing: line[(position + 2)..<(position + 28)]))
            {
                return (time, position + 29)
            }
            position += 1
        }
        return nil
    }

    /// The text of ` "…"`: `\"` does not end it, nor does a quote in mid-word, which old servers left unescaped.
    private static func quoted(_ line: UnsafeRawBufferPointer, _ position: inout Int) -> Range<Int>? {
        guard position + 1 < line.count, line[position] == space, line[position + 1] == quote else { return nil }
        let start = position + 2
        var end = start
        while end < line.count {
            if line[end] == backslash {
                end += 2
            } else if line[end] == quote, end + 1 == line.count || line[end + 1] == space {
                position = end + 1
                return start..<end
            } else {
                end += 1
            }
        }
        return nil
    }

    /// ` 200`
    private static func number(_ line: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        guard position + 3 < line.count, line[position] == space else { return nil }
        var value = 0
        for offset in 1...3 {
            let digit = line[position + offset] &- 0x30
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        position += 4
        return value
    }

    /// ` 123` or ` -`, up to a space or the end.
    private static func size(_ line: UnsafeRawBufferPointer, _ position: inout Int) -> Bool {
        guard position + 1 < line.count, line[position] == space else { return false }
        var end = position + 1
        if line[end] == dash {
            end += 1
        } else {
            while end < line.count, line[end] &- 0x30 <= 9 { end += 1 }
            guard end > position + 1 else { return false }
        }
        guard end == line.count || line[end] == space else { return false }
        position = end
        return true
    }

    /// Method and target of `GET /path HTTP/1.1`. A target may hold spaces of its own, and HTTP/0.9 has no version.
    private static func split(_ request: Range<Int>, of line: UnsafeRawBufferPointer) -> (Range<Int>, Range<Int>) {
        let none = request.lowerBound..<request.lowerBound
        guard let afterMethod = line[request].firstIndex(of: space), afterMethod > request.lowerBound else {
            return (none, none)
        }
        var end = request.upperBound
        if let last = line[request].lastIndex(of: space), last > afterMethod,
            line[(last + 1)..<end].starts(with: "HTTP/".utf8)
        {
            end = last
        }
        return (request.lowerBound..<afterMethod, (afterMethod + 1)..<end)
    }

    private static func unlessDash(_ range: Range<Int>, of line: UnsafeRawBufferPointer) -> Range<Int>? {
        range.isEmpty || range.count == 1 && line[range.lowerBound] == dash ? nil : range
    }
}

extension AccessLogLine.Malformed: CustomStringConvertible {
    var description: String {
        switch self {
        case .controlCharacter: "a control character"
        case .noAddress: "no client address"
        case .noTime: "no time such as [17/May/2015:10:05:03 +0000]"
        case .noRequest: "no request in quotes after the time"
        case .noStatus: "no status after the request"
        case .noSize: "no size after the status"
        case .noReferrer: "no referrer in quotes after the size"
        case .noUserAgent: "no user agent in quotes after the referrer"
        }
    }
}
