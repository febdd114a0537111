import Core

/// Beacons as a browser's request body.
enum TrackBody {
    /// A JSON array, as `/track` takes it.
    static func json(_ beacons: [Beacon]) -> [UInt8] {
        var body: [UInt8] = [UInt8(ascii: "[")]
        body.reserveCapacity(beacons.count * 512)
        for (index, beacon) in beacons.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += "{\"timestamp\":\(beacon.timestamp)".utf8
            member("eventType", beacon[.eventType], &body)
            member("artistId", beacon[.artistId], &body)
            member("eventId", beacon[.eventId], &body)
            member("visitorId", beacon[.visitorId], &body)
            member("sessionId", beacon[.sessionId], &body)
            member("messageId", beacon[.messageId], &body)
            body += ",\"metadata\":{\"demo\":true".utf8
            member("path", beacon[.path], &body)
            member("referrer", beacon[.referrer], &body)
            member("userAgent", beacon[.userAgent], &body)
            member("country", beacon[.country], &body)
            body += "}}".utf8
        }
        body.append(UInt8(ascii: "]"))
        return body
    }

    private static func member(_ name: String, _ value: String?, _ body: inout [UInt8]) {
        guard let value else { return }
        body += ",\"\(name)\":\"".utf8
        for byte in value.utf8 {
            switch byte {
            case 0x22, 0x5c: body += [0x5c, byte]
            case ..<0x20:
                body += "\\u00".utf8
                Hexadecimal.append(byte, to: &body)
            default: body.append(byte)
            }
        }
        body.append(UInt8(ascii: "\""))
    }
}
