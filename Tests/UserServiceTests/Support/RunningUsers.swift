import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Platform
import Storage
import TestSupport

@testable import UserService

/// The service on a database of its own, with its routes and its work beside them; mails go into a folder.
struct RunningUsers: Sendable {
    static let password = "a long enough passphrase"

    let service: UserService
    let pool: PostgresPool
    let client: any TestClientProtocol
    let clock: TestClock
    let mails: URL
    let signingKey: SigningKey

    func browser(_ address: String = "203.0.113.7") -> Browser { Browser(client, address: address) }

    /// Waits for the mail of that number, the first being 0, and returns its text.
    func mail(_ number: Int) async throws -> String {
        try await eventually {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: mails.path)) ?? []
            let letters = names.filter { $0.hasSuffix(".eml") }.map { mails.appending(path: $0) }
            // By when they were written: the clock of a test may stand.
            let sorted = letters.sorted { Self.writtenAt($0) < Self.writtenAt($1) }
            guard sorted.count > number else { throw NotYet(what: "mail \(number) of \(sorted.count)") }
            return try String(contentsOf: sorted[number], encoding: .utf8)
        }
    }

    private static func writtenAt(_ file: URL) -> Date {
        (try? FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date) ?? .distantPast
    }

    /// The code in the link of that mail.
    func code(inMail number: Int) async throws -> String {
        let parts = try await mail(number).split(separator: "#code=")
        guard parts.count == 2 else { throw NotYet(what: "a code in mail \(number)") }
        return String(parts[1].prefix(Secret.textLength))
    }

    /// Registers, logs in and returns the answer.
    func signedIn(_ browser: Browser, _ email: String = "kim@example.com") async throws -> Browser.Answer {
        _ = try await browser.register(email, Self.password)
        return try await browser.logIn(email, Self.password)
    }

    /// Confirms the address that the mail went to, with the code in it and the password.
    func confirm(inMail number: Int, password: String = RunningUsers.password) async throws -> Browser.Answer {
        let code = try await code(inMail: number)
        return try await browser().send(
            .post, "/api/users/email/verify", #"{"code":"\#(code)","password":"\#(password)"}"#)
    }

    func count(_ sql: SQL) async throws -> Int {
        try await pool.withConnection { try $0.query(sql)[0].get(0, as: Int.self) }
    }
}

func withUsers<R: Sendable>(
    logger: Logger = silentLogger,
    configure: @Sendable (inout UserService.Configuration) throws -> Void = { _ in },
    _ body: @escaping @Sendable (RunningUsers) async throws -> R
) async throws -> R {
    try await withDatabase(of: .users) { database, pool in
        try await withRedis { redis in
            try await withTemporaryFolder { folder in
                let clock = TestClock()
                let key = SigningKey.generate()
                var configuration = UserService.Configuration(
                    database: database, redis: redis.configuration, signingKey: key,
                    mailer: FileOutbox(folder: folder, sender: "no-reply@tiketi.example", clock: { clock.now }),
                    clock: { clock.now })
                configuration.publicURL = "https://tiketi.example"
                configuration.trustedProxies = try TrustedProxies("unix")
                try configure(&configuration)
                let service = try await UserService(configuration, metrics: Metrics(), logger: logger)
                let router = Router(context: ServiceContext.self)
                router.add(middleware: ProblemMiddleware())
                service.addRoutes(to: router)
                let work = Task { await service.run() }
                let result: Result<R, any Error>
                do {
                    result = .success(
                        try await Application(router: router, logger: logger).test(.router) { client in
                            try await body(
                                RunningUsers(
                                    service: service, pool: pool, client: client, clock: clock, mails: folder,
                                    signingKey: key))
                        })
                } catch {
                    result = .failure(error)
                }
                work.cancel()
                await work.value
                await service.shutdown()
                return try result.get()
            }
        }
    }
}
