import Crypto
package import Foundation
package import Platform

/// What a ticket's QR code says: which ticket it is, signed, so that a gate can tell a forged one without asking
/// anybody. The bytes are in docs/formats.md.
package struct TicketPayload: Equatable, Sendable {
    package static let maxSeatBytes = 128
    package static let maxEventBytes = 64
    /// A longer text is no payload of ours.
    package static let maxTextBytes = 512
    static let format: UInt8 = 1
    /// So that the key's signature under anything else is worth nothing here.
    static let context = Array("tiketi-ticket\0".utf8)
    private static let signatureBytes = 64

    package var ticketId: UUID
    package var eventId: String
    package var seatId: String
    package var issue: UInt16

    package init(ticketId: UUID, eventId: String, seatId: String, issue: UInt16) {
        self.ticketId = ticketId
        self.eventId = eventId
        self.seatId = seatId
        self.issue = issue
    }

    private var body: [UInt8] {
        var bytes = [Self.format]
        withUnsafeBytes(of: ticketId.uuid) { bytes += $0 }
        bytes += [UInt8(issue >> 8), UInt8(issue & 0xff)]
        for text in [eventId, seatId] {
            bytes.append(UInt8(clamping: text.utf8.count))
            bytes += text.utf8
        }
        return bytes
    }

    /// base64url without padding.
    package func signed(with key: TicketKey) throws -> String {
        let body = body
        let bytes = body + (try key.sign(Self.context + body))
        return Base64URL.text(bytes)
    }

    /// Nil where it is malformed, or not signed by the key.
    package init?(_ text: String, key: TicketKey) {
        guard text.utf8.count <= Self.maxTextBytes, let bytes = Base64URL.bytes(text.utf8).map(Array.init),
            bytes.count > Self.signatureBytes
        else { return nil }
        let body = bytes.dropLast(Self.signatureBytes)
        guard key.isValid(bytes.suffix(Self.signatureBytes), of: Self.context + body), body.count > 19,
            body[0] == Self.format
        else { return nil }
        var rest = body[19...]
        guard let eventId = Self.text(&rest), let seatId = Self.text(&rest), rest.isEmpty else { return nil }
        self.init(
            ticketId: Self.uuid(body[1..<17]), eventId: eventId, seatId: seatId,
            issue: UInt16(body[17]) << 8 | UInt16(body[18]))
    }

    /// One that its length stands before.
    private static func text(_ bytes: inout ArraySlice<UInt8>) -> String? {
        guard let length = bytes.popFirst(), bytes.count >= length else { return nil }
        defer { bytes = bytes.dropFirst(Int(length)) }
        return String(validating: bytes.prefix(Int(length)), as: UTF8.self)
    }

    private static func uuid(_ bytes: ArraySlice<UInt8>) -> UUID {
        var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes) }
        return UUID(uuid: uuid)
    }
}

/// The Ed25519 key that tickets are signed with: setting `TICKET_SIGNING_KEY`.
package struct TicketKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey
    private let publicKey: Curve25519.Signing.PublicKey

    /// - Parameter key: of tickets alone.
    package init(_ key: SigningKey) throws {
        try self.init(seed: Base64URL.bytes(key.seed.utf8).map(Array.init) ?? [])
    }

    /// - Parameter seed: 32 bytes.
    package init(seed: [UInt8]) throws {
        key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        publicKey = key.publicKey
    }

    func sign(_ bytes: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: bytes)) }

    func isValid(_ signature: ArraySlice<UInt8>, of bytes: [UInt8]) -> Bool {
        publicKey.isValidSignature(Data(signature), for: Data(bytes))
    }
}
