import Platform

/// What access tokens are for, and for how long.
enum AccessGrant {
    static let lifetimeSeconds: Int64 = 600

    /// For how long other services take a token, whatever becomes of its account: in whole minutes, with what their clocks
    /// may be behind.
    static let maxSecondsElsewhere = (lifetimeSeconds + AccessToken.leewaySeconds + 59) / 60 * 60

    /// The services that take a token of this role.
    static func audience(of role: Role) -> [Audience] {
        switch role {
        case .user: [.users, .events, .reservations, .payments, .queue, .media]
        case .analyst: [.users, .events, .reservations, .payments, .queue, .media, .analytics]
        case .admin: Audience.allCases
        // Services have keys of their own.
        case .service: []
        }
    }
}
