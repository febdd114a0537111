package import Core
package import Foundation
package import Logging
package import Storage

/// The settings that the pipeline has in common, by their names in docs/reference.md.
extension Settings {
    /// `ANALYTICS_DATABASE_URL`
    package func analyticsDatabase(applicationName: String = "tiketi") throws -> PostgresConfiguration {
        try database("ANALYTICS_DATABASE_URL", applicationName: applicationName)
    }

    /// The database of a `…_DATABASE_URL`.
    package func database(_ name: String, applicationName: String = "tiketi") throws -> PostgresConfiguration {
        let url = try require(name)
        do {
            return try PostgresConfiguration(url: url, applicationName: applicationName)
        } catch let error as PostgresError {
            throw SettingsError(name, error.message + (error.hint.map { " (\($0))" } ?? ""))
        }
    }

    /// `REDIS_URL`
    package func redis() throws -> RedisConfiguration {
        let url = try require("REDIS_URL")
        do {
            return try RedisConfiguration(url: url)
        } catch let error as RedisError {
            throw SettingsError("REDIS_URL", error.message)
        }
    }

    /// `SPOOL_DIR`
    package func spoolFolder() throws -> URL {
        URL(filePath: try require("SPOOL_DIR"), directoryHint: .isDirectory)
    }

    /// `NODE_ID`: 1 to 64 letters, digits, `.`, `_` and `-`; the host's name where it is not given.
    package func nodeID() throws -> String {
        let node = try string("NODE_ID") ?? ProcessInfo.processInfo.hostName
        guard (1...64).contains(node.utf8.count),
            node.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            })
        else { throw SettingsError("NODE_ID", "must be 1 to 64 letters, digits, '.', '_' and '-'") }
        return node
    }

    /// `REPORTING_TIME_ZONE`: Asia/Seoul where it is not given.
    package func reportingCalendar() throws -> ReportingCalendar {
        guard let identifier = try string("REPORTING_TIME_ZONE") else { return .seoul }
        do {
            return try ReportingCalendar(identifier: identifier)
        } catch .unknown {
            throw SettingsError("REPORTING_TIME_ZONE", "no such time zone; as in Asia/Seoul")
        } catch .fractionalOffset {
            throw SettingsError("REPORTING_TIME_ZONE", "its offset from UTC is not always whole hours")
        }
    }

    /// `LOG_LEVEL`: info where it is not given.
    package func logLevel() throws -> Logger.Level {
        try choice("LOG_LEVEL", default: .info)
    }

    /// `LOG_FORMAT`: json where it is not given.
    package func logFormat(default fallback: LogFormat = .json) throws -> LogFormat {
        try choice("LOG_FORMAT", default: fallback)
    }

    /// `CORS_ORIGIN`: origins that browsers may call from, separated by commas, or `*`, which is the default.
    package func corsOrigins() throws -> [String] {
        let origins = (try string("CORS_ORIGIN") ?? "*").split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        for origin in origins where origin != "*" {
            guard let parts = URLComponents(string: origin), ["http", "https"].contains(parts.scheme),
                parts.host?.isEmpty == false, parts.path.isEmpty, parts.query == nil
            else {
                throw SettingsError("CORS_ORIGIN", "must be origins such as https://example.com, separated by commas")
            }
        }
        return origins
    }

    /// `true` or `false`.
    package func flag(_ name: String, default fallback: Bool) throws -> Bool {
        guard let text = try string(name) else { return fallback }
        guard let flag = Bool(text) else { throw SettingsError(name, "must be true or false") }
        return flag
    }

    /// `JWT_SIGNING_KEY`: a private key, in one of the forms that `SigningKey` takes.
    package func jwtSigningKey() throws -> String? {
        try string("JWT_SIGNING_KEY")
    }

    /// `JWT_SIGNING_KEY`, or another setting that holds such a key.
    package func signingKey(_ name: String) throws -> SigningKey? {
        guard let text = try string(name) else { return nil }
        do {
            return try SigningKey(text)
        } catch {
            throw SettingsError(name, SigningKey.Malformed.requirement)
        }
    }

    /// An address of http or https; nil where it is not given.
    package func webURL(_ name: String) throws -> URL? {
        guard let text = try string(name) else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host()?.isEmpty == false else {
            throw SettingsError(name, "must be a URL that begins with http:// or https://")
        }
        return url
    }

    /// The public halves of `JWT_SIGNING_KEY` and, where it is set, of `JWT_NEXT_SIGNING_KEY`.
    package func ownVerifyingKeys() async throws -> VerifyingKeys? {
        guard let key = try signingKey("JWT_SIGNING_KEY") else { return nil }
        guard let next = try signingKey("JWT_NEXT_SIGNING_KEY") else { return try await VerifyingKeys(key) }
        return try await VerifyingKeys(key, next)
    }

    /// `TRUSTED_PROXIES`
    package func trustedProxies() throws -> TrustedProxies {
        do {
            return try TrustedProxies(try string("TRUSTED_PROXIES") ?? "")
        } catch let error as TrustedProxies.Malformed {
            throw SettingsError("TRUSTED_PROXIES", "'\(error.entry)' is no address or CIDR")
        }
    }

    /// `JWKS_URL`, or another setting that tells where public keys are: http, https or file.
    package func jwksURL(_ name: String = "JWKS_URL") throws -> URL? {
        guard let text = try string(name) else { return nil }
        guard let url = URL(string: text), FetchedKeys.accepts(url) else {
            throw SettingsError(name, "must be a URL that begins with http://, https:// or file:///")
        }
        return url
    }

    /// `TRACK_HOT_ARTIST_RATE`: beacons a second of one artist on one node; 0 is no limit.
    package func trackHotArtistRate() throws -> Int {
        try int("TRACK_HOT_ARTIST_RATE", default: 20_000, in: 0...10_000_000)
    }

    /// `TRACK_RATE_PER_CLIENT`: requests a second; 0, the default, is no limit.
    package func trackRatePerClient() throws -> Int {
        try int("TRACK_RATE_PER_CLIENT", default: 0, in: 0...1_000_000)
    }

    /// `OUTBOX_LEASE_SECONDS`: for how long the messages of a process that is gone wait for another to publish them.
    package func outboxLeaseSeconds() throws -> Int {
        try int("OUTBOX_LEASE_SECONDS", default: OutboxRelay.leaseSeconds, in: 1...300)
    }
}
