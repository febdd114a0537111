import Foundation
import TestSupport
import Testing

@testable import tiketi

/// `tiketi dev`: all services in one process, with nothing in them.
struct RunningShop: Sendable {
    let address: String
    /// What it keeps, such as the mails it has sent.
    let data: URL
    /// With which settings its services run.
    let settings: [String: String]

    /// Runs `body` with a shop of its own, which ends in good order.
    static func with<R>(
        _ settings: [String: String] = [:], _ body: (RunningShop) async throws -> R
    ) async throws -> R {
        try await withTemporaryFolder { folder in
            let data = folder.appending(path: "data", directoryHint: .isDirectory)
            let program = try RunningProgram(
                ["dev", "--no-demo", "--port", "0", "--data-dir", data.path], settings: settings, name: "dev",
                in: folder)
            do {
                // It makes a Postgres and its databases first.
                let address = try await eventually {
                    guard let line = program.output.split(separator: "\n").first(where: { $0.hasPrefix("ready ") })
                    else { throw NotYet(what: "not ready: \(program.error)") }
                    return String(line.dropFirst("ready ".count))
                }
                let kept = try String(contentsOf: data.appending(path: "env"), encoding: .utf8)
                let shop = RunningShop(address: address, data: data, settings: EnvironmentFile.parse(kept))
                let result = try await body(shop)
                program.signal(SIGTERM)
                #expect(await program.end() == .exited(0), "\(program.error)")
                return result
            } catch {
                print(program.error)
                program.signal(SIGTERM)
                _ = await program.end()
                throw error
            }
        }
    }

    func admin() async throws -> ShopClient {
        var admin = ShopClient(address: address)
        try await admin.signIn(
            try #require(settings["ADMIN_EMAIL"]), password: try #require(settings["ADMIN_PASSWORD"]))
        return admin
    }
}
