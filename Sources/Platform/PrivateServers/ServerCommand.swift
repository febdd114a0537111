import Foundation

/// Runs a server's own tools to their end, and tells what they said where they fail.
struct ServerCommand {
    /// Of a failed tool's output, the end that goes into the error.
    static let maxReported = 2000

    let executable: String
    var arguments: [String]

    /// Blocks until the tool has ended: keep it off the cooperative threads.
    ///
    /// Not Foundation's `Process`: it waits for the end of a socket that its child inherits, which a daemon that the
    /// tool leaves behind holds open for ever.
    func run() throws {
        // To a file, not a pipe, for the same reason.
        let output = FileManager.default.temporaryDirectory.appending(path: "tiketi-\(UUID().uuidString).out")
        defer { try? FileManager.default.removeItem(at: output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A daemon would keep our sockets and files; one that is closed meanwhile does no harm here.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        }
        // Nor must it be deaf to the signals that our threads block or ignore.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGCHLD] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var pid: pid_t = 0
        let failure = Self.withPointers([executable] + arguments) { arguments in
            posix_spawn(&pid, executable, &actions, &attributes, arguments, environ)
        }
        guard failure == 0 else {
            throw PrivateServerError("cannot run \(executable): \(String(cString: strerror(failure)))")
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        // The low seven bits are the signal that ended it, the next byte its exit code.
        guard status == 0 else {
            let said = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            let lines = said.suffix(Self.maxReported).split(separator: "\n").joined(separator: "; ")
            let reason = status & 0x7f == 0 ? "\((status >> 8) & 0xff)" : "signal \(status & 0x7f)"
            throw PrivateServerError("\(executable) failed (\(reason)): \(lines)")
        }
    }

    /// The C form of an argument list: pointers to C strings, then null.
    private static func withPointers<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }

    /// The tool's path: from `PATH`, or else from one of the folders.
    static func find(_ name: String, alsoIn folders: [String] = []) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":").map(String.init) + folders {
            let candidate = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw PrivateServerError("\(name) is not installed")
    }
}
