import Foundation
import Storage
import TestSupport
import Testing

@Suite struct DevTests {
    /// `tiketi dev` is killed with beacons under way, goes on from its data, and leaves no server behind when it is
    /// told to end.
    @Test func killedAndStartedAgainLosesNothingAndCtrlCStopsEverything() async throws {
        let generator = SeededGenerator()
        print("dev test: \(generator)")
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data", directoryHint: .isDirectory)
            let first = try start(1, data, in: folder)
            let load = BeaconLoad(
                OfferedBeacons(seed: generator.seed), requests: 40, rate: 20_000, port: try await port(of: first))
            try await load.run()
            first.signal(SIGKILL)
            #expect(await first.end() == .signaled(SIGKILL))
            // On a busy machine a request may be given up for want of an answer.
            let givenUp = load.totals.givenUp
            #expect(load.acknowledgedBeacons == (40 - givenUp) * OfferedBeacons.defaultPerRequest)
            #expect(givenUp < 40)
            #expect(try !processes(of: data).isEmpty, "its servers outlive it")

            let second = try start(2, data, in: folder)
            _ = try await port(of: second)
            let pool = PostgresPool(
                try PostgresConfiguration(url: try setting("ANALYTICS_DATABASE_URL", in: data)), connections: 1,
                logger: silentLogger)
            let stored = try await eventually {
                let stored = try await StoredBeacons.read(of: load, pool)
                guard stored.unfoldedBatches == 0, stored.counted >= load.acknowledgedBeacons else {
                    throw NotYet(what: "\(stored.counted) counted")
                }
                return stored
            }
            #expect(stored.lost().isEmpty)
            #expect(stored.counted == load.acknowledgedBeacons)
            await pool.shutdown()

            second.signal(SIGINT)
            #expect(await second.end() == .exited(0), "\(second.error)")
            #expect(try processes(of: data) == [])
        }
    }

    /// Ctrl-C while the servers are being made and started.
    @Test func ctrlCBeforeItIsReadyStopsEverythingToo() async throws {
        var generator = SeededGenerator()
        print("dev start test: \(generator)")
        for round in 1...2 {
            try await withTemporaryFolder { folder in
                let data = folder.appending(path: "data", directoryHint: .isDirectory)
                let program = try start(round, data, in: folder)
                // By then it heeds signals.
                try await eventually {
                    guard
                        FileManager.default.fileExists(atPath: data.appending(path: "postgres/cluster.new").path)
                            || FileManager.default.fileExists(atPath: data.appending(path: "postgres/cluster").path)
                    else { throw NotYet(what: "no cluster: \(program.error)") }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500, using: &generator)))
                program.signal(SIGINT)
                #expect(await program.end() == .exited(0), "\(program.error)")
                #expect(try processes(of: data) == [])
            }
        }
    }

    private func start(_ number: Int, _ data: URL, in folder: URL) throws -> RunningProgram {
        try RunningProgram(
            ["dev", "--no-demo", "--port", "0", "--data-dir", data.path], settings: [:], name: "dev-\(number)",
            in: folder)
    }

    /// From the line `ready http://127.0.0.1:PORT`.
    private func port(of program: RunningProgram) async throws -> Int {
        try await eventually {
            let prefix = "ready http://127.0.0.1:"
            guard let line = program.output.split(separator: "\n").first(where: { $0.hasPrefix(prefix) }),
                let port = Int(line.dropFirst(prefix.count))
            else { throw NotYet(what: "not ready: \(program.output)\(program.error)") }
            return port
        }
    }

    private func setting(_ name: String, in data: URL) throws -> String {
        let lines = try String(contentsOf: data.appending(path: "env"), encoding: .utf8).split(separator: "\n")
        return String(try #require(lines.first { $0.hasPrefix("\(name)=") }).dropFirst(name.count + 1))
    }

    /// The processes that name the folder in their command line.
    private func processes(of folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard Int32(name) != nil, let line = try? Data(contentsOf: URL(filePath: "/proc/\(name)/cmdline")) else {
                return nil
            }
            let text = String(decoding: line, as: UTF8.self).replacing("\0", with: " ")
            return text.contains(folder.path) ? "\(name) \(text)" : nil
        }
    }
}
