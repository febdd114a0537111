package import Foundation
import NIOPosix

/// Puts letters into a folder, for development: one `.eml` file each, readable by nobody else.
package struct FileOutbox: Mailer {
    /// The oldest go for the next.
    package static let maxFiles = 1000

    private let folder: URL
    private let sender: String
    private let clock: @Sendable () -> Int64

    package init(folder: URL, sender: String, clock: @escaping @Sendable () -> Int64) {
        self.folder = folder
        self.sender = sender
        self.clock = clock
    }

    package func send(_ mail: Mail) async throws {
        let now = clock()
        let text = MailMessage.text(mail, from: sender, now: now)
        let folder = folder
        try await NIOThreadPool.singleton.runIfActive {
            let files = FileManager.default
            try files.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // Names sort by time.
            let name = String(format: "%014lld-", now) + UUID().uuidString.lowercased()
            let unfinished = folder.appending(path: "\(name).part")
            guard
                files.createFile(
                    atPath: unfinished.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: unfinished.path]) }
            try files.moveItem(at: unfinished, to: folder.appending(path: "\(name).eml"))
            let kept = try files.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".eml") }.sorted()
            for name in kept.dropLast(Self.maxFiles) { try files.removeItem(at: folder.appending(path: name)) }
        }
    }
}
