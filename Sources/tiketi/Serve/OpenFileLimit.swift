import Glibc

/// How many descriptors this process may have open: each connection takes one.
enum OpenFileLimit {
    /// For segments, connections to servers and what libraries open.
    static let reserved = 512

    /// Raises the limit to what the system lets a process have at most.
    ///
    /// - Returns: how many connections it leaves room for.
    static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return reserved }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return max(1, Int(clamping: limit.rlim_cur) - reserved)
    }
}
