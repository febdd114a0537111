import Foundation
import Platform

/// The settings of a `tiketi dev`, as its `env` file holds them.
struct DevEnvironment {
    static let adminEmail = "admin@tiketi.example"

    private let file: URL
    private(set) var values: [String: String]

    /// - Parameter servers: the URLs of the private servers.
    init(folder: URL, servers: [String: String]) throws {
        file = folder.appending(path: "env")
        var values = servers
        values["SPOOL_DIR"] = folder.appending(path: "spool").path
        values["NODE_ID"] = "dev"
        for key in ["JWT", "JWT_NEXT", "PAYMENTS", "TICKET"] {
            let name = key.lowercased().replacing("_", with: "-")
            let file = folder.appending(path: "\(name)-signing-key")
            values["\(key)_SIGNING_KEY"] = try Self.signingKey(file)
        }
        values["ADMIN_EMAIL"] = Self.adminEmail
        // A key's seed is as good a password as any: 43 random characters.
        values["ADMIN_PASSWORD"] = try Self.signingKey(folder.appending(path: "admin-password"))
        values["MAIL_DIR"] = folder.appending(path: "mail").path
        self.values = values
    }

    /// Made once, so that tokens and tickets outlive a restart.
    private static func signingKey(_ file: URL) throws -> String {
        if let seed = try? String(contentsOf: file, encoding: .utf8), !seed.isEmpty { return seed }
        let seed = SigningKey.generate().seed
        try writePrivately(seed, to: file)
        return seed
    }

    /// The settings of a sandbox in place of Toss.
    mutating func set(sandbox address: String) {
        values["TOSS_API_URL"] = address
        values["TOSS_SECRET_KEY"] = DevSandbox.secretKey
        values["TOSS_CLIENT_KEY"] = DevSandbox.clientKey
        values["TOSS_SANDBOX"] = "true"
    }

    /// - Parameter site: where it serves. Others ask there for the keys that it has itself.
    func write(site: String) throws {
        let all = values.merging(["JWKS_URL": "\(site)/.well-known/jwks.json"]) { $1 }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
        try Self.writePrivately(lines.joined(), to: file)
    }

    /// Readable by nobody else, and never half there.
    private static func writePrivately(_ text: String, to file: URL) throws {
        let temporary = file.appendingPathExtension("new")
        try? FileManager.default.removeItem(at: temporary)
        guard
            FileManager.default.createFile(
                atPath: temporary.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: temporary.path]) }
        guard rename(temporary.path, file.path) == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: file.path])
        }
    }

    /// A day's access for the person at the terminal.
    static func token(_ settings: Settings) async throws -> String? {
        guard let key = try settings.jwtSigningKey() else { return nil }
        return try await SigningKey(key).mint(
            audience: Audience.allCases, subject: "dev", role: .admin, lifetimeSeconds: 86_400,
            now: ProcessSettings.clock() / 1000)
    }
}
