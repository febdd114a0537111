package import Foundation
package import Logging

/// Runs `body` with an empty folder that is removed afterwards.
package func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
    let folder = FileManager.default.temporaryDirectory
        .appending(path: "tiketi-\(UInt32.random(in: 0 ... .max))", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// Repeats `body` until it throws no more: for what another process or task brings about. Gives up after three minutes: some start a Postgres first, beside others that do.
package func eventually<R>(_ body: () async throws -> R) async throws -> R {
    let maxWait = Duration.seconds(180)
    let deadline = ContinuousClock.now + maxWait
    while true {
        do {
            return try await body()
        } catch {
            guard ContinuousClock.now < deadline else { throw error }
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// Waits until the condition holds, up to a minute.
package func until(
    file: StaticString = #fileID, line: Int = #line, _ condition: () async throws -> Bool
) async throws {
    try await eventually {
        if try await !condition() { throw NotYet(what: "the condition at \(file):\(line) does not hold") }
    }
}

/// What `eventually` waits for is not there yet.
package struct NotYet: Error, CustomStringConvertible {
    package let description: String

    package init(what: String) {
        description = what
    }
}

/// For tests in which warnings and errors are to be expected.
package let silentLogger = Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() }
