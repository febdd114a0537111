import Core
import Foundation

/// Writes beacons as DuckDB is to read them: what was sent and when it came, and no more.
struct BeaconFile {
    private let file: FileHandle
    private let texts = HardTexts()

    init(_ url: URL) throws {
        try Data().write(to: url)
        file = try FileHandle(forWritingTo: url)
    }

    func close() throws { try file.close() }

    /// Writes a batch's beacons, and returns the batch that is to be stored.
    ///
    /// - Parameter arrival: the number of the first, and then of the one after the last.
    func write(_ beacons: [HardBeacons.Sent], arrival: inout Int) throws -> BeaconBatch {
        var builder = BeaconBatchBuilder()
        var lines = ""
        for beacon in beacons {
            lines += "{\"arrival\":"
            lines += String(arrival)
            lines += ",\"received\":"
            lines += String(beacon.receivedAt)
            if !beacon.isStamped {
                lines += ",\"claimed\":"
                lines += String(beacon.claimed)
            }
            builder.beginRow(
                receivedAt: beacon.receivedAt, timestamp: beacon.timestamp, claimed: beacon.claimed,
                flags: beacon.isStamped
                    ? (beacon.isAnonymous ? [.stamped, .anonymous] : .stamped) : beacon.isAnonymous ? .anonymous : [])
            func add(_ value: String?, _ name: String, _ text: BeaconBatch.Text) {
                guard var value else { return builder.append(nil, to: text) }
                lines += name
                lines += value
                lines += "\""
                value.withUTF8 { builder.append(UnsafeRawBufferPointer($0), to: text) }
            }
            // As builders take them.
            add(HardTexts.types[Int(beacon.type)], ",\"type\":\"", .eventType)
            add(texts.artist(beacon), ",\"artist\":\"", .artistId)
            add(texts.event(beacon), ",\"event\":\"", .eventId)
            add(texts.visitor(beacon), ",\"visitor\":\"", .visitorId)
            add(texts.session(beacon), ",\"session\":\"", .sessionId)
            add(texts.message(beacon), ",\"message\":\"", .messageId)
            add(texts.client(beacon), ",\"client\":\"", .clientHash)
            for text in [BeaconBatch.Text.path, .referrer, .userAgent, .country, .metadata] {
                builder.append(nil, to: text)
            }
            lines += "}\n"
            arrival += 1
        }
        try file.write(contentsOf: Data(lines.utf8))
        return builder.finish()
    }
}
