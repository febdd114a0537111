import Foundation
import Platform
import TestSupport
import Testing

/// A service that is set up wrongly says so in one line at its start.
@Suite struct ServeSettingsTests {
    private static let servers = [
        "ANALYTICS_DATABASE_URL": "postgresql:///none?host=/nonexistent", "REDIS_URL": "redis+unix:///nonexistent",
    ]

    private static let key = Data(repeating: 7, count: 32).base64EncodedString()
        .replacing("=", with: "").replacing("/", with: "_").replacing("+", with: "-")
    /// All that reservations needs.
    private static let reservations = servers.merging([
        "RESERVATIONS_DATABASE_URL": "postgresql:///none?host=/nonexistent", "JWT_SIGNING_KEY": key,
        "TICKET_SIGNING_KEY": key, "EVENTS_URL": "http://127.0.0.1:1",
    ]) { $1 }
    /// All that users needs.
    private static let users = servers.merging([
        "USERS_DATABASE_URL": "postgresql:///none?host=/nonexistent", "JWT_SIGNING_KEY": key,
    ]) { $1 }
    private static let services: [String: String] = {
        let key = SigningKey.generate().seed
        let database = "postgresql:///none?host=/nonexistent"
        return [
            "EVENTS_DATABASE_URL": database, "PAYMENTS_DATABASE_URL": database, "JWT_SIGNING_KEY": key,
            "PAYMENTS_SIGNING_KEY": key, "TOSS_SECRET_KEY": "sk", "TOSS_CLIENT_KEY": "ck",
            "RESERVATIONS_URL": "http://127.0.0.1:1",
        ]
    }()

    @Test(
        arguments: [
            ("query", [:], "ANALYTICS_DATABASE_URL"),
            ("query", ["ANALYTICS_DATABASE_URL": "http://host"], "ANALYTICS_DATABASE_URL"),
            ("query", servers, "JWT_SIGNING_KEY"),
            ("query", servers.merging(["JWT_SIGNING_KEY": "short"]) { $1 }, "JWT_SIGNING_KEY"),
            ("query", servers.merging(["JWKS_URL": "ftp://keys"]) { $1 }, "JWKS_URL"),
            ("query", servers.merging(["LOG_FORMAT": "xml"]) { $1 }, "LOG_FORMAT"),
            ("ingest", servers, "SPOOL_DIR"),
            ("ingest", servers.merging(["SPOOL_DIR": "spool", "NODE_ID": "a b"]) { $1 }, "NODE_ID"),
            (
                "ingest", servers.merging(["SPOOL_DIR": "spool", "TRACK_RATE_PER_CLIENT": "abc"]) { $1 },
                "TRACK_RATE_PER_CLIENT"
            ),
            (
                "ingest", servers.merging(["SPOOL_DIR": "spool", "TRUSTED_PROXIES": "10.0.0.0/99"]) { $1 },
                "TRUSTED_PROXIES"
            ),
            ("reservations", reservations.merging(["QUEUE_JWKS_URL": "ftp://keys"]) { $1 }, "QUEUE_JWKS_URL"),
            ("reservations", reservations.merging(["QUEUE_JWKS_URL": "file://keys"]) { $1 }, "QUEUE_JWKS_URL"),
            ("reservations", reservations.merging(["PAYMENTS_JWKS_URL": "https://"]) { $1 }, "PAYMENTS_JWKS_URL"),
            ("reservations", reservations.merging(["PAYMENTS_JWKS_URL": "keys.json"]) { $1 }, "PAYMENTS_JWKS_URL"),
            (
                "users", users.merging(["LOGIN_NEEDS_CONFIRMED_EMAIL": "maybe"]) { $1 }, "LOGIN_NEEDS_CONFIRMED_EMAIL"
            ),
            ("users", users.merging(["SMTP_URL": "http://mail"]) { $1 }, "SMTP_URL"),
            ("users", users.merging(["GOOGLE_CLIENT_ID": "id"]) { $1 }, "GOOGLE_CLIENT_SECRET"),
            ("users", users.merging(["PUBLIC_URL": "https://tiketi.example/shop"]) { $1 }, "PUBLIC_URL"),
            // Behind TLS is a proxy, and everybody is that proxy where it is not named.
            ("users", users.merging(["PUBLIC_URL": "https://tiketi.example"]) { $1 }, "TRUSTED_PROXIES"),
            (
                "users", users.merging(["PUBLIC_URL": "https://tiketi.example", "TRUSTED_PROXIES": " , "]) { $1 },
                "TRUSTED_PROXIES"
            ),
            (
                "users",
                users.merging([
                    "PUBLIC_URL": "https://tiketi.example", "TRUSTED_PROXIES": "10.0.0.0/8",
                    "PASSWORD_HASHING_THREADS": "0",
                ]) { $1 }, "PASSWORD_HASHING_THREADS"
            ),
            (
                "events", servers.merging(services) { $1 }.merging(["OUTBOX_LEASE_SECONDS": "0"]) { $1 },
                "OUTBOX_LEASE_SECONDS"
            ),
            (
                "payments", servers.merging(services) { $1 }.merging(["TOSS_TIMEOUT_SECONDS": "121"]) { $1 },
                "TOSS_TIMEOUT_SECONDS"
            ),
        ] as [(String, [String: String], String)])
    func aWrongSettingIsNamed(service: String, settings: [String: String], name: String) async throws {
        let run = try await CommandLineRun.tiketi(["serve", service, "--port", "0"], settings: settings)
        #expect(run.status == 2, "\(run.error)")
        #expect(run.error.hasPrefix("tiketi: \(name)"), "\(run.error)")
        #expect(run.error.split(separator: "\n").count == 1, "\(run.error)")
        #expect(run.output.isEmpty)
    }
}
