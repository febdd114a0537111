import Foundation
import JWTKit

/// Public keys by their key id, each usable with one algorithm only.
package struct VerifyingKeys: Sendable {
    package enum Invalid: Error, Equatable {
        case notAKeySet
        case tooLarge
        /// Not one of its keys can be used.
        case noUsableKey
    }

    /// HS256 would make the public key a secret, `none` anything a token.
    package static let algorithms = ["EdDSA", "ES256"]
    package static let maxKeys = 32

    private let keys: [String: any JWTAlgorithm]
    let verified = VerifiedTokens()

    package init(_ signing: SigningKey...) async throws {
        var keys: [String: any JWTAlgorithm] = [:]
        for key in signing {
            let collection = JWTKeyCollection()
            let kid = JWKIdentifier(string: key.keyID)
            await collection.add(eddsa: key.publicKey, kid: kid)
            keys[key.keyID] = try await collection.getKey(for: kid, alg: "EdDSA")
        }
        self.keys = keys
    }

    /// A JSON Web Key Set (RFC 7517). Keys of a kind that is not accepted are passed over, as are RSA keys of fewer than
    /// 2,048 bits.
    ///
    /// - Parameter algorithms: that keys may be for, of EdDSA, ES256 and RS256.
    package init(keySet json: some Sequence<UInt8>, algorithms: [String] = Self.algorithms) async throws {
        guard let set = try? JSONDecoder().decode(KeySet.self, from: Data(json)) else { throw Invalid.notAKeySet }
        guard set.keys.count <= Self.maxKeys else { throw Invalid.tooLarge }
        var keys: [String: any JWTAlgorithm] = [:]
        for var key in set.keys.compactMap(\.key) {
            guard let kid = key.keyIdentifier, key.privateExponent == nil else { continue }
            if key.algorithm == nil {
                switch (key.keyType.rawValue, key.curve?.rawValue) {
                case (_, "Ed25519"): key.algorithm = .eddsa
                case (_, "P-256"): key.algorithm = .es256
                case ("RSA", nil): key.algorithm = .rs256
                default: continue
                }
            }
            let collection = JWTKeyCollection()
            guard let algorithm = key.algorithm?.rawValue, algorithms.contains(algorithm),
                (try? await collection.add(jwk: key)) != nil,
                let usable = try? await collection.getKey(for: kid, alg: algorithm)
            else { continue }
            keys[kid.string] = usable
        }
        guard !keys.isEmpty else { throw Invalid.noUsableKey }
        self.keys = keys
    }

    /// The ids of the keys.
    package var ids: Set<String> { Set(keys.keys) }

    func key(_ id: String) -> (any JWTAlgorithm)? { keys[id] }

    private struct KeySet: Decodable {
        let keys: [Entry]
    }

    /// A key of an unknown type must not spoil its neighbours.
    private struct Entry: Decodable {
        /// Nil where it is none of ours, or meant for something else than signatures (RFC 7517 §4.2).
        let key: JWK?

        private enum CodingKeys: CodingKey {
            case use
        }

        init(from decoder: any Decoder) {
            let use = try? decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(String.self, forKey: .use)
            key = use ?? "sig" == "sig" ? try? JWK(from: decoder) : nil
        }
    }
}
