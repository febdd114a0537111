import Core
import NIOCore

/// Requests to `/track`, made before the clock runs.
struct BeaconBodies {
    /// Bytes of a single beacon's body.
    static let singleBytes = 240
    static let batchCount = 100
    /// Distinct requests; a block of stored beacons has fewer.
    static let singleRequests = 8192
    static let batchRequests = 512

    private var beacons: SyntheticBeacons
    private let instant: Int64

    init(seed: UInt64, instant: Int64) {
        beacons = SyntheticBeacons(seed: seed)
        self.instant = instant
    }

    /// Single beacons, each of `singleBytes`: seven columns and a path that fills up.
    mutating func singles() -> [ByteBuffer] {
        (0..<Self.singleRequests).map { _ in Self.request(single()) }
    }

    mutating func single() -> [UInt8] {
        var beacon = beacons.next(at: instant)
        beacon[.referrer] = nil
        beacon[.country] = nil
        beacon[.eventId] = nil
        beacon[.sessionId] = nil
        let short = Self.json(beacon).count
        beacon[.path]! += String(repeating: "x", count: max(0, Self.singleBytes - short))
        return Self.json(beacon)
    }

    /// Arrays of `batchCount` beacons, and the mean size of a beacon in them.
    mutating func batches() -> (requests: [ByteBuffer], beaconBytes: Int) {
        var bytes = 0
        let requests = (0..<Self.batchRequests).map { _ in
            var body: [UInt8] = [UInt8(ascii: "[")]
            for number in 0..<Self.batchCount {
                if number > 0 { body.append(UInt8(ascii: ",")) }
                body += Self.json(beacons.next(at: instant))
            }
            body.append(UInt8(ascii: "]"))
            bytes += body.count
            return Self.request(body)
        }
        return (requests, bytes / (Self.batchRequests * Self.batchCount))
    }

    private static func request(_ body: [UInt8]) -> ByteBuffer {
        HTTPLoad.request("POST", "/track", headers: [("Content-Type", "text/plain;charset=UTF-8")], body: body)
    }

    /// What a browser's `JSON.stringify` would make of it.
    static func json(_ beacon: Beacon) -> [UInt8] {
        var text = "{\"timestamp\":\"\(Instant.iso8601(beacon.timestamp))\""
        for column in [BeaconBatch.Text.eventType, .artistId, .eventId, .visitorId, .sessionId, .messageId] {
            if let value = beacon[column] { text += ",\"\(column)\":\"\(value)\"" }
        }
        text += ",\"metadata\":{\"path\":\"\(beacon[.path] ?? "")\""
        for column in [BeaconBatch.Text.referrer, .country] {
            if let value = beacon[column] { text += ",\"\(column)\":\"\(value)\"" }
        }
        return Array((text + "}}").utf8)
    }
}
