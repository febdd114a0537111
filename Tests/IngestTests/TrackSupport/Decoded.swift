import Core
import Ingest

/// A body decoded, and its records read back as beacons.
struct Decoded {
    /// 2026-03-01T00:00:00Z
    static let receivedAt: Int64 = 1_772_323_200_000
    static let salt = Array("0123456789abcdef0123456789abcdef".utf8)

    var beacons: [Beacon]
    var rejected: [Rejection]
    var outcome: TrackOutcome

    static func receipt(
        userAgent: String? = nil, isPrivate: Bool = false, limitsAge: Bool = true
    ) -> Receipt {
        Receipt(
            receivedAt: receivedAt, clientAddress: "203.0.113.7", userAgent: userAgent, isPrivate: isPrivate,
            salt: salt, limitsAge: limitsAge)
    }

    init(_ body: String, _ receipt: Receipt = receipt()) throws {
        try self.init(Array(body.utf8), receipt)
    }

    init(_ body: [UInt8], _ receipt: Receipt = receipt()) throws {
        var decoder = TrackDecoder()
        // Twice with one decoder: what the first leaves behind must not show in the second.
        _ = try body.withUnsafeBytes { try decoder.decode($0, receipt) }
        _ = decoder.takeRecords()
        outcome = try body.withUnsafeBytes { try decoder.decode($0, receipt) }
        rejected = outcome.rejected
        var builder = BeaconBatchBuilder()
        try decoder.records.bytes.withUnsafeBytes { try builder.append(records: $0) }
        let batch = builder.finish()
        beacons = (0..<batch.count).map { batch.beacon(at: $0) }
    }

    /// The metadata and columns of a single accepted beacon with this metadata.
    static func beacon(metadata: String, _ receipt: Receipt = receipt()) throws -> Beacon? {
        try Decoded(#"{"eventType":"e","visitorId":"v","metadata":\#(metadata)}"#, receipt).beacons.first
    }
}

func rejection(_ index: Int, _ field: TrackField, _ reason: Rejection.Reason) -> Rejection {
    Rejection(index: index, field: field, reason: reason)
}
