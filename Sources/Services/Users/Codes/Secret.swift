import Crypto
import Foundation
import Platform

/// Random bytes that whoever knows them may do something with. Only their hash is ever stored.
struct Secret: Sendable, Equatable {
    static let byteCount = 32
    /// Of `text`.
    static let textLength = 43

    let bytes: [UInt8]

    static func random() -> Secret { Secret(bytes: randomBytes(byteCount)) }

    /// From the system's source of randomness.
    static func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max) }
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Nil for what is no secret of ours.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.textLength, let bytes = Base64URL.bytes(Array(text.utf8)),
            bytes.count == Self.byteCount, Base64URL.text(bytes) == text
        else { return nil }
        self.bytes = Array(bytes)
    }

    /// base64url
    var text: String { Base64URL.text(bytes) }
    var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }
}
