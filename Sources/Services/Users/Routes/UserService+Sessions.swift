import Core
import HTTPTypes
import Hummingbird
import Logging
import Platform
import Storage

/// Logging in, staying so, and logging out.
extension UserService {
    static let wrongCredentials = Problem(
        .unauthorized, "wrong_credentials",
        detail: "there is no account with this confirmed e-mail address and this password")

    /// A session that has just begun.
    struct SignedIn: Sendable {
        let account: Account
        let token: RefreshToken
        let device: Secret
    }

    func login(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["email", "password"])
        let email = try fields.email("email")
        let password = try fields.password("password")
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) }
        let now = clock()
        // What follows is the same and takes as long whether or not there is such an account.
        let (account, isKnown) = try await pool.withConnection { connection in
            let account = try Accounts.withEmail(email.key, on: connection)
            let isKnown = try KnownDevices.isKnown(
                device ?? .random(), of: account?.id ?? "", now: now, on: connection)
            return (account, isKnown)
        }
        let keys: [ThrottleKey] =
            if isKnown, let account, let device {
                [.device(userId: account.id, device)]
            } else {
                [.account(email.key, client(request, context)), .siege(email.key)]
                    + ThrottleKey.places(.logIn, client(request, context))
            }
        try await throttle.take(keys, now: now)
        let fits: Bool
        do {
            fits = try await hasher.verify(password, account?.passwordHash)
        } catch {
            try await throttle.forgive(keys, now: now)
            throw error
        }
        // An address that nobody has confirmed is as good as none: else whoever registers with a stranger's, and logs in,
        // learns whether it was free. Its attempt counts as a wrong one, too.
        guard fits, let account, account.isEmailVerified || !configuration.loginNeedsConfirmedEmail else {
            throw Self.wrongCredentials
        }
        try await takeBack(keys, of: account, now: now)
        var rehashed: String?
        if let hash = account.passwordHash, hasher.isOutdated(hash) { rehashed = try await hasher.hash(password) }
        let newHash = rehashed
        let signedIn = try await pool.withConnection { connection in
            try connection.transaction { connection in
                // Under the row's lock: a password that was changed since it was checked begins no session.
                guard let current = try Accounts.withId(account.id, locked: true, on: connection),
                    current.passwordHash == account.passwordHash
                else { throw Self.wrongCredentials }
                if let newHash { try Accounts.setPassword(newHash, of: account.id, now: now, on: connection) }
                return try Self.signIn(current, device: device, now: now, on: connection)
            }
        }
        return try await answer(signedIn, now: now)
    }

    /// Takes an attempt with the right password back, though not without end: each costs a hash, and may be a session or a
    /// mail. Who does nothing else waits as one who guesses does.
    func takeBack(_ keys: [ThrottleKey], of account: Account, now: Int64) async throws {
        guard try await throttle.wait([.success(userId: account.id)], now: now) == 0 else { return }
        try await throttle.forgive(keys, now: now)
    }

    /// Begins a session. In a transaction that holds the account's row.
    static func signIn(
        _ account: Account, device: Secret?, now: Int64, on connection: PostgresConnection
    ) throws -> SignedIn {
        let token = try Sessions.begin(userId: account.id, now: now, on: connection)
        let device = device ?? .random()
        try KnownDevices.remember(device, of: account.id, now: now, on: connection)
        try Outbox.append(
            [
                Message(
                    id: "user.logged_in:\(Base64URL.text(token.familyId))", occurredAt: now,
                    body: .userLoggedIn(.init(userId: account.id)))
            ], on: connection)
        return SignedIn(account: account, token: token, device: device)
    }

    /// The access token in the body, the refresh token where no script reads it.
    func answer(_ signedIn: SignedIn, now: Int64, cookies: [HTTPField] = []) async throws -> Response {
        try await answer(
            signedIn.account, now: now,
            cookies: cookies + [
                AuthCookie.refresh.field(signedIn.token.text, maxAgeSeconds: Sessions.lifetimeMs / 1000),
                AuthCookie.device.field(signedIn.device.text, maxAgeSeconds: KnownDevices.lifetimeMs / 1000),
            ])
    }

    private func answer(_ account: Account, now: Int64, cookies: [HTTPField]) async throws -> Response {
        let token = try await configuration.signingKey.mint(
            audience: AccessGrant.audience(of: account.role), subject: account.id, role: account.role,
            lifetimeSeconds: AccessGrant.lifetimeSeconds, now: max(now / 1000, account.tokensGoodFrom))
        return Answers.json(cookies: cookies) { json in
            json.member("accessToken", token)
            json.member("tokenType", "Bearer")
            json.member("expiresIn", AccessGrant.lifetimeSeconds)
            json.member("user") { Answers.user(account, into: &$0) }
        }
    }

    func refresh(_ request: Request, _ context: ServiceContext) async throws -> Response {
        try sameSite.check(request)
        let over = Problem(
            .unauthorized, "session_over", detail: "there is no session, or it is over: log in",
            headers: [.setCookie: AuthCookie.refresh.removal.value])
        guard let token = Self.refreshToken(request) else { throw over }
        let now = clock()
        let (refresh, account) = try await pool.withConnection { connection in
            try connection.transaction { connection in
                let refresh = try Sessions.refresh(token, now: now, on: connection)
                guard case .refreshed(let session) = refresh else { return (refresh, nil as Account?) }
                return (refresh, try Accounts.withId(session.userId, on: connection))
            }
        }
        switch refresh {
        case .refreshed(let session):
            guard let account else { throw over }
            let seconds = (session.expiresAt - now) / 1000
            return try await answer(
                account, now: now,
                cookies: [AuthCookie.refresh.field(session.token.text, maxAgeSeconds: seconds)])
        case .reused(let userId):
            logger.warning("a refresh token came again; its session was ended", metadata: ["user": "\(userId)"])
            throw over
        case .ended: throw over
        }
    }

    func logout(_ request: Request, _ context: ServiceContext) async throws -> Response {
        try sameSite.check(request)
        if let token = Self.refreshToken(request) {
            let now = clock()
            try await pool.withConnection { connection in
                guard try Sessions.owner(of: token, on: connection) != nil else { return }
                try Sessions.end(token.familyId, by: .logout, now: now, on: connection)
            }
        }
        return Answers.empty(cookies: [AuthCookie.refresh.removal])
    }

    /// What the bearer's token allows.
    func introspect(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let token = try context.signedIn()
        let account = try await account(context)
        return Answers.json { json in
            json.member("active", true)
            json.member("userId", account.id)
            json.member("role", token.role.rawValue)
            json.member("audience", array: token.audience) { $0.value($1) }
            json.member("expiresAt", Instant.iso8601(token.expiresAt * 1000))
            json.member("user", object: { Answers.user(account, into: &$0) })
        }
    }

    /// The public keys of access tokens: of the one that signs, and of the one that did or will.
    func keySet(_ request: Request, _ context: ServiceContext) -> Response {
        let keys = [configuration.signingKey, configuration.nextSigningKey].compactMap { $0?.publicJWK }
        var response = Answers.empty(.ok)
        response.headers[.contentType] = "application/json"
        // Services look for an unknown key at once; a withdrawn one is gone within this.
        response.headers[.cacheControl] = "public, max-age=300"
        response.body = ResponseBody(byteBuffer: .init(string: "{\"keys\":[\(keys.joined(separator: ","))]}"))
        return response
    }
}
