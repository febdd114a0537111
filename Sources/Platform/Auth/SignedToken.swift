package import Foundation
import JWTKit

/// A JSON Web Token in compact form, taken apart, and not to be believed before `verify`.
package struct SignedToken: Sendable {
    package static let maxBytes = 4096

    package let algorithm: String
    /// Which of the signer's keys: nil where the token doesn't say.
    package let keyID: String?
    /// The claims, as JSON.
    package let payload: Data
    private let signed: [UInt8]
    private let signature: Data

    /// - Parameter algorithms: the only ones that are accepted. The token's own word decides nothing beyond them, and a
    ///   key is used with its own algorithm alone.
    package init(
        _ token: some StringProtocol, algorithms: [String], maxBytes: Int = SignedToken.maxBytes
    ) throws(InvalidToken) {
        guard token.utf8.count <= maxBytes else { throw .malformed }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let headerBytes = Base64URL.bytes(parts[0]),
            let header = try? JSONDecoder().decode(Header.self, from: headerBytes)
        else { throw .malformed }
        guard algorithms.contains(header.alg) else { throw .algorithm }
        // An extension we don't understand must not be passed over (RFC 7515 §4.1.11).
        guard header.crit == nil, let payload = Base64URL.bytes(parts[1]), let signature = Base64URL.bytes(parts[2])
        else { throw .malformed }
        algorithm = header.alg
        keyID = header.kid
        self.payload = payload
        self.signature = signature
        signed = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
    }

    /// The claims, as JSON, of a token that a key of `source` has signed.
    ///
    /// - Throws: `InvalidToken`, or `FetchedKeys.Unavailable`.
    package static func payload(of token: String, _ source: KeySource) async throws -> Data {
        let signed = try SignedToken(token, algorithms: VerifyingKeys.algorithms)
        guard let keyID = signed.keyID else { throw InvalidToken.unknownKey }
        try signed.verify(with: try await source.key(keyID))
        return signed.payload
    }

    /// Checks the signature with the key that the token names.
    package func verify(with keys: VerifyingKeys) throws(InvalidToken) {
        guard let keyID else { throw .unknownKey }
        try verify(with: keys.key(keyID))
    }

    /// Checks it with one of the keys, for a token that names none.
    package func verify(with keys: VerifyingKeys, keyID: String) throws(InvalidToken) {
        try verify(with: keys.key(keyID))
    }

    func verify(with key: (any JWTAlgorithm)?) throws(InvalidToken) {
        guard let key else { throw .unknownKey }
        guard key.name == algorithm else { throw .algorithm }
        guard (try? key.verify(Array(signature), signs: signed)) == true else { throw .signature }
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let crit: [String]?
    }
}
