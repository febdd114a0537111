import Core
import Foundation
import Logging
import Platform
import Storage
import TestSupport
import Testing

@Suite struct SettingsTests {
    private func problem(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func overridesGoBeforeTheEnvironment() throws {
        let settings = Settings(environment: ["A": "1", "B": "2", "EMPTY": ""], overrides: ["A": "3"])
        #expect(try settings.string("A") == "3")
        #expect(try settings.string("B") == "2")
        #expect(try settings.string("C") == nil)
        #expect(try settings.string("EMPTY") == nil)
    }

    @Test func filesStandForValues() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "secret")
            let settings = Settings(environment: ["KEY_FILE": file.path])
            for (content, value) in [
                ("s3cret\n", "s3cret"), ("two\n\n", "two\n"), ("crlf\r\n", "crlf"), ("none", "none"),
            ] {
                try Data(content.utf8).write(to: file)
                #expect(try settings.string("KEY") == value)
            }
            try Data().write(to: file)
            #expect(try settings.string("KEY") == nil)
            // A flag goes before both.
            #expect(try Settings(environment: ["KEY_FILE": file.path], overrides: ["KEY": "x"]).string("KEY") == "x")
        }
    }

    @Test func givenTwiceIsRefused() {
        let settings = Settings(environment: ["KEY": "s3cret", "KEY_FILE": "/nonexistent"])
        #expect(problem { _ = try settings.string("KEY") } == "KEY: given twice, also as KEY_FILE: remove one")
    }

    @Test func unreadableFilesAreRefused() async throws {
        try await withTemporaryFolder { folder in
            func problem(_ name: String) -> String? {
                let path = folder.appending(path: name).path
                return self.problem { _ = try Settings(environment: ["KEY_FILE": path]).string("KEY") }
            }
            #expect(problem("missing")?.hasPrefix("KEY_FILE: cannot read") == true)
            try FileManager.default.createDirectory(
                at: folder.appending(path: "folder"), withIntermediateDirectories: false)
            #expect(problem("folder")?.hasPrefix("KEY_FILE: cannot read") == true)
            try Data([0xff, 0xfe]).write(to: folder.appending(path: "binary"))
            #expect(problem("binary")?.hasSuffix("is not UTF-8 text") == true)
            try Data(count: 64 * 1024 + 1).write(to: folder.appending(path: "large"))
            #expect(problem("large")?.hasSuffix("is larger than 65536 bytes") == true)
        }
    }

    @Test func missingAndMalformedSettingsAreNamed() {
        let settings = Settings(environment: [
            "ANALYTICS_DATABASE_URL": "http://user:s3cret@host", "REDIS_URL": "rediss://:s3cret@host",
            "REPORTING_TIME_ZONE": "Mars/Olympus", "LOG_LEVEL": "loud", "TRACK_RATE_PER_CLIENT": "-1",
            "JWKS_URL": "ftp://x", "CORS_ORIGIN": "https://ok.example, example.com", "NODE_ID": "a b",
        ])
        #expect(problem { _ = try settings.spoolFolder() }?.hasPrefix("SPOOL_DIR: missing") == true)
        let problems = [
            problem { _ = try settings.analyticsDatabase() }, problem { _ = try settings.redis() },
            problem { _ = try settings.reportingCalendar() }, problem { _ = try settings.logLevel() },
            problem { _ = try settings.trackRatePerClient() }, problem { _ = try settings.jwksURL() },
            problem { _ = try settings.corsOrigins() }, problem { _ = try settings.nodeID() },
        ]
        let names = [
            "ANALYTICS_DATABASE_URL", "REDIS_URL", "REPORTING_TIME_ZONE", "LOG_LEVEL", "TRACK_RATE_PER_CLIENT",
            "JWKS_URL", "CORS_ORIGIN", "NODE_ID",
        ]
        for (problem, name) in zip(problems, names) {
            #expect(problem?.hasPrefix("\(name): ") == true)
            #expect(problem?.contains("s3cret") == false)
            #expect(problem?.contains("\n") == false)
        }
        let india = Settings(environment: ["REPORTING_TIME_ZONE": "Asia/Kolkata"])
        #expect(problem { _ = try india.reportingCalendar() }?.contains("whole hours") == true)
    }

    @Test func defaults() throws {
        let settings = Settings(environment: [:])
        #expect(try settings.reportingCalendar() == .seoul)
        #expect(try settings.logLevel() == .info)
        #expect(try settings.logFormat() == .json)
        #expect(try settings.corsOrigins() == ["*"])
        #expect(try settings.trackRatePerClient() == 0)
        #expect(try settings.jwtSigningKey() == nil)
        #expect(try !settings.nodeID().isEmpty)
    }

    @Test func givenValues() throws {
        let settings = Settings(environment: [
            "ANALYTICS_DATABASE_URL": "postgresql://me:pw@h:5433/analytics_db", "REDIS_URL": "redis://:pw@h/2",
            "REPORTING_TIME_ZONE": "Europe/Berlin", "LOG_LEVEL": "DEBUG", "LOG_FORMAT": "text", "NODE_ID": "ingest-0",
            "CORS_ORIGIN": "https://a.example, http://b.example:8080", "TRACK_RATE_PER_CLIENT": "50",
            "SPOOL_DIR": "/var/spool/tiketi",
        ])
        #expect(try settings.analyticsDatabase().description == "host=h port=5433 dbname=analytics_db user=me")
        #expect(try settings.redis().description == "h:6379/2")
        #expect(try settings.reportingCalendar().identifier == "Europe/Berlin")
        #expect(try settings.logLevel() == .debug)
        #expect(try settings.logFormat() == .text)
        #expect(try settings.nodeID() == "ingest-0")
        #expect(try settings.corsOrigins() == ["https://a.example", "http://b.example:8080"])
        #expect(try settings.trackRatePerClient() == 50)
        #expect(try settings.spoolFolder().path == "/var/spool/tiketi")
    }
}
