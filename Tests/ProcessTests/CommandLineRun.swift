import Foundation

/// One run of a program to its end.
struct CommandLineRun: Sendable {
    var status: Int32
    var output: String
    var error: String

    /// The `tiketi` of the build folder whose product these tests are, too.
    static let binary = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("tiketi")

    /// Runs the `tiketi` that was built with these tests, with these settings and no other.
    static func tiketi(
        _ arguments: [String], settings: [String: String] = [:], input: URL? = nil
    ) async throws -> CommandLineRun {
        try await run(binary, arguments, settings: settings, input: input)
    }

    static func run(
        _ program: URL, _ arguments: [String], settings: [String: String] = [:], input: URL? = nil
    ) async throws -> CommandLineRun {
        try await withCheckedThrowingContinuation { continuation in
            // Waiting blocks.
            Thread {
                continuation.resume(with: Result { try blocking(program, arguments, settings, input) })
            }.start()
        }
    }

    private static func blocking(
        _ program: URL, _ arguments: [String], _ settings: [String: String], _ input: URL?
    ) throws -> CommandLineRun {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tiketi-run-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files, which take any amount, whoever reads when.
        let (output, error) = (folder.appendingPathComponent("output"), folder.appendingPathComponent("error"))
        for file in [output, error] { try Data().write(to: file) }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        // Not ours: a `tiketi dev` may have left its settings there.
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin"].merging(settings) { $1 }
        process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: error)
        try process.run()
        process.waitUntilExit()
        return CommandLineRun(
            status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
            error: try String(contentsOf: error, encoding: .utf8))
    }
}
