import Foundation

/// Whom a server runs as that refuses to run as root.
struct ServerUser: Sendable {
    let uid: uid_t
    /// What goes before the server's command to become that user.
    let prefix: [String]

    static let current = ServerUser(uid: geteuid(), prefix: [])

    /// Ourselves, or when we are root, `postgres` or `nobody`, with the right to pass root's folders where we may give
    /// it: otherwise a data folder below `/root` would be out of reach.
    static func forPostgres() throws -> ServerUser {
        if geteuid() != 0 { return current }
        guard
            let (name, uid) = ["postgres", "nobody"].lazy.compactMap({ name in uid(of: name).map { (name, $0) } }).first
        else { throw PrivateServerError("Postgres does not run as root, and there is no user postgres or nobody") }
        let setpriv = try ServerCommand.find("setpriv", alsoIn: ["/usr/bin"])
        let become = [setpriv, "--reuid=\(name)", "--regid=\(name)", "--clear-groups"]
        let passing = become + ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        for prefix in [passing, become] {
            let trial = ServerCommand(executable: setpriv, arguments: Array(prefix.dropFirst()) + ["true"])
            if (try? trial.run()) != nil { return ServerUser(uid: uid, prefix: prefix) }
        }
        throw PrivateServerError("setpriv cannot become user \(name)")
    }

    func command(_ executable: String, _ arguments: [String]) -> ServerCommand {
        // A current folder that the user may not enter would be in every tool's way.
        let words = prefix + ["/bin/sh", "-c", #"cd / && exec "$0" "$@""#, executable] + arguments
        return ServerCommand(executable: words[0], arguments: Array(words.dropFirst()))
    }

    private static func uid(of name: String) -> uid_t? {
        guard let passwd = try? String(contentsOf: URL(filePath: "/etc/passwd"), encoding: .utf8) else { return nil }
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 3, fields[0] == name { return uid_t(fields[2]) }
        }
        return nil
    }
}
