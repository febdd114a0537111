import Foundation
import HTTPTypes
package import Hummingbird
package import Logging
package import Platform
package import Storage

/// `/api/users` and `/.well-known/jwks.json`: who people are, and the tokens that say so.
package struct UserService: ServicePart {
    package struct Configuration: Sendable {
        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// Signs access tokens.
        package var signingKey: SigningKey
        /// Signs none yet, or none any more: those that it has signed are good.
        package var nextSigningKey: SigningKey?
        package var mailer: any Mailer
        /// The site's address, without a slash at the end: what links in mails begin with.
        package var publicURL = "http://127.0.0.1:8080"
        /// Nil where nobody signs in with Google.
        package var google: GoogleSettings?
        package var admin: AdminBootstrap?
        package var trustedProxies = TrustedProxies.none
        /// Whether nobody logs in before the address is confirmed: where mails reach people.
        package var loginNeedsConfirmedEmail = false
        /// On which passwords are hashed, each with 19 MiB.
        package var hashingThreads = max(1, min(4, ProcessInfo.processInfo.activeProcessorCount))
        package var maxWaitingHashes = 64
        /// Of `throttles`.
        package var maxThrottleRows = Throttle.defaultMaxRows
        package var outboxLeaseSeconds = OutboxRelay.leaseSeconds
        package var clock: @Sendable () -> Int64

        /// - Parameter clock: milliseconds since 1970.
        package init(
            database: PostgresConfiguration, redis: RedisConfiguration, signingKey: SigningKey, mailer: any Mailer,
            clock: @escaping @Sendable () -> Int64
        ) {
            self.database = database
            self.redis = redis
            self.signingKey = signingKey
            self.mailer = mailer
            self.clock = clock
        }
    }

    let configuration: Configuration
    let database: ServiceDatabase
    let hasher: PasswordHasher
    let postbox: Postbox
    let throttle: Throttle
    let letters: Letters
    let sameSite: SameSite
    let google: GoogleProvider?
    private let gate = AddressGate(.usual)
    private let sessionGate = AddressGate(.sessions)
    let clock: @Sendable () -> Int64
    let logger: Logger
    private let verifier: TokenVerifier
    private let redis: RedisPool
    private let relay: OutboxRelay
    private let outbox: OutboxGauges

    var pool: PostgresPool { database.pool }

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        clock = configuration.clock
        database = try ServiceDatabase(.users, configuration.database, logger: logger)
        redis = RedisPool(configuration.redis, connections: 2, logger: logger)
        relay = OutboxRelay(
            postgres: database.pool, redis: redis, leaseSeconds: configuration.outboxLeaseSeconds, logger: logger)
        outbox = OutboxGauges(database.pool, of: .users, metrics: metrics, logger: logger)
        throttle = Throttle(pool: database.pool, maxRows: configuration.maxThrottleRows)
        postbox = Postbox(configuration.mailer, metrics: metrics, logger: logger)
        letters = Letters(site: configuration.publicURL)
        sameSite = SameSite(origin: configuration.publicURL)
        google = configuration.google.map {
            GoogleProvider(
                $0, redirectURI: configuration.publicURL + "/api/users/google/callback", logger: logger)
        }
        let keys =
            if let next = configuration.nextSigningKey {
                try await VerifyingKeys(configuration.signingKey, next)
            } else { try await VerifyingKeys(configuration.signingKey) }
        let clock = configuration.clock
        verifier = TokenVerifier(.fixed(keys), audience: .users, now: { clock() / 1000 })
        hasher = try await PasswordHasher(
            threads: configuration.hashingThreads, maxWaiting: configuration.maxWaitingHashes, metrics: metrics)
        do {
            try await database.checkLocale()
            try await configuration.admin?.run(database.pool, hasher, now: clock())
        } catch {
            await shutdown()
            throw error
        }
    }

    package func addRoutes(to router: Router<ServiceContext>) {
        router.get(".well-known/jwks.json", use: keySet)
        func gated(_ gate: @escaping @Sendable (Request) -> AddressGate?) -> RouterGroup<ServiceContext> {
            router.group("api/users").add(middleware: AddressGateMiddleware(client: client, clock: clock, gate: gate))
        }
        let (gate, sessionGate) = (gate, sessionGate)
        let all = gated { $0.method == .get ? nil : gate }
        let open = all.group()
        open.post("register", use: register)
        open.post("login", use: login)
        // Whoever floods where a session is doesn't end it: what has a token is counted on its own.
        let session = gated { Self.refreshToken($0) == nil ? gate : sessionGate }
        session.post("refresh", use: refresh)
        session.post("logout", use: logout)
        open.post("email/verify", use: verifyEmail)
        open.post("password/forgot", use: forgotPassword)
        open.post("password/reset", use: resetPassword)
        open.get("providers", use: providers)
        // Each of these writes.
        let writing = gated { _ in gate }
        writing.get("google", use: beginGoogle)
        writing.get("google/callback", use: googleCallback)
        writing.get("google/nonce", use: googleNonce)
        open.post("google/exchange", use: exchangeGoogleCode)
        open.post("google-login", use: googleLogin)
        let own = all.group().add(middleware: IdentityMiddleware(verifier, roles: Self.roles))
        own.get("verify", use: introspect)
        own.get("profile", use: profile)
        own.put("profile", use: changeProfile)
        own.put("password", use: changePassword)
        own.post("email/resend", use: resendVerification)
        own.post("google/link", use: linkGoogle)
        own.post("google/unlink", use: unlinkGoogle)
    }

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await withTaskGroup { group in
            group.addTask { await relay.run() }
            group.addTask { await outbox.run() }
            group.addTask { await postbox.run() }
            group.addTask { await sweep() }
        }
    }

    private func sweep() async {
        while !Task.isCancelled {
            let now = clock()
            do {
                // While there is much, at once again.
                let count = try await pool.withConnection { connection in
                    try Sweep.run(now: now, on: connection) + self.throttle.trim(on: connection)
                }
                if count >= Sweep.maxRows { continue }
            } catch {
                logger.warning("what is over could not be deleted", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(Sweep.intervalSeconds))
        }
    }

    package func shutdown() async {
        await hasher.shutdown()
        await redis.shutdown()
        await database.pool.shutdown()
    }

    // MARK: For the routes

    /// Who asks: behind trusted proxies, whoever asked them.
    func client(_ request: Request, _ context: ServiceContext) -> ClientAddress {
        configuration.trustedProxies.client(
            peer: ClientAddress(context.remoteAddress),
            forwardedFor: request.headers[values: HTTPField.Name("X-Forwarded-For")!])
    }

    /// What a browser brings that may have a session; nil where it is no token of ours.
    static func refreshToken(_ request: Request) -> RefreshToken? {
        AuthCookie.refresh.value(in: request).flatMap { RefreshToken($0) }
    }

    /// Whose tokens our own routes take.
    static let roles: Set<Role> = [.user, .analyst, .admin]

    /// The account of the token's subject.
    ///
    /// - Throws: 401 where there is none any more, or where its credentials have changed since the token was issued.
    func account(_ context: ServiceContext) async throws -> Account {
        let token = try context.signedIn()
        let id = token.subject
        guard let account = try await pool.withConnection({ try Accounts.withId(id, on: $0) }) else {
            throw Problem(.unauthorized, "token_invalid", detail: "there is no such account any more")
        }
        guard token.issuedAt >= account.tokensGoodFrom else { throw Self.tokenOver }
        return account
    }

    static let tokenOver = Problem(
        .unauthorized, "token_invalid",
        detail: "the account's password or providers have changed since the token was issued")

    /// Whether the request has a good token of this very account.
    ///
    /// - Throws: 401 for a token that is not good.
    func isSignedIn(to account: Account, _ request: Request) async throws -> Bool {
        guard let authorization = request.headers[.authorization] else { return false }
        let token = try await verifier.bearer(authorization, roles: Self.roles)
        return token.subject == account.id && token.issuedAt >= account.tokensGoodFrom
    }
}
