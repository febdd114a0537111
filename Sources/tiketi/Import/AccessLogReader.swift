import Core
import Crypto
import Ingest

/// Turns the lines of one log into beacons. Pure: no IO and no clock of its own.
///
/// A line whose path yields an artist or an event is a page view where it is a GET answered with 200 or 304. Anything
/// else, an error or a redirect, is no visit to the page, and left out.
struct AccessLogReader {
    /// What `/track` takes too.
    static let maxIdBytes = 128

    struct BadLine: Equatable {
        /// 1 is the first.
        var number: Int
        var reason: String
        /// The line's beginning.
        var text: String
    }

    /// Bad lines kept to be shown; the rest are only counted.
    static let maxBadLinesShown = 5
    static let maxBadLineCharacters = 160

    private(set) var lines = 0
    private(set) var beacons = 0
    private(set) var badLines = 0
    private(set) var firstBadLines: [BadLine] = []

    private var artistPattern: IdPattern
    private var eventPattern: IdPattern?
    private let salt: SymmetricKey
    private let receivedAt: Int64
    private var repeated = RepeatedLines()

    /// - Parameters:
    ///   - salt: makes the same visitor of the same address and agent in every import, and of nothing else.
    ///   - receivedAt: the time of the import, milliseconds since 1970.
    init(artistPattern: IdPattern, eventPattern: IdPattern?, salt: [UInt8], receivedAt: Int64) {
        self.artistPattern = artistPattern
        self.eventPattern = eventPattern
        self.salt = SymmetricKey(data: salt)
        self.receivedAt = receivedAt
    }

    /// The line's beacon; nil where the line is bad, no request, or matches neither pattern.
    mutating func read(_ line: LineSplitter.Line) -> Beacon? {
        lines += 1
        switch line {
        case .tooLong:
            reject("longer than \(LineSplitter.maxLineBytes) bytes", [])
            return nil
        case .line(let bytes):
            if bytes.isEmpty { return nil }
            do throws(AccessLogLine.Malformed) {
                return beacon(of: try AccessLogLine(bytes), bytes)
            } catch {
                reject("\(error)", bytes)
                return nil
            }
        }
    }

    private mutating func beacon(of line: AccessLogLine, _ bytes: UnsafeRawBufferPointer) -> Beacon? {
        guard !line.target.isEmpty else { return nil }
        let path = LogText.decode(UnsafeRawBufferPointer(rebasing: bytes[line.target]))
        let artistId = artistPattern.id(in: path)
        let eventId = eventPattern?.id(in: path)
        guard artistId != nil || eventId != nil else { return nil }
        guard bytes[line.method].elementsEqual("GET".utf8), line.status == 200 || line.status == 304 else { return nil }
        guard artistId?.utf8.count ?? 0 <= Self.maxIdBytes, eventId?.utf8.count ?? 0 <= Self.maxIdBytes else {
            reject("an id longer than \(Self.maxIdBytes) bytes", bytes)
            return nil
        }
        guard line.timestamp <= receivedAt + TrackDecoder.maxAheadMs else {
            reject("a time in the future", bytes)
            return nil
        }
        var beacon = Beacon(receivedAt: receivedAt, timestamp: line.timestamp)
        beacon[.eventType] = "page_view"
        beacon[.artistId] = artistId
        beacon[.eventId] = eventId
        beacon[.path] = path
        beacon[.referrer] = line.referrer.map { LogText.decode(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
        beacon[.userAgent] = line.userAgent.map { LogText.decode(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
        beacon[.visitorId] = visitor(of: line, bytes)
        beacon[.messageId] = messageId(bytes, repeated.occurrence(of: bytes, at: line.timestamp))
        beacons += 1
        return beacon
    }

    private func visitor(of line: AccessLogLine, _ bytes: UnsafeRawBufferPointer) -> String {
        var hash = HMAC<SHA256>(key: salt)
        hash.update(data: UnsafeRawBufferPointer(rebasing: bytes[line.address]))
        hash.update(data: [0x0a])
        if let userAgent = line.userAgent { hash.update(data: UnsafeRawBufferPointer(rebasing: bytes[userAgent])) }
        return Self.firstHalf(of: hash.finalize())
    }

    /// The same for the same line and occurrence in every import, so that each request counts once for ever. Salted:
    /// who knows the rest of a line could else find its address by trying them all.
    private func messageId(_ bytes: UnsafeRawBufferPointer, _ occurrence: UInt32) -> String {
        var hash = HMAC<SHA256>(key: salt)
        hash.update(data: bytes)
        hash.update(data: Array("\n\(occurrence)".utf8))
        return "log-" + Self.firstHalf(of: hash.finalize())
    }

    private static func firstHalf(of code: HMAC<SHA256>.MAC) -> String {
        var digits: [UInt8] = []
        code.withUnsafeBytes { bytes in
            Hexadecimal.append(UnsafeRawBufferPointer(rebasing: bytes.prefix(16)), to: &digits)
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private mutating func reject(_ reason: String, _ bytes: some Sequence<UInt8>) {
        badLines += 1
        guard firstBadLines.count < Self.maxBadLinesShown else { return }
        // Nothing in a file gets to steer the terminal it is shown on.
        let shown = String(
            decoding: bytes.prefix(Self.maxBadLineCharacters).map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
        firstBadLines.append(BadLine(number: lines, reason: reason, text: shown))
    }
}
