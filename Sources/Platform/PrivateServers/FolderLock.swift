import Foundation

/// Keeps a second process from using a folder. The kernel lets go of it when the process ends, however it ends.
final class FolderLock: Sendable {
    /// Whoever ended just now, or a program that a dead owner was just starting, may hold it for a moment yet.
    static let maxWait = Duration.seconds(2)

    private let descriptor: Int32

    /// Blocks, for `maxWait` at most.
    init(_ folder: URL) throws {
        descriptor = open(folder.appending(path: "lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PrivateServerError("cannot write to \(folder.path): \(String(cString: strerror(errno)))")
        }
        let deadline = ContinuousClock.now + Self.maxWait
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                close(descriptor)
                throw PrivateServerError("\(folder.path) is in use by another process")
            }
            usleep(10_000)
        }
    }

    deinit { close(descriptor) }
}
