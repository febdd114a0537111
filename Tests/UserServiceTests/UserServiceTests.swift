import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct UserServiceTests {
    @Test func itIsReadyOnceItsDatabaseIsUpToDate() async throws {
        try await withUsers { users in
            #expect(await users.service.isReady())
            try await users.pool.withConnection { _ = try $0.execute("DELETE FROM schema_migrations") }
            #expect(await !users.service.isReady())
        }
    }

    @Test func theKeySetHasTheKeyThatSignsAndTheNext() async throws {
        let next = SigningKey.generate()
        try await withUsers {
            $0.nextSigningKey = next
        } _: { users in
            let answer = try await users.browser().send(.get, "/.well-known/jwks.json")
            #expect(answer.status == .ok)
            #expect(answer.headers[.cacheControl] == "public, max-age=300")
            let keys = try await VerifyingKeys(keySet: answer.body.utf8)
            #expect(keys.ids == [users.signingKey.keyID, next.keyID])
            #expect(!answer.body.contains(users.signingKey.seed))
            // Tokens of either are taken: the one that will sign has signed elsewhere already, or the other way round.
            for key in [users.signingKey, next] {
                let session = try await users.signedIn(users.browser())
                let token = try await key.mint(
                    audience: [.users], subject: session["user.id"]!, role: .user, lifetimeSeconds: 60,
                    now: users.clock.now / 1000)
                #expect(try await users.browser().send(.get, "/api/users/verify", bearer: token).status == .ok)
            }
        }
    }

    @Test func administratorsAreMadeOnceByTheSettings() async throws {
        let password = "the first admin's passphrase"
        try await withUsers {
            $0.admin = try AdminBootstrap(email: "Admin@Example.com", password: password)
        } _: { users in
            let session = try await users.browser().logIn("admin@example.com", password)
            #expect(session["user.role"] == "admin")
            // A start later: the password that was changed since stays.
            let bearer = session["accessToken"]!
            let changed = try await users.browser().send(
                .put, "/api/users/password",
                #"{"currentPassword":"\#(password)","newPassword":"another fine passphrase"}"#, bearer: bearer)
            #expect(changed.status == .noContent)
            try await AdminBootstrap(email: "admin@example.com", password: password)!
                .run(users.pool, users.service.hasher, now: users.clock.now)
            #expect(try await users.browser().logIn("admin@example.com", password).status == .unauthorized)
            #expect(try await users.browser().logIn("admin@example.com", "another fine passphrase").status == .ok)
        }
    }

    /// Whoever registers with the administrator's address before the first start gains nothing by it.
    @Test func promotionCutsOffWhoeverHadTheAccountBefore() async throws {
        try await withUsers { users in
            let squatter = users.browser()
            _ = try await users.signedIn(squatter, "admin@example.com")
            let admin = try AdminBootstrap(email: "admin@example.com", password: "the real admin's passphrase")!
            try await admin.run(users.pool, users.service.hasher, now: users.clock.now)
            #expect(try await squatter.refresh().status == .unauthorized)
            #expect(
                try await squatter.logIn("admin@example.com", RunningUsers.password).status == .unauthorized)
            let session = try await users.browser().logIn("admin@example.com", "the real admin's passphrase")
            #expect(session["user.role"] == "admin")
        }
    }

    @Test(arguments: ["1234567", "password", "admin@example.com", "admin"])
    func anAdministratorNeedsAPasswordAsAnyoneElse(_ password: String) {
        #expect(throws: AdminBootstrap.Unfit.self) {
            try AdminBootstrap(email: "admin@example.com", password: password)
        }
    }

    /// Trap 9: each service takes only tokens that name it.
    @Test func audiencesFollowTheRole() {
        #expect(AccessGrant.audience(of: .user) == [.users, .events, .reservations, .payments, .queue, .media])
        #expect(AccessGrant.audience(of: .analyst) == AccessGrant.audience(of: .user) + [.analytics])
        #expect(AccessGrant.audience(of: .admin) == Audience.allCases)
        #expect(AccessGrant.audience(of: .service).isEmpty)
    }

    @Test func whatIsOverIsDeletedAndWhatIsNotStays() async throws {
        try await withUsers { users in
            _ = try await users.signedIn(users.browser())
            let now = users.clock.now
            func sweep(_ now: Int64) async throws -> Int {
                try await users.pool.withConnection { try Sweep.run(now: now, on: $0) }
            }
            #expect(try await sweep(now) == 0)
            // The mailed code, the attempts, the session, the device.
            _ = try await sweep(now + KnownDevices.lifetimeMs)
            for table in ["sessions", "one_time_codes", "throttles", "known_devices"] {
                #expect(try await users.count("SELECT count(*) FROM \(unescaped: table)") == 0)
            }
            #expect(try await users.count("SELECT count(*) FROM users") == 1)
        }
    }

    /// Nobody waits for one deletion of all.
    @Test func aSweepDeletesABoundedBatchOfEachTable() async throws {
        try await withUsers { users in
            let now = users.clock.now
            try await users.pool.withConnection { connection in
                _ = try connection.execute(
                    """
                    INSERT INTO throttles SELECT int8send(n), 1, '-infinity', \(PostgresTimestamp(ms: now))
                    FROM generate_series(1, \(2 * Sweep.maxRows + 1)) AS n
                    """)
            }
            var counts: [Int] = []
            for _ in 0..<3 {
                counts.append(
                    try await users.pool.withConnection {
                        try Sweep.run(now: now + ThrottlePolicy.maxForgetMs, on: $0)
                    })
            }
            #expect(counts == [Sweep.maxRows, Sweep.maxRows, 1])
        }
    }

    @Test func aSessionThatEndedIsDeletedADayLater() async throws {
        try await withUsers { users in
            let (here, there) = (users.browser(), users.browser())
            _ = try await users.signedIn(here)
            _ = try await there.logIn("kim@example.com", RunningUsers.password)
            _ = try await here.send(
                .post, "/api/users/logout", headers: [HTTPField.Name("X-Tiketi-Request")!: "1"])
            for (later, left) in [(Sessions.endedKeptMs - 1, 2), (Sessions.endedKeptMs, 1)] as [(Int64, Int)] {
                let now = users.clock.now + later
                _ = try await users.pool.withConnection { try Sweep.run(now: now, on: $0) }
                #expect(try await users.count("SELECT count(*) FROM sessions") == left)
            }
            #expect(try await there.refresh().status == .ok)
        }
    }
}
