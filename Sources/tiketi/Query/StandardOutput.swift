import Glibc

/// Where answers go.
enum StandardOutput {
    /// It takes no more: a full disk, a reader that is gone.
    struct Failed: Error, CustomStringConvertible {
        let reason: Int32

        var description: String { "standard output can't be written: \(String(cString: strerror(reason)))" }
    }

    /// Blocks while nobody reads.
    static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                // Somebody else's choice, as of a shell that shares the terminal.
                var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, -1)
            } else if errno != EINTR {
                throw Failed(reason: errno)
            }
        }
    }
}
