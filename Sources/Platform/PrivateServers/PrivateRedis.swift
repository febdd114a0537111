package import Foundation
import Storage

/// A private Redis; see `PrivateServer`.
package final class PrivateRedis: PrivateServer {
    package static let databases = 512
    static let maxStartWait = Duration.seconds(30)
    static let maxStopWait = Duration.seconds(10)

    package let folder: URL
    /// Whether it keeps its data over a restart, and over a crash but for the last second.
    private let isPersistent: Bool
    private let socketFolder: SocketFolder
    private let lock: FolderLock
    private var pidFile: URL { folder.appending(path: "redis.pid") }
    private var log: URL { folder.appending(path: "log") }
    private var socket: String { socketFolder.url.path + "/redis.sock" }

    /// - Parameter folder: Made where it is missing, and from then on this process's alone.
    package init(folder: URL, isPersistent: Bool = true) throws {
        self.folder = folder.absoluteURL.standardizedFileURL
        self.isPersistent = isPersistent
        try FileManager.default.createDirectory(
            at: self.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        lock = try FolderLock(self.folder)
        socketFolder = SocketFolder(in: self.folder, owner: geteuid())
    }

    package func url(database: Int = 0) -> String {
        let path = socket.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)!
        return "redis+unix://\(path)" + (database == 0 ? "" : "?db=\(database)")
    }

    package func startBlocking() throws {
        stopBlocking()
        let executable = try ServerCommand.find("redis-server", alsoIn: ["/usr/bin", "/usr/local/bin"])
        try socketFolder.make()
        try? FileManager.default.removeItem(at: pidFile)
        var arguments = [
            "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--daemonize", "yes",
            "--pidfile", pidFile.path, "--dir", folder.path, "--logfile", log.path,
            "--databases", String(Self.databases), "--save", "",
        ]
        arguments += ["--appendonly", isPersistent ? "yes" : "no"]
        try ServerCommand(executable: executable, arguments: arguments).run()
        let configuration = try RedisConfiguration(url: url())
        let deadline = ContinuousClock.now + Self.maxStartWait
        while true {
            do {
                _ = try RedisConnection(configuration)
                return
            } catch {
                guard ContinuousClock.now < deadline else {
                    throw PrivateServerError("redis-server does not answer: \(error); see \(log.path)")
                }
            }
            usleep(10_000)
        }
    }

    package func stopBlocking() {
        defer { socketFolder.clean() }
        guard let server = running else { return }
        server.signal(SIGTERM)
        if server.waitForEnd(atMost: Self.maxStopWait) { return }
        kill9()
    }

    package func kill9() {
        guard let server = running else { return }
        server.signal(SIGKILL)
        _ = server.waitForEnd(atMost: Self.maxStopWait)
    }

    /// Of the server that runs; nil where none does.
    package var pid: Int32? { running?.pid }

    private var running: ServerProcess? {
        guard let text = try? String(contentsOf: pidFile, encoding: .utf8),
            let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { return nil }
        return ServerProcess(pid: pid, running: "redis-server")
    }
}
