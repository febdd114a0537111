import Foundation
import NIOPosix

/// Writes one state after the other, each whole or not at all.
actor SandboxStateFile {
    static func read(_ file: URL) throws -> SandboxState? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try JSONDecoder().decode(SandboxState.self, from: Data(contentsOf: file))
    }

    private var last: Task<Void, any Error>?

    func write(_ state: SandboxState, to file: URL) async throws {
        let before = last
        let task = Task {
            _ = try? await before?.value
            try await NIOThreadPool.singleton.runIfActive {
                try JSONEncoder().encode(state).write(to: file, options: .atomic)
            }
        }
        last = task
        try await task.value
    }
}
