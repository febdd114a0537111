import Foundation

/// How long processes have computed, user and system together.
struct ProcessorTime: Equatable {
    /// In ticks of `ticksPerSecond`.
    var own: Int
    /// Of children that have ended and were waited for.
    var endedChildren: Int
    var parent: Int32

    static let ticksPerSecond = sysconf(Int32(_SC_CLK_TCK))

    /// - Parameter stat: the text of `/proc/PID/stat`. A process's name may hold spaces and parentheses.
    init?(stat: String) {
        guard let name = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 14, let parent = Int32(fields[1]) else { return nil }
        let times = fields[11...14].compactMap { Int($0) }
        guard times.count == 4 else { return nil }
        self.parent = parent
        own = times[0] + times[1]
        endedChildren = times[2] + times[3]
    }

    private init?(pid: Int32) {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        self.init(stat: text)
    }

    /// Of this process alone, in milliseconds.
    static var own: Double {
        Double(ProcessorTime(pid: getpid())?.own ?? 0) * 1000 / Double(ticksPerSecond)
    }

    /// Of a process and the children that it has or had, in milliseconds; 0 where there is none.
    static func milliseconds(of pid: Int32) -> Double {
        guard let process = ProcessorTime(pid: pid) else { return 0 }
        let pids = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
        let children = pids.compactMap { ProcessorTime(pid: $0) }.filter { $0.parent == pid }
        let ticks = children.reduce(process.own + process.endedChildren) { $0 + $1.own + $1.endedChildren }
        return Double(ticks) * 1000 / Double(ticksPerSecond)
    }
}
