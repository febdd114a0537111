import Hummingbird
import Platform
import Storage

/// Changing a password, and setting one that was forgotten.
extension UserService {
    /// Ends the account's other sessions.
    func changePassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["currentPassword", "newPassword"])
        let account = try await account(context)
        let current = try fields.password("currentPassword")
        let new = try fields.newPassword("newPassword", email: EmailAddress(account.email))
        let now = clock()
        let key = ThrottleKey.password(userId: account.id)
        try await throttle.take([key], now: now)
        let fits = try await hasher.verify(current, account.passwordHash)
        guard fits else {
            throw Problem(.forbidden, "wrong_password", detail: "the present password is another")
        }
        try await throttle.forgive([key], now: now)
        let hash = try await hasher.hash(new)
        let session = AuthCookie.refresh.value(in: request).flatMap { RefreshToken($0) }
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) }
        let isDone = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard
                    try Accounts.withId(account.id, locked: true, on: connection)?.passwordHash
                        == account.passwordHash
                else { return false }
                try Accounts.setPassword(hash, of: account.id, now: now, on: connection)
                let own = try session.flatMap {
                    try Sessions.owner(of: $0, on: connection) == account.id ? $0.familyId : nil
                }
                try Sessions.end(of: account.id, except: own, by: .password, now: now, on: connection)
                try KnownDevices.forget(of: account.id, except: device, on: connection)
                try OneTimeCodes.end(.password, of: account.id, on: connection)
                try OneTimeCodes.end(.exchange, of: account.id, on: connection)
                return true
            }
        }
        guard isDone else {
            throw Problem(.conflict, "password_changed", detail: "the password was changed at the same time")
        }
        let letter = letters.passwordChanged(account.email)
        try postbox.post { letter }
        return Answers.empty()
    }

    /// Answers before it looks whether there is such an account.
    func forgotPassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["email"])
        let email = try fields.email("email")
        let now = clock()
        try await throttle.take([.asking(client(request, context))], now: now)
        let (pool, letters) = (pool, letters)
        try postbox.post {
            try await pool.withConnection { connection in
                try connection.transaction { connection in
                    guard try Throttle.take([.mail(email.key)], now: now, on: connection) == 0,
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
    func resetPassword(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["code", "newPassword"])
        let code = try fields.secret("code")
        let new = try fields.newPassword("newPassword", email: nil)
        let now = clock()
        try await throttle.take([.asking(client(request, context))], now: now)
        let hash = try await hasher.hash(new)
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) } ?? .random()
        let account: Account? = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard let id = try OneTimeCodes.take(.password, code, now: now, on: connection),
                    let account = try Accounts.withId(id, locked: true, on: connection)
                else { return nil }
                try Accounts.setPassword(hash, of: id, now: now, on: connection)
                try Accounts.markVerified(id, now: now, on: connection)
                try Sessions.end(of: id, by: .password, now: now, on: connection)
                try OneTimeCodes.end(.password, of: id, on: connection)
                try OneTimeCodes.end(.exchange, of: id, on: connection)
                try KnownDevices.forget(of: id, on: connection)
                // Whoever guesses at the account meanwhile does not keep its owner from logging in.
                try KnownDevices.remember(device, of: id, now: now, on: connection)
                return account
            }
        }
        guard let account else { throw Self.codeOver }
        let letter = letters.passwordChanged(account.email)
        try postbox.post { letter }
        return Answers.empty(
            cookies: [
                AuthCookie.refresh.removal,
                AuthCookie.device.field(device.text, maxAgeSeconds: KnownDevices.lifetimeMs / 1000),
            ])
    }
}
