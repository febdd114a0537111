import Core
import Storage

@testable import Ingest

/// Whatever a body is: what was accepted is read back as it was counted, within the bounds of its columns, and survives
/// a block; what came before leaves no trace; and what is taken back leaves nothing.
enum FuzzBody {
    /// 2026-03-01T00:00:00Z
    private static let receivedAt: Int64 = 1_772_323_200_000

    static func run(_ bytes: UnsafeRawBufferPointer) throws {
        let receipt = Receipt(
            receivedAt: receivedAt, clientAddress: "203.0.113.7", userAgent: "agent",
            isPrivate: bytes.count % 2 == 1, salt: Array("0123456789abcdef0123456789abcdef".utf8))
        var decoder = TrackDecoder()
        let outcome = try? decoder.decode(bytes, receipt)
        let records = decoder.records
        precondition(outcome == nil || outcome!.acceptedCount == records.count)
        precondition(outcome != nil || records == BeaconRecords())
        let again = try? decoder.decode(bytes, receipt)
        precondition(
            again?.answerBody() == outcome?.answerBody() && decoder.records.bytes == records.bytes + records.bytes)
        decoder.undo()
        precondition(outcome == nil || decoder.records == records)

        var builder = BeaconBatchBuilder()
        try records.bytes.withUnsafeBytes { try builder.append(records: $0) }
        let batch = builder.finish()
        precondition(batch.count == records.count)
        for row in 0..<batch.count {
            precondition(batch.receivedAt[row] == receivedAt)
            precondition(batch.timestamp[row] <= receivedAt)
            precondition(batch.timestamp[row] >= receivedAt - TrackDecoder.maxAgeMs)
            precondition(batch.claimed[row] <= receivedAt + TrackDecoder.maxAheadMs)
            let beacon = batch.beacon(at: row)
            for text in BeaconBatch.Text.allCases {
                guard let value = beacon[text] else { continue }
                precondition(value.utf8.count <= maxBytes(of: text) && !value.isEmpty)
                precondition(value.utf8.allSatisfy { $0 >= 0x20 || text == .metadata })
            }
        }
        let stored = try BatchBlock.decode(BatchBlock.encode(batch).bytes)
        precondition(stored == batch)
    }

    private static func maxBytes(of text: BeaconBatch.Text) -> Int {
        switch text {
        case .eventType: TrackDecoder.maxEventTypeBytes
        case .artistId, .eventId, .visitorId, .sessionId, .messageId, .clientHash: TrackDecoder.maxIdentifierBytes
        case .path, .referrer, .userAgent, .country: TrackDecoder.maxColumnBytes
        case .metadata: TrackDecoder.maxMetadataBytes
        }
    }
}
