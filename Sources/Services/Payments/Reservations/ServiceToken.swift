import Platform

/// The token that Payments shows to Reservations, kept until shortly before it expires.
actor ServiceToken {
    static let issuer = "tiketi-payments"
    static let lifetimeSeconds: Int64 = 300
    /// How long before its end another one is made.
    static let marginSeconds: Int64 = 60

    private let key: SigningKey
    private let clock: @Sendable () -> Int64
    private var kept: (token: String, until: Int64)?

    /// - Parameter clock: milliseconds since 1970.
    init(_ key: SigningKey, clock: @escaping @Sendable () -> Int64) {
        self.key = key
        self.clock = clock
    }

    func text() async throws -> String {
        let now = clock() / 1000
        if let kept, now < kept.until, now >= kept.until - Self.lifetimeSeconds { return kept.token }
        let token = try await key.mint(
            issuer: Self.issuer, audience: [.reservations], subject: "payments", role: .service,
            lifetimeSeconds: Self.lifetimeSeconds, now: now)
        kept = (token, now + Self.lifetimeSeconds - Self.marginSeconds)
        return token
    }
}
