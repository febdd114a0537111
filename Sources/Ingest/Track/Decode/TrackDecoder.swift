/// Turns the body of a `/track` request into beacon records: pure, no IO, no clock.
///
/// One pass over the bytes, nothing in between: each beacon is scanned to extents (`BeaconFields`), checked, and
/// appended to `records`, where those of several requests may come together. Scratch space is kept from one request to
/// the next.
package struct TrackDecoder {
    package static let maxBeaconsPerRequest = 10_000
    package static let maxMetadataBytes = 8192
    package static let maxColumnBytes = 2048
    package static let maxIdentifierBytes = 128
    package static let maxEventTypeBytes = 64
    package static let maxAheadMs: Int64 = 10 * 60_000
    package static let maxAgeMs: Int64 = 400 * 86_400_000

    var json = JSONScanner(base: UnsafePointer(bitPattern: 8)!, start: 0, end: 0)
    var outcome = TrackOutcome()
    /// What was accepted and not taken yet.
    package internal(set) var records = BeaconRecords()
    /// Where the last request's records begin.
    private var start = BeaconRecords.Extent()
    var hasTooMany = false
    /// So that nobody can choose artists that share a place in a table.
    static let artistSeed = UInt64.random(in: .min ... .max)
    var metadataMembers: [BeaconFields.Member] = []
    var unknownMembers: [BeaconFields.Member] = []
    var kept: [UInt8] = []
    var made: [UInt8] = []
    var texts: [BeaconFields.Slot] = []
    var visitorHash = VisitorHash()

    package init() {}

    /// Appends the beacons that are accepted to `records`; none where this throws.
    ///
    /// - Parameter body: read in place, and only during the call.
    package mutating func decode(
        _ body: UnsafeRawBufferPointer, _ receipt: Receipt
    ) throws(TrackRefusal) -> TrackOutcome {
        guard let address = body.baseAddress, body.contains(where: { !JSONScanner.isWhitespace($0) }) else {
            throw .empty
        }
        start = records.extent
        // A record is hardly ever longer than the JSON it comes from.
        records.reserve(more: body.count)
        startOver()
        defer { outcome = TrackOutcome() }
        json = JSONScanner(base: address.assumingMemoryBound(to: UInt8.self), start: 0, end: body.count)
        var isBeacons = true
        do throws(JSONSyntaxError) {
            if let offset = JSONText.firstBadUTF8(body) { throw JSONSyntaxError(offset: offset, reason: .badUTF8) }
            isBeacons = try decodeValues(receipt)
        } catch {
            guard mayBeLines(failedAt: error.offset), decodeLines(receipt) else {
                undo()
                throw .notJSON(error)
            }
        }
        guard isBeacons, !hasTooMany else {
            undo()
            throw isBeacons ? .tooManyBeacons : .notBeacons
        }
        return outcome
    }

    /// Takes back what the last request added to `records`.
    package mutating func undo() {
        records.cut(to: start)
    }

    /// Moves what the last request added to `records` to the end of others.
    mutating func move(to others: inout BeaconRecords) {
        others.append(records, from: start)
        undo()
    }

    package mutating func takeRecords() -> BeaconRecords {
        defer { records = BeaconRecords() }
        return records
    }

    /// Forgets what was decoded of this body.
    mutating func startOver() {
        undo()
        outcome = TrackOutcome()
        hasTooMany = false
    }

    /// Takes the body as one JSON value, or several after one another. False when none is an object or an array.
    private mutating func decodeValues(_ receipt: Receipt) throws(JSONSyntaxError) -> Bool {
        json.skipByteOrderMark()
        json.skipWhitespace()
        if try json.current() == UInt8(ascii: "[") {
            try decodeArray(receipt)
            json.skipWhitespace()
            guard json.at == json.end else { throw json.unexpected() }
            return true
        }
        var hasObject = false
        var isFirst = true
        while json.at < json.end {
            if try json.current() == UInt8(ascii: "{") { hasObject = true }
            try decodeElement(receipt, mayBeBatch: isFirst)
            isFirst = false
            json.skipWhitespace()
        }
        return hasObject
    }

    /// Takes each element of the array at hand as a beacon.
    mutating func decodeArray(_ receipt: Receipt) throws(JSONSyntaxError) {
        json.at += 1
        json.skipWhitespace()
        if try json.current() == UInt8(ascii: "]") {
            json.at += 1
            return
        }
        while true {
            json.skipWhitespace()
            try decodeElement(receipt, mayBeBatch: false)
            json.skipWhitespace()
            switch try json.current() {
            case UInt8(ascii: ","): json.at += 1
            case UInt8(ascii: "]"):
                json.at += 1
                return
            default: throw json.unexpected()
            }
        }
    }

    /// Takes the value at hand as a beacon, or rejects it; throws only where it is not JSON.
    private mutating func decodeElement(_ receipt: Receipt, mayBeBatch: Bool) throws(JSONSyntaxError) {
        guard outcome.offeredCount < Self.maxBeaconsPerRequest else {
            // The rest is still read, since a syntax error would take precedence.
            hasTooMany = true
            try json.skipValue()
            return
        }
        guard try json.current() == UInt8(ascii: "{") else {
            try json.skipValue()
            outcome.reject(.beacon, .notObject)
            return
        }
        let fields = try scanBeacon(receipt, mayBeBatch: mayBeBatch)
        if !fields.isBatch { take(fields, receipt) }
    }
}

// MARK: - Lines

extension TrackDecoder {
    /// Whether a body that is not JSON as a whole may be newline-delimited JSON with malformed lines among its lines.
    ///
    /// It may not when it is an array, or fails inside an array of its first object (`{"batch":[` …): that is one JSON
    /// text with an error in it, even where some of its lines happen to be JSON themselves.
    private func mayBeLines(failedAt offset: Int) -> Bool {
        var scanner = json
        scanner.at = 0
        scanner.skipByteOrderMark()
        scanner.skipWhitespace()
        let start = scanner.at
        guard start < json.end, json.base[start] != UInt8(ascii: "[") else { return false }
        var depth = 0
        var isInArray = false
        var isInString = false
        var position = start
        while position < min(offset, json.end) {
            let byte = json.base[position]
            position += 1
            if isInString {
                if byte == UInt8(ascii: "\\") { position += 1 }
                if byte == UInt8(ascii: "\"") { isInString = false }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 2 { isInArray = byte == UInt8(ascii: "[") }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 1 { isInArray = false }
                // The first value was whole, so the error is in another.
                if depth <= 0 { return true }
            default: break
            }
        }
        return !isInArray
    }

    /// Takes each line by itself: values after one another, or else one rejection. False when no line holds an object.
    private mutating func decodeLines(_ receipt: Receipt) -> Bool {
        startOver()
        let base = json.base
        let end = json.end
        var lineStart = 0
        var hasObject = false
        while lineStart < end {
            var lineEnd = lineStart
            while lineEnd < end, base[lineEnd] != 0x0a { lineEnd += 1 }
            defer { lineStart = lineEnd + 1 }
            json = JSONScanner(base: base, start: lineStart, end: lineEnd)
            if lineStart == 0 { json.skipByteOrderMark() }
            json.skipWhitespace()
            guard json.at < lineEnd else { continue }
            let valueStart = json.at
            guard isWholeLine() else {
                if outcome.offeredCount < Self.maxBeaconsPerRequest {
                    outcome.reject(.beacon, .malformedLine)
                } else {
                    hasTooMany = true
                }
                continue
            }
            json.at = valueStart
            while json.at < lineEnd {
                if base[json.at] == UInt8(ascii: "{") { hasObject = true }
                // The line has been checked, so this throws nothing.
                try? decodeElement(receipt, mayBeBatch: false)
                json.skipWhitespace()
            }
        }
        return hasObject
    }

    /// Whether what is left of the line is JSON values and nothing else.
    private mutating func isWholeLine() -> Bool {
        let line = UnsafeRawBufferPointer(start: json.base + json.at, count: json.end - json.at)
        guard JSONText.firstBadUTF8(line) == nil else { return false }
        do throws(JSONSyntaxError) {
            while json.at < json.end {
                try json.skipValue()
                json.skipWhitespace()
            }
            return true
        } catch {
            return false
        }
    }
}
