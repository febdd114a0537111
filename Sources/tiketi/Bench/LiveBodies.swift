import Core
import NIOCore

/// Requests of a batch of beacons each, whose timestamps are now and whose `messageId`s are new, made in no time: only
/// those bytes of a template change.
struct LiveBodies: RequestSource {
    static let templates = 256

    private struct Template: Sendable {
        var request: [UInt8]
        /// Where each beacon's timestamp and `messageId` begin.
        var timestamps: [Int] = []
        var messageIds: [Int] = []
    }

    private static let timestampBytes = 24
    private let templates: [Template]
    private var next = 0
    private var messages: UInt32 = 0

    init(seed: UInt64) {
        var beacons = SyntheticBeacons(seed: seed)
        templates = (0..<Self.templates).map { _ in
            var template = Template(request: [])
            var body: [UInt8] = [UInt8(ascii: "[")]
            for number in 0..<BeaconBodies.batchCount {
                if number > 0 { body.append(UInt8(ascii: ",")) }
                let json = BeaconBodies.json(beacons.next(at: 0))
                template.timestamps.append(body.count + Self.end(of: "\"timestamp\":\"", in: json))
                template.messageIds.append(body.count + Self.end(of: "\"messageId\":\"", in: json))
                body += json
            }
            body.append(UInt8(ascii: "]"))
            let request = HTTPLoad.request("POST", "/track", headers: [("Content-Type", "text/plain")], body: body)
            let head = request.readableBytes - body.count
            template.request = Array(request.readableBytesView)
            template.timestamps = template.timestamps.map { $0 + head }
            template.messageIds = template.messageIds.map { $0 + head }
            return template
        }
    }

    private static func end(of text: String, in json: [UInt8]) -> Int {
        json.firstRange(of: Array(text.utf8))!.upperBound
    }

    mutating func request(at instant: Int64) -> ByteBuffer {
        let template = templates[next % templates.count]
        next += 1
        let time = Array(Instant.iso8601(instant).utf8)
        var buffer = ByteBuffer(bytes: template.request)
        for (timestamp, messageId) in zip(template.timestamps, template.messageIds) {
            buffer.setBytes(time, at: timestamp)
            messages += 1
            var digits = messages
            for place in 0..<8 {
                let digit = UInt8(truncatingIfNeeded: digits & 15)
                buffer.setInteger(digit < 10 ? digit + 48 : digit + 87, at: messageId + 7 - place)
                digits >>= 4
            }
        }
        return buffer
    }
}
