import HTTPTypes
import Hummingbird
import Logging
import Platform
import Storage

/// Signing in with Google: by its redirect, or with an id token that the browser has got.
extension UserService {
    private static let googleDown = Problem(
        .serviceUnavailable, "google_unavailable", detail: "Google can't be reached", retryAfterSeconds: 5)

    private func provider() throws(Problem) -> GoogleProvider {
        guard let google else {
            throw Problem(.notFound, "google_disabled", detail: "signing in with Google is not set up here")
        }
        return google
    }

    /// Whether there is a way to Google, for pages that show it: begins nothing.
    func providers(_ request: Request, _ context: ServiceContext) -> Response {
        Answers.json { json in
            json.member("providers", array: google == nil ? [] : ["google"]) { $0.value($1) }
        }
    }

    // MARK: By redirect

    func beginGoogle(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let google = try provider()
        try await throttle.take(ThrottleKey.places(.google, client(request, context)), now: clock())
        let (address, binding) = try await begin(google, linkingTo: nil)
        return Answers.redirect(to: address, cookies: [binding])
    }

    /// Where to send the browser for adding Google to one's account: a page can't give its token to an address it goes to.
    ///
    /// Needs the account's password: what is added outlives the token that asks, which may be stolen.
    func linkGoogle(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["currentPassword"], isOptional: true)
        let password = try fields.optionalPassword("currentPassword")
        let google = try provider()
        let account = try await account(context)
        guard account.isEmailVerified else {
            throw Problem(
                .forbidden, "email_unverified",
                detail: "confirm the account's e-mail address first: until then it may be a stranger's")
        }
        try await confirm(password, of: account)
        try await throttle.take(ThrottleKey.places(.google, client(request, context)), now: clock())
        let (address, binding) = try await begin(google, linkingTo: account)
        return Answers.json(cookies: [binding]) { $0.member("url", address) }
    }

    /// Whoever changes how an account is signed in to knows its password, if it has one.
    private func confirm(_ password: String?, of account: Account) async throws {
        guard account.passwordHash != nil else { return }
        guard let password else {
            throw Problem(.forbidden, "password_needed", detail: "give the account's password as currentPassword")
        }
        try await check(password, of: account, now: clock())
    }

    /// Takes Google away from one's account, and ends its other sessions: some may be Google's.
    func unlinkGoogle(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["currentPassword"], isOptional: true)
        let password = try fields.optionalPassword("currentPassword")
        let account = try await account(context)
        try await confirm(password, of: account)
        let maker = Self.changeMaker(request)
        let isRemoved = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard let current = try Accounts.withId(account.id, locked: true, on: connection),
                    current.credentialsChangedAt == account.credentialsChangedAt
                else { throw Self.tokenOver }
                guard try Accounts.removeProviders("google", of: account.id, on: connection) > 0
                else { return false }
                guard current.passwordHash != nil else {
                    throw Problem(
                        .conflict, "last_way_in",
                        detail: "the account has no password: set one by mail, which takes Google away, too")
                }
                try CredentialChange.apply(to: account.id, by: .unlink, keeping: maker, clock: clock, on: connection)
                return true
            }
        }
        if isRemoved { postbox.tell(letters.googleRemoved(account.email)) }
        return Answers.empty()
    }

    private func begin(_ google: GoogleProvider, linkingTo account: Account?) async throws -> (String, HTTPField) {
        let now = clock()
        let begun = try await pool.withConnection { connection in
            try connection.transaction { connection in
                // Under its lock: who sets a new password ends what is begun before, and nothing begins after.
                if let account {
                    let current = try Accounts.withId(account.id, locked: true, on: connection)
                    guard current?.credentialsChangedAt == account.credentialsChangedAt else { throw Self.tokenOver }
                }
                return try GoogleTransactions.begin(linkUserId: account?.id, now: now, on: connection)
            }
        }
        do {
            let address = try await google.authorizationURL(
                state: begun.state, nonce: begun.nonce, challenge: begun.challenge)
            return (address, Self.binding(begun.binding))
        } catch is GoogleProvider.Unavailable {
            throw Self.googleDown
        }
    }

    private static func binding(_ secret: Secret) -> HTTPField {
        AuthCookie.google.field(secret.text, maxAgeSeconds: GoogleTransactions.lifetimeMs / 1000)
    }

    /// Sends the browser on to our own page, with a code that this browser alone can make a session of, or with what went
    /// wrong.
    func googleCallback(_ request: Request, _ context: ServiceContext) async throws -> Response {
        _ = try provider()
        let page = configuration.publicURL + "/auth/callback"
        do {
            let outcome = try await googleReturn(request)
            switch outcome {
            case .linked: return Answers.redirect(to: page + "#linked=google", cookies: [AuthCookie.google.removal])
            case .code(let code): return Answers.redirect(to: page + "#code=\(code.text)", cookies: [])
            }
        } catch {
            let code: String
            switch error {
            case let refusal as GoogleAccounts.Refusal: code = refusal.rawValue
            case is GoogleProvider.Unavailable: code = "google_unavailable"
            case is GoogleProvider.CodeRefused, is IDToken.Defect: code = "google_failed"
            case let problem as Problem where problem.code == "google_failed": code = problem.code
            default: throw error
            }
            return Answers.redirect(to: page + "#error=\(code)", cookies: [AuthCookie.google.removal])
        }
    }

    private enum GoogleReturn {
        case code(Secret)
        case linked
    }

    private func googleReturn(_ request: Request) async throws -> GoogleReturn {
        let google = try provider()
        let now = clock()
        let failed = Problem(.badRequest, "google_failed", detail: "this is not the end of a sign-in of this browser")
        guard let binding = AuthCookie.google.value(in: request).flatMap({ Secret($0) }),
            let state = request.uri.queryParameters["state"].flatMap({ Secret($0) }),
            let pending = try await pool.withConnection({
                try GoogleTransactions.take(state: state, binding: binding, now: now, on: $0)
            }),
            let code = request.uri.queryParameters["code"], (1...2048).contains(code.utf8.count)
        else { throw failed }
        let token = try await google.idToken(code: String(code), verifier: pending.verifier)
        let identity = try await google.identity(token, nonce: pending.nonce, now: now / 1000)
        let letters = letters
        let (outcome, letter): (GoogleReturn, Mail?) = try await pool.withConnection { connection in
            try connection.transaction { connection in
                if let userId = pending.linkUserId {
                    // The account's owner may have thrown out whoever began this while Google was being asked.
                    guard let account = try Accounts.withId(userId, locked: true, on: connection),
                        account.isEmailVerified, pending.begunAt >= account.credentialsChangedAt
                    else { throw failed }
                    let isNew = try GoogleAccounts.link(identity.subject, to: userId, now: now, on: connection)
                    return (.linked, isNew ? letters.googleAdded(account.email) : nil)
                }
                let found = try GoogleAccounts.account(for: identity, now: now, on: connection)
                let code = try OneTimeCodes.issue(
                    .exchange, userId: found.id, binding: binding, now: now, on: connection)
                let joined = found.isJoined ? try Accounts.withId(found.id, on: connection) : nil
                return (.code(code), joined.map { letters.googleAdded($0.email) })
            }
        }
        if let letter { postbox.tell(letter) }
        return outcome
    }

    func exchangeGoogleCode(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let fields = try await RequestFields(of: request, known: ["code"])
        let code = try fields.secret("code")
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) }
        guard let binding = AuthCookie.google.value(in: request).flatMap({ Secret($0) }) else { throw Self.codeOver }
        let now = clock()
        let signedIn: SignedIn? = try await pool.withConnection { connection in
            try connection.transaction { connection in
                guard
                    let id = try OneTimeCodes.take(.exchange, code, binding: binding, now: now, on: connection),
                    let account = try Accounts.withId(id, locked: true, on: connection)
                else { return nil }
                return try Self.signIn(account, device: device, now: now, on: connection)
            }
        }
        guard let signedIn else { throw Self.codeOver }
        return try await answer(signedIn, now: now, cookies: [AuthCookie.google.removal])
    }

    // MARK: With an id token

    /// A nonce that is good once, for this browser.
    func googleNonce(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let google = try provider()
        let now = clock()
        try await throttle.take(ThrottleKey.places(.google, client(request, context)), now: now)
        let (binding, nonce) = try await pool.withConnection { try GoogleTransactions.beginNonce(now: now, on: $0) }
        return Answers.json(cookies: [Self.binding(binding)]) { json in
            json.member("nonce", nonce)
            json.member("clientId", google.settings.clientId)
        }
    }

    func googleLogin(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let google = try provider()
        let fields = try await RequestFields(of: request, known: ["idToken", "nonce"])
        let idToken = try fields.text("idToken", bytes: 1...IDToken.maxBytes)
        let given = try fields.optionalText("nonce", bytes: 1...128)
        let device = AuthCookie.device.value(in: request).flatMap { Secret($0) }
        let now = clock()
        let refused = Problem(.unauthorized, "id_token_invalid", detail: "the id token is not accepted")
        // A token that somebody else has got hold of comes without the cookie that its nonce was given out with.
        guard let binding = AuthCookie.google.value(in: request).flatMap({ Secret($0) }),
            let nonce = try await pool.withConnection({
                try GoogleTransactions.takeNonce(binding: binding, now: now, on: $0)
            }), given == nil || given == nonce
        else { throw refused }
        let identity: GoogleIdentity
        do {
            identity = try await google.identity(idToken, nonce: nonce, now: now / 1000)
        } catch is GoogleProvider.Unavailable {
            throw Self.googleDown
        } catch let defect as IDToken.Defect {
            logger.info("an id token was refused", metadata: ["defect": "\(defect)"])
            throw refused
        }
        do {
            let (signedIn, isJoined) = try await pool.withConnection { connection in
                try connection.transaction { connection in
                    let found = try GoogleAccounts.account(for: identity, now: now, on: connection)
                    guard let account = try Accounts.withId(found.id, locked: true, on: connection) else {
                        throw refused
                    }
                    return (try Self.signIn(account, device: device, now: now, on: connection), found.isJoined)
                }
            }
            if isJoined { postbox.tell(letters.googleAdded(signedIn.account.email)) }
            return try await answer(signedIn, now: now, cookies: [AuthCookie.google.removal])
        } catch let refusal as GoogleAccounts.Refusal {
            throw refusal.problem
        }
    }
}
