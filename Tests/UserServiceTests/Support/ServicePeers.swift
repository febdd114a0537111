import Foundation
import TestSupport

/// Programs by others that the service talks to, where `scripts/install-service-peers` has put them.
enum ServicePeers {
    struct Absent: Error, CustomStringConvertible {
        let description: String
    }

    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
    private static let installation = root.appending(path: ".build/service-peers")

    static let absence = """
        The services' peers are not installed: scripts/install-service-peers, which 'make test' runs, puts them into \
        .build as far as PyPI can be reached. The tests that talk to them are left out.
        """

    /// Also where they must be, as in `.ci/run`: then the tests run, and fail.
    static var isInstalled: Bool {
        ProcessInfo.processInfo.environment["TIKETI_REQUIRES_SERVICE_PEERS"] != nil
            // The last that is written.
            || FileManager.default.fileExists(atPath: installation.appending(path: "installed").path)
    }

    private static func withPython<R>(
        _ arguments: [String], in folder: URL, _ body: (RunningProgram) async throws -> R
    ) async throws -> R {
        let program = try RunningProgram(
            installation.appending(path: "bin/python3"), arguments, settings: ["PYTHONUNBUFFERED": "1"], name: "peer",
            in: folder)
        do {
            let result = try await body(program)
            program.signal(SIGKILL)
            await program.end()
            return result
        } catch {
            program.signal(SIGKILL)
            await program.end()
            throw error
        }
    }

    /// Runs `body` with the address of an OpenID provider where anybody is whoever they say.
    static func withOpenIDProvider<R>(_ body: (_ issuer: String) async throws -> R) async throws -> R {
        try await withTemporaryFolder { folder in
            try await withPython(["-m", "oidc_provider_mock", "--port", "0"], in: folder) { program in
                let issuer = try await eventually {
                    let said = program.error + program.output
                    guard let match = said.firstMatch(of: /running on (http:\/\/127\.0\.0\.1:[0-9]+)/) else {
                        if program.hasEnded { throw Absent(description: said) }
                        throw NotYet(what: said)
                    }
                    return String(match.1)
                }
                return try await body(issuer)
            }
        }
    }

    /// Runs `body` with the port of a mail server, and what it has printed since.
    static func withMailServer<R>(
        _ mode: String, _ arguments: [String] = [], in folder: URL,
        _ body: (_ port: Int, _ letters: () -> [Substring]) async throws -> R
    ) async throws -> R {
        let script = root.appending(path: "Tests/Peers/mail-server").path
        return try await withPython([script, mode] + arguments, in: folder) { program in
            let port = try await eventually {
                guard let line = program.output.split(separator: "\n").first, let port = Int(line) else {
                    throw NotYet(what: "its port: \(program.error)")
                }
                return port
            }
            return try await body(port) { Array(program.output.split(separator: "\n").dropFirst()) }
        }
    }
}
