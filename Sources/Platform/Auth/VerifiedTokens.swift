import Synchronization

/// Tokens found good moments ago: a dashboard asks often with one token, a buyer several services, and a signature costs
/// more than an answer.
///
/// Only the signature is remembered: not whether a token has expired, nor for whom it is. A key that is withdrawn stays good for as long as an entry is kept.
final class VerifiedTokens: Sendable {
    static let maxTokens = 8192
    static let maxSeconds: Int64 = 60

    private struct Entry {
        let claims: AccessToken
        let until: Int64
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// - Parameter now: seconds since 1970.
    func claims(of token: String, now: Int64) -> AccessToken? {
        entries.withLock { entries in
            guard let entry = entries[token], now < entry.until else { return nil }
            return entry.claims
        }
    }

    func remember(_ claims: AccessToken, of token: String, now: Int64) {
        entries.withLock { entries in
            if entries.count >= Self.maxTokens {
                entries = entries.filter { now < $0.value.until }
                if entries.count >= Self.maxTokens { entries = [:] }
            }
            entries[token] = Entry(claims: claims, until: now + Self.maxSeconds)
        }
    }

    var count: Int { entries.withLock { $0.count } }
}
