package import Foundation
import Storage
import Synchronization

/// A private Postgres; see `PrivateServer`.
package final class PrivatePostgres: PrivateServer {
    static let maxConnections = 200
    static let maxStartWait = Duration.seconds(60)
    static let maxStopWait = Duration.seconds(20)
    /// Processes of a killed server end once their statement does; until then no other can start. A minute's worth.
    static let maxStartAttempts = 240
    static let superuser = "tiketi"

    package let folder: URL
    /// False gives up what was committed last when the machine fails, for speed. A killed server loses nothing.
    private let isDurable: Bool
    private let databases: [String]
    private let user: ServerUser
    private let socketFolder: SocketFolder
    private let lock: FolderLock
    private var cluster: URL { folder.appending(path: "cluster", directoryHint: .isDirectory) }
    private var log: URL { folder.appending(path: "log") }

    /// - Parameters:
    ///   - folder: Made where it is missing, and from then on this process's alone.
    ///   - databases: Made together with the cluster, which is many times faster than one by one in a running server.
    package init(folder: URL, isDurable: Bool = true, databases: [String] = []) throws {
        self.folder = folder.absoluteURL.standardizedFileURL
        self.isDurable = isDurable
        self.databases = databases
        user = try ServerUser.forPostgres()
        try FileManager.default.createDirectory(
            at: self.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        lock = try FolderLock(self.folder)
        try self.folder.changeOwner(to: user.uid)
        socketFolder = SocketFolder(in: self.folder, owner: user.uid)
    }

    /// A libpq URI of one of its databases.
    package func url(database: String) -> String {
        let host = socketFolder.url.path.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        let name = database.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        return "postgresql://\(Self.superuser)@/\(name)?host=\(host)&port=5432"
    }

    /// Makes a database where it is missing. Blocks.
    package func createDatabase(_ name: String) throws {
        let connection = try PostgresConnection(PostgresConfiguration(url: url(database: "postgres")))
        guard try connection.query("SELECT 1 FROM pg_database WHERE datname = \(name)").isEmpty else { return }
        let quoted = "\"" + name.replacing("\"", with: "\"\"") + "\""
        try connection.execute("CREATE DATABASE \(unescaped: quoted)")
    }

    package func startBlocking() throws {
        stopBlocking()
        let tools = try findTools()
        if !FileManager.default.fileExists(atPath: cluster.path) { try makeCluster(tools) }
        try socketFolder.make()
        try writeSettings()
        // Where a killed server's pid is some other process's by now, or nobody has waited for it, Postgres would take
        // that for the server.
        for stale in [
            cluster.appending(path: "postmaster.pid"), socketFolder.url.appending(path: ".s.PGSQL.5432.lock"),
        ] {
            try? FileManager.default.removeItem(at: stale)
        }
        let start = user.command(
            "\(tools)/pg_ctl",
            [
                "start", "-w", "-s", "-t", String(Self.maxStartWait.components.seconds), "-D", cluster.path, "-l",
                log.path,
            ])
        for attempt in 1... {
            let logged = logLength
            do {
                return try start.run()
            } catch let error as PrivateServerError {
                let said = logTail(from: logged)
                guard attempt < Self.maxStartAttempts, said.contains("still in use") else {
                    throw PrivateServerError("\(error) \(said)")
                }
                usleep(250_000)
            }
        }
    }

    package func stopBlocking() {
        defer { socketFolder.clean() }
        guard let server = running else { return }
        // Fast, then immediate, then none of its business any more.
        server.signal(SIGINT)
        if server.waitForEnd(atMost: Self.maxStopWait) { return }
        server.signal(SIGQUIT)
        if server.waitForEnd(atMost: Self.maxStopWait) { return }
        server.signal(SIGKILL)
        _ = server.waitForEnd(atMost: Self.maxStopWait)
    }

    package func kill9() {
        guard let server = running else { return }
        server.signal(SIGKILL)
        _ = server.waitForEnd(atMost: Self.maxStopWait)
    }

    /// Of the server that runs; nil where none does.
    package var pid: Int32? { running?.pid }

    private var running: ServerProcess? {
        let file = cluster.appending(path: "postmaster.pid")
        guard let text = try? String(contentsOf: file, encoding: .utf8),
            let pid = text.split(separator: "\n").first.flatMap({ Int32($0) })
        else { return nil }
        return ServerProcess(pid: pid, running: "postgres")
    }

    private func findTools() throws -> String {
        let installed = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: installed)) ?? [])
            .compactMap { Int($0) }.sorted(by: >)
        let version = (try? String(contentsOf: cluster.appending(path: "PG_VERSION"), encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        if let version {
            let folder = "\(installed)/\(version)/bin"
            if FileManager.default.isExecutableFile(atPath: "\(folder)/postgres") { return folder }
        }
        let found = try ServerCommand.find("initdb", alsoIn: versions.map { "\(installed)/\($0)/bin" })
        return URL(filePath: found).resolvingSymlinksInPath().deletingLastPathComponent().path
    }

    /// Under another name first: an interrupted `initdb` leaves something that is no cluster.
    private func makeCluster(_ tools: String) throws {
        let unfinished = folder.appending(path: "cluster.new", directoryHint: .isDirectory)
        try? FileManager.default.removeItem(at: unfinished)
        var arguments = [
            "-D", unfinished.path, "-U", Self.superuser, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-instructions", "--no-sync",
        ]
        if isDurable { arguments.append("--data-checksums") }
        try user.command("\(tools)/initdb", arguments).run()
        try makeDatabases(tools, unfinished)
        let settings = unfinished.appending(path: "postgresql.conf")
        let handle = try FileHandle(forWritingTo: settings)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("include 'tiketi.conf'\n".utf8))
        try handle.close()
        // Once for its thousands of files; Postgres would ask for each of them.
        if isDurable { sync() }
        try FileManager.default.moveItem(at: unfinished, to: cluster)
    }

    /// In single-user mode, one statement a line.
    private func makeDatabases(_ tools: String, _ cluster: URL) throws {
        guard !databases.isEmpty else { return }
        let script = """
            server=$0 cluster=$1; shift
            for name in "$@"; do echo "CREATE DATABASE \\"$name\\""; done | "$server" --single -F -D "$cluster" postgres
            """
        try user.command("/bin/sh", ["-c", script, "\(tools)/postgres", cluster.path] + databases).run()
    }

    private func writeSettings() throws {
        func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
        var lines = [
            "# Written at every start.",
            "listen_addresses = ''",
            "unix_socket_directories = \(quoted(socketFolder.url.path))",
            "unix_socket_permissions = 0700",
            "port = 5432",
            "max_connections = \(Self.maxConnections)",
        ]
        if !isDurable { lines += ["fsync = off", "full_page_writes = off"] }
        let file = cluster.appending(path: "tiketi.conf")
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: file)
        try file.changeOwner(to: user.uid)
    }

    private var logLength: UInt64 {
        (try? FileManager.default.attributesOfItem(atPath: log.path)[.size] as? UInt64) ?? 0
    }

    private func logTail(from position: UInt64) -> String {
        guard let handle = try? FileHandle(forReadingFrom: log) else { return "" }
        defer { try? handle.close() }
        try? handle.seek(toOffset: position)
        let data = (try? handle.readToEnd()) ?? Data()
        return String(decoding: data.suffix(ServerCommand.maxReported), as: UTF8.self)
            .split(separator: "\n").joined(separator: "; ")
    }
}
