import Foundation

/// A daemon that is not our child, by its pid.
struct ServerProcess: Sendable, Equatable {
    let pid: Int32

    /// The process of that pid where it runs `executable` (`postgres`, `redis-server`): pids are used again.
    init?(pid: Int32, running executable: String) {
        self.pid = pid
        guard pid > 1, isRunning,
            let command = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/comm")),
            String(decoding: command, as: UTF8.self).hasPrefix(executable)
        else { return nil }
    }

    /// False also for one that has ended wholly and was not waited for by its parent yet.
    var isRunning: Bool {
        guard kill(pid, 0) == 0 || errno == EPERM else { return false }
        guard let stat = try? String(contentsOf: URL(filePath: "/proc/\(pid)/stat"), encoding: .utf8) else {
            return false
        }
        // The state comes after the command's name, which may itself hold spaces and parentheses.
        let state = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].dropFirst(2).first
        guard state == "Z" || state == "X" else { return true }
        // While others of its threads end, they hold its files and sockets.
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"))?.count ?? 0) > 1
    }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Waits for its end; false when it is late. Blocks.
    func waitForEnd(atMost limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            guard ContinuousClock.now < deadline else { return false }
            usleep(10_000)
        }
        return true
    }
}
