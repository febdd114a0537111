/// Where a family of refresh tokens stands, and what that means for a token of it.
struct SessionState: Sendable, Equatable {
    enum Verdict: Sendable, Equatable {
        /// It is the good one: the next takes its place.
        case current
        /// It was replaced moments ago, and comes again: from another tab, or because the answer was lost.
        case repeated
        /// It was replaced long ago: somebody has a copy. The family ends.
        case reused
        /// The session is over.
        case ended
    }

    /// For how long a token that was replaced may come again.
    static let graceMs: Int64 = 10_000

    var tokenHash: [UInt8]
    var previousHash: [UInt8]?
    /// Milliseconds since 1970, as the others.
    var rotatedAt: Int64
    var expiresAt: Int64
    var isEnded: Bool

    /// - Parameter hash: of the token that came.
    func verdict(on hash: [UInt8], now: Int64) -> Verdict {
        if isEnded || now >= expiresAt { return .ended }
        if hash == tokenHash { return .current }
        if hash == previousHash, now - rotatedAt < Self.graceMs { return .repeated }
        return .reused
    }
}
