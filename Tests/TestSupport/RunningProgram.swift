package import Foundation
import Synchronization

/// A program that a test has started and may signal; what it prints goes to files in a folder of the test's.
package final class RunningProgram: Sendable {
    package enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signaled(Int32)
    }

    private struct State {
        var ending: Ending?
        var waiting: [CheckedContinuation<Ending, Never>] = []
    }

    package let pid: Int32
    private let outputFile: URL
    private let errorFile: URL
    private let state = Mutex(State())

    /// The `tiketi` of `TIKETI_BINARY`, else the one that was built with the tests.
    package static var tiketi: URL {
        if let path = ProcessInfo.processInfo.environment["TIKETI_BINARY"] { return URL(filePath: path) }
        // Both are products of one build folder.
        return URL(filePath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "tiketi")
    }

    /// Starts `tiketi` with these settings and no other.
    ///
    /// - Parameter name: of the files in `folder` that take its output; they are overwritten.
    package convenience init(
        _ arguments: [String], settings: [String: String], name: String, in folder: URL
    ) throws {
        try self.init(Self.tiketi, arguments, settings: settings, name: name, in: folder)
    }

    /// Starts any other program likewise.
    package init(
        _ executable: URL, _ arguments: [String], settings: [String: String], name: String, in folder: URL
    ) throws {
        outputFile = folder.appending(path: "\(name).out")
        errorFile = folder.appending(path: "\(name).err")
        for file in [outputFile, errorFile] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": NSTemporaryDirectory()]
            .merging(settings) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)
        try process.run()
        pid = process.processIdentifier
        Thread { [self] in
            process.waitUntilExit()
            let ending: Ending =
                process.terminationReason == .exit
                ? .exited(process.terminationStatus) : .signaled(process.terminationStatus)
            let waiting = state.withLock { state in
                state.ending = ending
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: ending) }
        }.start()
    }

    /// Runs `tiketi` to its end.
    package static func run(
        _ arguments: [String], settings: [String: String], name: String, in folder: URL
    ) async throws -> (ending: Ending, output: String, error: String) {
        try await run(tiketi, arguments, settings: settings, name: name, in: folder)
    }

    /// Runs any other program likewise.
    package static func run(
        _ executable: URL, _ arguments: [String], settings: [String: String], name: String, in folder: URL
    ) async throws -> (ending: Ending, output: String, error: String) {
        let program = try RunningProgram(executable, arguments, settings: settings, name: name, in: folder)
        let ending = await program.end()
        return (ending, program.output, program.error)
    }

    /// Does nothing once it has ended: its pid may be another's by then.
    package func signal(_ number: Int32) {
        state.withLock { state in
            if state.ending == nil { kill(pid, number) }
        }
    }

    /// Waits for its end, however it comes.
    @discardableResult
    package func end() async -> Ending {
        await withCheckedContinuation { continuation in
            let ending = state.withLock { state in
                if state.ending == nil { state.waiting.append(continuation) }
                return state.ending
            }
            if let ending { continuation.resume(returning: ending) }
        }
    }

    package var hasEnded: Bool { state.withLock { $0.ending != nil } }
    package var output: String { Self.text(outputFile) }
    package var error: String { Self.text(errorFile) }

    private static func text(_ file: URL) -> String {
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    }
}
