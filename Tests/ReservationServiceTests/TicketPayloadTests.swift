import Foundation
import Platform
import TestSupport
import Testing

@testable import ReservationService

struct TicketPayloadTests {
    private let key = try! TicketKey(seed: Array(0..<32))
    private let payload = TicketPayload(
        ticketId: UUID(uuidString: "11111111-2222-4333-8444-555555555555")!,
        eventId: "concert-2026", seatId: "A-1-1", issue: 1)

    /// The vector of docs/formats.md.
    @Test func itsBytesAreAsDocumented() throws {
        let text = try payload.signed(with: key)
        #expect(TicketPayload(text, key: key) == payload)
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/formats.md")
        #expect(try String(contentsOf: file, encoding: .utf8).contains(text), "\(text)")
    }

    @Test func flippedBitIsRejected() throws {
        let text = try payload.signed(with: key)
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            var other = bytes
            other[index] = other[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            // The last character's low bits are of no byte.
            if index == bytes.count - 1 { continue }
            #expect(TicketPayload(String(decoding: other, as: UTF8.self), key: key) == nil)
        }
        #expect(TicketPayload(text, key: try TicketKey(seed: Array(1...32))) == nil)
        for length in 0..<bytes.count { #expect(TicketPayload(String(text.prefix(length)), key: key) == nil) }
        for other in ["", "=", text + "A", text + "=", text + "\0", String(repeating: "A", count: 10_000), "한글"] {
            #expect(TicketPayload(other, key: key) == nil)
        }
    }

    @Test func whatIsReadIsWhatWasSigned() throws {
        var random = SeededGenerator()
        print("ticket payloads: \(random)")
        for _ in 0..<200 {
            let seat = String(
                (0..<Int.random(in: 1...60, using: &random)).map { _ in "가A1-한 ".randomElement(using: &random)! })
            let one = TicketPayload(
                ticketId: UUID(), eventId: UUID().uuidString.lowercased(), seatId: String(seat.prefix(20)),
                issue: .random(in: 1 ... .max))
            #expect(TicketPayload(try one.signed(with: key), key: key) == one)
        }
    }
}
