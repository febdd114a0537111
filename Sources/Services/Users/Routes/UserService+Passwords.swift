import Hummingbird
import Platform
import Storage

/// Changing a password, and setting one that was forgotten.
extension UserService {
    /// Ends the account's other sessions, and every access token: also the one that asks.
    func changePassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["currentPassword", "newPassword"])
        let account = try await account(context)
        let current = try fields.password("currentPassword")
        let new = try fields.newPassword("newPassword", email: EmailAddress(account.email))
        let now = clock()
        try await check(current, of: account, now: now)
        let hash = try await hasher.hash(new)
        let maker = Self.changeMaker(request)
        let isDone = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard
                    try Accounts.withId(account.id, locked: true, on: connection)?.passwordHash
                        == account.passwordHash
                else { return false }
                try Accounts.setPassword(hash, of: account.id, now: now, on: connection)
                try CredentialChange.apply(to: account.id, by: .password, keeping: maker, clock: clock, on: connection)
                return true
            }
        }
        guard isDone else {
            throw Problem(.conflict, "password_changed", detail: "the password was changed at the same time")
        }
        postbox.tell(letters.passwordChanged(account.email))
        return Answers.empty()
    }

    /// For one who has shown already that the account is known to him.
    ///
    /// - Throws: 403 where it is another, 429 after too many of those.
    func check(_ password: String, of account: Account, now: Int64) async throws {
        let key = ThrottleKey.password(userId: account.id)
        try await throttle.take([key], now: now)
        guard try await hasher.verify(password, account.passwordHash) else {
            throw Problem(.forbidden, "wrong_password", detail: "the password is another")
        }
        try await takeBack([key], of: account, now: now)
    }

    static func changeMaker(_ request: Request) -> CredentialChange.Maker {
        CredentialChange.Maker(
            session: Self.refreshToken(request),
            device: AuthCookie.device.value(in: request).flatMap { Secret($0) })
    }

    /// Answers before it looks whether there is such an account.
    func forgotPassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["email"])
        let email = try fields.email("email")
        let now = clock()
        try await throttle.take(ThrottleKey.places(.asking, client(request, context)), now: now)
        let (pool, throttle, letters) = (pool, throttle, letters)
        try postbox.post {
            try await pool.withConnection { connection in
                try connection.transaction { connection in
                    guard try throttle.take([.mail(email.key)], now: now, on: connection) == 0,
                        let account = try Accounts.withEmail(email.key, on: connection)
                    else { return nil }
                    let code = try OneTimeCodes.issue(.password, userId: account.id, now: now, on: connection)
                    return letters.resetPassword(account.email, code)
                }
            }
        }
        return Answers.json(.accepted) { $0.member("status", "accepted") }
    }

    /// Ends all of the account's sessions, and proves that the address is its owner's.
    ///
    /// Whoever had the account before may have added a provider to it, so that none stays. It is added again by whoever has
    /// the account now.
    func resetPassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["code", "newPassword"])
        let code = try fields.secret("code")
        _ = try fields.newPassword("newPassword", email: nil)
        let now = clock()
        // A look first: no made-up code costs a hash. A good one makes no attempt: whoever asks too much where its owner
        // is does not keep him out.
        let owner = try await pool.withConnection { connection in
            try OneTimeCodes.owner(.password, code, now: now, on: connection)
                .flatMap { try Accounts.withId($0, on: connection) }
        }
        guard let owner else {
            try await throttle.take(ThrottleKey.places(.asking, client(request, context)), now: now)
            throw Self.codeOver
        }
        let new = try fields.newPassword("newPassword", email: EmailAddress(owner.email))
        let hash = try await hasher.hash(new)
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) } ?? .random()
        let letters = letters
        let letter: Mail? = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard let id = try OneTimeCodes.take(.password, code, now: now, on: connection),
                    let account = try Accounts.withId(id, locked: true, on: connection)
                else { return nil }
                try Accounts.setPassword(hash, of: id, now: now, on: connection)
                try Accounts.markVerified(id, now: now, on: connection)
                let removed = try Accounts.removeProviders(of: id, on: connection)
                try CredentialChange.apply(to: id, by: .password, clock: clock, on: connection)
                // Whoever guesses at the account meanwhile does not keep its owner from logging in.
                try KnownDevices.remember(device, of: id, now: now, on: connection)
                return letters.passwordReset(account.email, isUnlinked: removed > 0)
            }
        }
        guard let letter else { throw Self.codeOver }
        postbox.tell(letter)
        return Answers.empty(
            cookies: [
                AuthCookie.refresh.removal,
                AuthCookie.device.field(device.text, maxAgeSeconds: KnownDevices.lifetimeMs / 1000),
            ])
    }
}
