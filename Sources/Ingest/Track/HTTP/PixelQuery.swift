/// The pixel's query as the JSON beacon it stands for, so that one set of rules judges both.
enum PixelQuery {
    private static let metadataFields: Set<String> = ["path", "referrer", "userAgent", "country", "ip"]

    /// A parameter without a value counts as absent: templates leave them empty.
    static func json(_ query: QueryString) throws(TrackRefusal) -> [UInt8] {
        var members: [UInt8] = []
        var metadata: [UInt8] = []
        for (name, value) in query.parameters where !value.isEmpty && name != "wait" {
            if let offset = value.withUnsafeBytes({ JSONText.firstBadUTF8($0) }) {
                throw .notJSON(JSONSyntaxError(offset: offset, reason: .badUTF8))
            }
            if name == "metadata" {
                try append(metadata: value, to: &metadata)
            } else if metadataFields.contains(name) {
                append(name, value, to: &metadata)
            } else if name == "timestamp", isInteger(value) {
                // As a number: in a JSON beacon a string of digits is none.
                if !members.isEmpty { members.append(UInt8(ascii: ",")) }
                members += #""timestamp":"#.utf8
                members += value
            } else {
                append(name, value, to: &members)
            }
        }
        if !metadata.isEmpty {
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            members += #""metadata":{"#.utf8
            members += metadata
            members.append(UInt8(ascii: "}"))
        }
        return [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]
    }

    private static func append(_ name: String, _ value: [UInt8], to members: inout [UInt8]) {
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        JSONText.quote(name.utf8, into: &members)
        members.append(UInt8(ascii: ":"))
        JSONText.quote(value, into: &members)
    }

    /// `metadata` itself may be given as a JSON object.
    private static func append(metadata json: [UInt8], to members: inout [UInt8]) throws(TrackRefusal) {
        do throws(JSONSyntaxError) {
            try JSONScanner.check(json)
        } catch {
            throw .notJSON(error)
        }
        guard let open = json.firstIndex(of: UInt8(ascii: "{")), let close = json.lastIndex(of: UInt8(ascii: "}")),
            json[..<open].allSatisfy(JSONScanner.isWhitespace)
        else { throw .notBeacons }
        let inside = json[(open + 1)..<close]
        guard !inside.allSatisfy(JSONScanner.isWhitespace) else { return }
        if !members.isEmpty { members.append(UInt8(ascii: ",")) }
        members += inside
    }

    private static func isInteger(_ value: [UInt8]) -> Bool {
        let digits = value.first == UInt8(ascii: "-") ? value[1...] : value[...]
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return false }
        return digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}
