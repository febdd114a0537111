import Crypto
import Foundation
import Platform

/// What a browser keeps a session with, in a cookie that scripts can't read: the session's family, and a secret that each
/// use replaces.
struct RefreshToken: Sendable, Equatable {
    static let familyBytes = 16

    let familyId: [UInt8]
    let secret: Secret

    init(familyId: [UInt8], secret: Secret) {
        self.familyId = familyId
        self.secret = secret
    }

    /// Nil for what is no token of ours.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == 64, let bytes = Base64URL.bytes(Array(text.utf8)),
            bytes.count == Self.familyBytes + Secret.byteCount
        else { return nil }
        familyId = Array(bytes.prefix(Self.familyBytes))
        secret = Secret(bytes: Array(bytes.dropFirst(Self.familyBytes)))
    }

    var text: String { Base64URL.text(familyId + secret.bytes) }

    /// The token that takes this one's place: always the same, so that two tabs that refresh at once, or one whose answer
    /// was lost, end up with one token.
    ///
    /// - Parameter key: the family's own.
    func successor(key: [UInt8]) -> RefreshToken {
        let code = HMAC<SHA256>.authenticationCode(for: secret.bytes, using: SymmetricKey(data: key))
        return RefreshToken(familyId: familyId, secret: Secret(bytes: Array(code)))
    }
}
