import Hummingbird
import Platform
import Storage

/// Registering, and one's own profile.
extension UserService {
    /// Answers the same for an address that has an account: its owner gets a mail that says so.
    func register(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["email", "password", "name"])
        let email = try fields.email("email")
        let name = try fields.personName("name")
        let password = try fields.newPassword("password", email: email)
        let now = clock()
        try await throttle.take(ThrottleKey.places(.asking, client(request, context)), now: now)
        let hash = try await hasher.hash(password)
        let (throttle, letters) = (throttle, letters)
        // The code goes with the account, so that who logs in at once and asks for another mail finds none missing.
        let letter: Mail? = try await pool.withConnection { connection in
            try connection.transaction { connection in
                let isMailed = try throttle.take([.mail(email.key)], now: now, on: connection) == 0
                if let id = try Accounts.create(
                    email, name: name, passwordHash: hash, isEmailVerified: false, now: now, on: connection)
                {
                    let code = try OneTimeCodes.issue(.email, userId: id, now: now, on: connection)
                    return letters.verifyAddress(email.text, code)
                }
                guard isMailed, let account = try Accounts.withEmail(email.key, on: connection) else { return nil }
                let code = try OneTimeCodes.issue(.password, userId: account.id, now: now, on: connection)
                return letters.alreadyRegistered(account.email, code)
            }
        }
        // Also where there is none: a full box is answered the same.
        try postbox.post { letter }
        return Answers.json(.accepted) { $0.member("status", "accepted") }
    }

    /// Needs the mailed code, and the account's password or a session of it: a code alone, from somebody who has got a
    /// mail that he never asked for, would make the password good that a stranger has chosen.
    func verifyEmail(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["code", "password"])
        let code = try fields.secret("code")
        let password = try fields.optionalPassword("password")
        let now = clock()
        let found = try await pool.withConnection { connection in
            try OneTimeCodes.owner(.email, code, now: now, on: connection)
                .flatMap { try Accounts.withId($0, on: connection) }
        }
        guard let account = found else { throw Self.codeOver }
        if try await !isSignedIn(to: account, request) {
            guard let password else {
                throw Problem(
                    .unauthorized, "login_required", detail: "give the account's password too, or log in to it first")
            }
            try await check(password, of: account, now: now)
        }
        let isDone = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard let id = try OneTimeCodes.take(.email, code, now: now, on: connection),
                    let current = try Accounts.withId(id, locked: true, on: connection),
                    current.passwordHash == account.passwordHash,
                    current.credentialsChangedAt == account.credentialsChangedAt
                else { return false }
                try Accounts.markVerified(id, now: now, on: connection)
                try OneTimeCodes.end(.email, of: id, on: connection)
                return true
            }
        }
        guard isDone else { throw Self.codeOver }
        return Answers.empty()
    }

    static let codeOver = Problem(
        .badRequest, "code_over", detail: "the code is unknown, used or too old: ask for another")

    /// Mails another code to the account's own address.
    func resendVerification(_ request: Request, _ context: ServiceContext) async throws -> Response {
        _ = try await RequestFields(of: request, known: [], isOptional: true)
        let account = try await account(context)
        let now = clock()
        if !account.isEmailVerified {
            let key = account.email.lowercased()
            try await throttle.take([.mail(key)], now: now)
            let code = try await pool.withConnection { connection in
                try OneTimeCodes.issue(.email, userId: account.id, now: now, on: connection)
            }
            let letter = letters.verifyAddress(account.email, code)
            try postbox.post { letter }
        }
        return Answers.json(.accepted) { $0.member("status", "accepted") }
    }

    func profile(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let account = try await account(context)
        return try await profile(of: account)
    }

    private func profile(of account: Account) async throws -> Response {
        let providers = try await pool.withConnection { try Accounts.providers(of: account.id, on: $0) }
        return Answers.json { json in
            Answers.user(account, into: &json)
            json.member("hasPassword", account.passwordHash != nil)
            json.member("providers", array: providers) { $0.value($1) }
        }
    }

    /// The name alone: an address is what tells accounts apart, and its owner.
    func changeProfile(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["name"])
        let name = try fields.personName("name")
        var account = try await account(context)
        let id = account.id
        let now = clock()
        try await pool.withConnection { connection in
            _ = try connection.execute(
                "UPDATE users SET name = \(name), updated_at = \(PostgresTimestamp(ms: now)) WHERE id = \(id)")
        }
        account.name = name
        return try await profile(of: account)
    }
}
