import Foundation
import Platform

/// What test processes that were killed have left behind.
enum StaleServers {
    private static let prefix = "tiketi-tests-"

    static func folder(of pid: Int32) -> URL {
        FileManager.default.temporaryDirectory.appending(path: "\(prefix)\(pid)", directoryHint: .isDirectory)
    }

    /// Stops the servers of processes that have ended and removes their folders.
    static func remove() {
        let parent = FileManager.default.temporaryDirectory
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? [] {
            guard name.hasPrefix(prefix), let pid = Int32(name.dropFirst(prefix.count)), pid != getpid(),
                kill(pid, 0) != 0, errno == ESRCH
            else { continue }
            // A lock that is taken belongs to another process that is cleaning up.
            let folder = folder(of: pid)
            if let postgres = try? PrivatePostgres(folder: folder.appending(path: "postgres")) {
                postgres.stopBlocking()
            }
            if let redis = try? PrivateRedis(folder: folder.appending(path: "redis")) { redis.stopBlocking() }
            try? FileManager.default.removeItem(at: folder)
        }
    }
}
