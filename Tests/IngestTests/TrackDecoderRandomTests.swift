import Core
import Foundation
import Ingest
import TestSupport
import Testing

/// Random mutations of valid bodies, against Foundation's parser as an independent judge.
@Suite struct TrackDecoderRandomTests {
    @Test func mutatedBodiesAreJudgedAsFoundationJudgesThem() throws {
        let generator = SeededGenerator()
        print(generator)
        let seed = generator.seed
        var bodies = MutatedBodies(generator: generator)
        var valid = 0
        for _ in 0..<10_000 {
            let body = bodies.next()
            let foundation = Self.foundationAccepts(body)
            if foundation { valid += 1 }
            var ours: JSONSyntaxError?
            do {
                try body.withUnsafeBytes { try JSONScanner.check($0) }
            } catch {
                ours = error as? JSONSyntaxError
            }
            guard (ours == nil) != foundation else { continue }
            let isJustified = ours == nil ? Self.foundationIsNarrower(body) : Self.foundationIsWider(body, ours!)
            #expect(
                isJustified,
                "seed \(seed): we say \(ours.map { "\($0)" } ?? "JSON"): \(String(decoding: body, as: UTF8.self))")
        }
        // Or else the test compares refusals with refusals.
        #expect(valid > 1000)
    }

    @Test func everyBeaconOfAMutatedBodyIsAcceptedOrRejected() throws {
        let generator = SeededGenerator()
        print(generator)
        let seed = generator.seed
        var bodies = MutatedBodies(generator: generator)
        var decoder = TrackDecoder()
        var offeredInAll = 0
        for _ in 0..<10_000 {
            let body = bodies.next()
            let outcome: TrackOutcome
            do {
                outcome = try body.withUnsafeBytes { try decoder.decode($0, Decoded.receipt(userAgent: "UA")) }
            } catch {
                #expect(decoder.records.count == 0 && decoder.records.bytes.isEmpty)
                continue
            }
            offeredInAll += outcome.offeredCount
            #expect(outcome.rejectedCount == outcome.rejected.count)
            #expect(outcome.rejectedByField.reduce(0, +) == outcome.rejectedCount)
            var indices = outcome.rejected.map(\.index)
            #expect(indices == indices.sorted() && Set(indices).count == indices.count)
            indices.removeAll { $0 < outcome.offeredCount }
            #expect(indices == [])
            if Self.foundationAccepts(body), let offered = Self.offered(body) {
                #expect(
                    outcome.offeredCount == offered, "seed \(seed): \(String(decoding: body, as: UTF8.self))")
            }
            var builder = BeaconBatchBuilder()
            try decoder.takeRecords().bytes.withUnsafeBytes { try builder.append(records: $0) }
            let batch = builder.finish()
            #expect(batch.count == outcome.acceptedCount)
            for row in 0..<batch.count {
                if let metadata = batch.beacon(at: row)[.metadata] {
                    let bytes = Array(metadata.utf8)
                    #expect(throws: Never.self) { try bytes.withUnsafeBytes { try JSONScanner.check($0) } }
                    #expect(metadata.first == "{" && metadata.utf8.count <= TrackDecoder.maxMetadataBytes)
                    let members = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
                    #expect(members?["ip"] == nil)
                }
            }
        }
        #expect(offeredInAll > 1000)
    }

    private static func foundationAccepts(_ body: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil
    }

    /// How many beacons Foundation sees in the body.
    private static func offered(_ body: [UInt8]) -> Int? {
        switch try? JSONSerialization.jsonObject(with: Data(body)) {
        case let array as [Any]: array.count
        case let object as [String: Any]:
            // What a repeated `batch` means is tested elsewhere.
            object["batch"] == nil ? 1 : nil
        default: nil
        }
    }

    /// We accept where Foundation doesn't: by its numbers' range and by surrogates without a partner, which RFC 8259's
    /// grammar both allows.
    private static func foundationIsNarrower(_ body: [UInt8]) -> Bool {
        let text = String(decoding: body, as: UTF8.self)
        return text.contains(/\\u[dD]|[0-9][eE]|[0-9]{16}/)
    }

    /// Foundation accepts where we don't: nesting beyond our bound, text in UTF-16 or UTF-32, which it detects by zero
    /// bytes, and a comma after the last element or member, which RFC 8259 does not allow.
    private static func foundationIsWider(_ body: [UInt8], _ error: JSONSyntaxError) -> Bool {
        if error.reason == .tooDeep || body.prefix(4).contains(0) { return true }
        guard error.offset < body.count, body[error.offset] == 0x5d || body[error.offset] == 0x7d else { return false }
        return body[..<error.offset].last { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == 0x2c
    }
}
