import Core
import Foundation
import Storage
import TestSupport
import Testing

/// `tiketi simulate` against `tiketi serve ingest`, both as processes, with real servers behind them.
@Suite struct SimulateCommandTests {
    @Test func whatIsAcceptedIsStored() async throws {
        try await withAnalyticsDatabase { configuration, pool in
            try await withRedis { redis in
                try await withTemporaryFolder { folder in
                    let settings = [
                        "ANALYTICS_DATABASE_URL": configuration.url, "REDIS_URL": redis.url,
                        "SPOOL_DIR": folder.appending(path: "spool").path, "NODE_ID": "simulate",
                    ]
                    let ingest = try Ingest(settings, folder)
                    defer { ingest.kill() }
                    let port = try await ingest.port()
                    let run = try await CommandLineRun.tiketi(
                        [
                            "simulate", "--url", "http://127.0.0.1:\(port)/", "--rate", "1000", "--duration", "2s",
                            "--batch", "7", "--artists", "5",
                        ], settings: ["REDIS_URL": redis.url])
                    #expect(run.status == 0, "\(run.error)")
                    // Exactly the rate: nothing stood still, or the pace would have let something go.
                    #expect(run.output.contains(" accepted, 0 rejected, 0 failed"))
                    let accepted = try #require(run.output.split(separator: " ").first.flatMap { Int($0) })
                    #expect((1...2000).contains(accepted))
                    await ingest.drain()
                    let stored = try await pool.withConnection { connection in
                        try connection.query("SELECT coalesce(sum(beacons), 0)::bigint FROM analytics_events")[0]
                            .get(0, as: Int.self)
                    }
                    #expect(stored == accepted)
                    let stream = try await redis.pool.withConnection {
                        try $0.command(["XINFO", "STREAM", RedisArgument(Message.stream)])
                    }
                    let fields = stream.array ?? []
                    // Also those that were confirmed and removed since.
                    let added = try #require(fields.firstIndex { $0.string == "entries-added" })
                    #expect(run.output.contains("\n\(fields[added + 1].int ?? -1) messages published\n"))
                }
            }
        }
    }

    @Test func nothingThatAnswersIsOneLine() async throws {
        // Port 1 of this machine: reserved, and nobody's.
        let run = try await CommandLineRun.tiketi(["simulate", "--url", "http://127.0.0.1:1", "--duration", "1"])
        #expect(run.status == 75)
        #expect(run.error.hasPrefix("tiketi: nothing answers at http://127.0.0.1:1 "))
        #expect(run.error.split(separator: "\n").count == 1)
        #expect(run.output.isEmpty)
    }

    @Test(arguments: [
        ["--rate", "0"], ["--rate", "-1"], ["--rate", "nan"], ["--rate", "1e9"], ["--artists", "0"], ["--batch", "0"],
        ["--batch", "1001"], ["--duration", "0s"], ["--duration", "soon"], ["--url", "ftp://x"], ["--url", "x"],
    ])
    func wrongUsageIsRefused(arguments: [String]) async throws {
        let run = try await CommandLineRun.tiketi(["simulate"] + arguments)
        #expect(run.status == 64)
        #expect(run.error.contains(arguments[0]))
    }

    /// An ingest process on a port of its own choice.
    private final class Ingest {
        private let process = Process()
        private let log: URL

        init(_ settings: [String: String], _ folder: URL) throws {
            log = folder.appending(path: "ingest.log")
            try Data().write(to: log)
            process.executableURL = CommandLineRun.binary
            process.arguments = ["serve", "ingest", "--port", "0"]
            process.environment = ["PATH": "/usr/bin:/bin"].merging(settings) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = try FileHandle(forWritingTo: log)
            try process.run()
        }

        struct NotListening: Error {
            var log: String
        }

        func port() async throws -> Int {
            try await eventually {
                let text = try String(contentsOf: log, encoding: .utf8)
                guard let line = text.split(separator: "\n").first(where: { $0.contains(#""message":"listening""#) }),
                    let port = line.split(separator: #""port":""#).last.flatMap({ Int($0.prefix { $0 != "\"" }) })
                else { throw NotListening(log: text) }
                return port
            }
        }

        /// Has it store what it acknowledged, and end.
        func drain() async {
            process.terminate()
            await withCheckedContinuation { continuation in
                Thread { [process] in
                    process.waitUntilExit()
                    continuation.resume()
                }.start()
            }
        }

        func kill() {
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        }
    }
}
