internal import Glibc

/// A failed system call on a file or directory.
package struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
    package let call: String
    package let path: String
    package let errno: Int32

    /// No space, or no quota, for what was asked: the caller may go on later.
    package var isOutOfSpace: Bool { errno == ENOSPC || errno == EDQUOT }
    package var isMissing: Bool { errno == ENOENT }

    package var description: String {
        "\(call) \(path): \(unsafe String(cString: strerror(errno)))"
    }

    static func last(_ call: String, _ path: String) -> DiskError {
        DiskError(call: call, path: path, errno: Glibc.errno)
    }
}
