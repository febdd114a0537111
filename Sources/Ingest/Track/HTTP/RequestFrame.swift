/// Where a request begins and ends in the bytes of a connection, and whether it is one of the plain ones that nearly
/// all beacons come in: `POST /track` over HTTP/1.1, with a length, uncompressed, no questions asked.
///
/// Strict: of a head that leaves any doubt where its request ends, or that is unusual in any way, it says `.unclear`, and
/// a whole HTTP parser has to judge.
struct RequestFrame: Equatable {
    enum Reading: Equatable {
        /// The head's end isn't there yet.
        case incomplete
        case unclear
        /// A request that is someone else's, or not plain.
        case other(bytes: Int)
        case plain(RequestFrame)
    }

    /// A longer head is `.unclear`.
    static let maxHeadBytes = 8 << 10
    /// A body that is longer makes its request not plain: what is plain is held until it is whole.
    static let maxBodyBytes = 128 << 10
    private static let maxFields = 64

    var headBytes = 0
    var bodyBytes = 0
    var path = ""
    var isPrivate = false
    /// Extents of values within the head.
    var origin: Range<Int>?
    var userAgent: Range<Int>?
    var forwardedFor: [Range<Int>] = []

    var bytes: Int { headBytes + bodyBytes }

    static func read(_ bytes: UnsafeRawBufferPointer) -> Reading {
        var reader = RequestFrameReader(UnsafeRawBufferPointer(rebasing: bytes.prefix(maxHeadBytes)))
        do throws(RequestFrameReader.Stop) {
            return try reader.request(maxFields: maxFields)
        } catch {
            switch error {
            case .incomplete: return bytes.count < maxHeadBytes ? .incomplete : .unclear
            case .unclear: return .unclear
            }
        }
    }
}

/// Reads one head, line by line.
private struct RequestFrameReader {
    enum Stop: Error {
        case incomplete, unclear
    }

    let bytes: UnsafeRawBufferPointer
    var at = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func request(maxFields: Int) throws(Stop) -> RequestFrame.Reading {
        var frame = RequestFrame()
        let path = try requestLine()
        var isPlain = path != nil
        frame.path = path ?? ""
        var length: Int?
        for _ in 0...maxFields {
            let line = try line()
            if line.isEmpty {
                frame.headBytes = at
                frame.bodyBytes = length ?? 0
                if length == nil || frame.bodyBytes > RequestFrame.maxBodyBytes { isPlain = false }
                return isPlain ? .plain(frame) : .other(bytes: frame.bytes)
            }
            let (name, value) = try field(line)
            switch name.count {
            case 3 where self.is(name, "dnt"), 7 where self.is(name, "sec-gpc"):
                if value.count == 1, bytes[value.lowerBound] == UInt8(ascii: "1") { frame.isPrivate = true }
            case 6 where self.is(name, "origin"):
                if frame.origin != nil { isPlain = false }
                frame.origin = value
            case 6 where self.is(name, "expect"): isPlain = false
            case 7 where self.is(name, "upgrade"), 17 where self.is(name, "transfer-encoding"): throw .unclear
            case 10 where self.is(name, "user-agent"):
                if frame.userAgent != nil { isPlain = false }
                frame.userAgent = value
            case 10 where self.is(name, "connection"):
                if !self.is(value, "keep-alive") { isPlain = false }
            case 14 where self.is(name, "content-length"):
                guard length == nil else { throw .unclear }
                length = try number(value)
            case 15 where self.is(name, "x-forwarded-for"): frame.forwardedFor.append(value)
            case 16 where self.is(name, "content-encoding"): isPlain = false
            default: break
            }
        }
        throw .unclear
    }

    /// The path of one that may be plain. Throws where the method may mean more than a head and a body.
    private mutating func requestLine() throws(Stop) -> String? {
        let line = try line()
        if equal(line, "POST /track HTTP/1.1") { return "/track" }
        if equal(line, "POST /api/analytics/track HTTP/1.1") { return "/api/analytics/track" }
        for method in ["POST ", "GET ", "OPTIONS ", "HEAD ", "PUT ", "DELETE ", "PATCH "] as [StaticString]
        where line.count > method.utf8CodeUnitCount
            && equal(line.lowerBound..<(line.lowerBound + method.utf8CodeUnitCount), method)
        {
            let version = line.upperBound - 9
            guard version > line.lowerBound,
                equal(version..<line.upperBound, " HTTP/1.1") || equal(version..<line.upperBound, " HTTP/1.0")
            else { break }
            return nil
        }
        throw .unclear
    }

    /// The next line's extent without its CR LF. A line that is not one is `.unclear`.
    private mutating func line() throws(Stop) -> Range<Int> {
        let start = at
        while at &+ 8 <= bytes.count {
            let hits = Self.controls(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self).littleEndian)
            guard hits == 0 else {
                at &+= hits.trailingZeroBitCount >> 3
                break
            }
            at &+= 8
        }
        while at < bytes.count {
            switch bytes[at] {
            case 0x0d:
                guard at + 1 < bytes.count else { throw .incomplete }
                guard bytes[at + 1] == 0x0a else { throw .unclear }
                at += 2
                return start..<(at - 2)
            case 0x00..<0x20, 0x7f: throw .unclear
            default: at &+= 1
            }
        }
        throw .incomplete
    }

    /// The high bit of the lowest byte that is below 0x20 or 0x7f; garbage above it.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 {
        let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
        let found = ((word &- 0x2020_2020_2020_2020) & ~word) | ((delete &- 0x0101_0101_0101_0101) & ~delete)
        return found & 0x8080_8080_8080_8080
    }

    private func field(_ line: Range<Int>) throws(Stop) -> (name: Range<Int>, value: Range<Int>) {
        var colon = line.lowerBound
        name: while colon < line.upperBound {
            switch bytes[colon] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                colon &+= 1
            default: break name
            }
        }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .unclear
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end, bytes[start] == 0x20 { start &+= 1 }
        while end > start, bytes[end &- 1] == 0x20 { end &-= 1 }
        return (line.lowerBound..<colon, start..<end)
    }

    private func number(_ value: Range<Int>) throws(Stop) -> Int {
        guard (1...15).contains(value.count) else { throw .unclear }
        var number = 0
        for position in value {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .unclear }
            number = number * 10 + Int(digit)
        }
        return number
    }

    private func equal(_ extent: Range<Int>, _ text: StaticString) -> Bool {
        guard extent.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<extent.count where bytes[extent.lowerBound &+ index] != text.utf8Start[index] { return false }
        return true
    }

    /// Whether it is that text, whatever its case. `text` is in lower case.
    private func `is`(_ extent: Range<Int>, _ text: StaticString) -> Bool {
        guard extent.count == text.utf8CodeUnitCount else { return false }
        for index in 0..<extent.count {
            let byte = bytes[extent.lowerBound &+ index]
            let lower = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }
}
