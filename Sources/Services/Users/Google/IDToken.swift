import Foundation
import Platform

/// What Google says of a person, once all of it was checked.
struct GoogleIdentity: Sendable, Equatable {
    /// Google's own id of the person: the only one that stays.
    var subject: String
    /// Only where Google vouches for it.
    var verifiedEmail: String?
    /// Whether Google knows whose that address is today, as it does of its own and of its customers' domains. Of others it
    /// knows that it was the person's once.
    var isAuthoritative = false
    var name: String?
}

/// The claims of an id token (OpenID Connect Core §2).
struct IDToken: Decodable {
    /// HS256 would make the client's secret a key to sign with, `none` anything a token.
    static let algorithms = ["RS256", "ES256"]
    static let maxBytes = 16 * 1024
    /// How far clocks may be apart.
    static let leewaySeconds: Int64 = 60

    /// Why it is not accepted.
    enum Defect: Error, Equatable {
        case signature(InvalidToken)
        case claims
        case issuer
        case audience
        case authorizedParty
        case expired
        case issuedInFuture
        case nonce
        case subject
    }

    private let iss: String
    private let aud: Audience
    private let azp: String?
    private let sub: String
    private let exp: Double
    private let iat: Double
    private let nbf: Double?
    private let nonce: String?
    private let email: String?
    private let email_verified: Flag?
    /// The domain whose mail Google keeps for a customer, and which the person belongs to.
    private let hd: String?
    private let name: String?

    /// Checks the signature.
    init(_ token: SignedToken, keys: VerifyingKeys) throws(Defect) {
        do {
            if token.keyID == nil, let only = keys.ids.first, keys.ids.count == 1 {
                try token.verify(with: keys, keyID: only)
            } else {
                try token.verify(with: keys)
            }
        } catch {
            throw .signature(error)
        }
        guard let claims = try? JSONDecoder().decode(IDToken.self, from: token.payload) else { throw .claims }
        self = claims
    }

    /// Checks the claims.
    ///
    /// - Parameters:
    ///   - nonce: what we gave the browser, or Google, for this one sign-in.
    ///   - now: seconds since 1970.
    func identity(_ settings: GoogleSettings, nonce: String, now: Int64) throws(Defect) -> GoogleIdentity {
        guard settings.issuers.contains(iss) else { throw .issuer }
        guard aud.values.contains(settings.clientId) else { throw .audience }
        // Core §3.1.3.7, 4 and 5.
        if aud.values.count > 1, azp == nil { throw .authorizedParty }
        if let azp, azp != settings.clientId { throw .authorizedParty }
        guard Double(now - Self.leewaySeconds) < exp else { throw .expired }
        guard iat <= Double(now + Self.leewaySeconds), nbf ?? 0 <= Double(now + Self.leewaySeconds) else {
            throw .issuedInFuture
        }
        guard self.nonce == nonce else { throw .nonce }
        guard (1...255).contains(sub.utf8.count), sub.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else {
            throw .subject
        }
        let verified = email_verified?.isTrue == true ? email : nil
        return GoogleIdentity(
            subject: sub, verifiedEmail: verified,
            isAuthoritative: verified.map { Self.isAuthoritative(of: $0, hostedDomain: hd) } ?? false, name: name)
    }

    /// Google's own rule for an address that it has verified ("Authenticate with a backend server"): it ends in
    /// `@gmail.com`, or the account is of a domain that Google hosts. We take that domain's own addresses only: a person of it
    /// may have verified one elsewhere.
    static func isAuthoritative(of email: String, hostedDomain: String?) -> Bool {
        let parts = email.lowercased().split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { return false }
        return parts[1] == "gmail.com" || parts[1] == hostedDomain?.lowercased() ?? ""
    }

    private struct Audience: Decodable {
        let values: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            values = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
        }
    }

    /// Google has sent it as a string too.
    private struct Flag: Decodable {
        let isTrue: Bool

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            isTrue = try (try? container.decode(Bool.self)) ?? (container.decode(String.self) == "true")
        }
    }
}
