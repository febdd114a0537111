import Foundation
import TestSupport

/// An engine that shares nothing with ours, where `scripts/install-duckdb` has put it.
enum DuckDB {
    struct Failed: Error {
        let reason: String
    }

    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
    private static let installation = root.appending(path: ".build/duckdb")
    private static let python = installation.appending(path: "bin/python3")
    private static let program = root.appending(path: "Tests/Differential/answer")

    /// Said where a test is skipped.
    static let absence = """
        DuckDB is not installed: scripts/install-duckdb, which 'make test' runs, puts it into .build as far as PyPI can \
        be reached. The differential test is left out.
        """

    static var isInstalled: Bool {
        // The last that is written.
        FileManager.default.fileExists(atPath: installation.appending(path: "installed").path)
    }

    /// Where a test that can't run has failed, as in `.ci/run`.
    static var isRequired: Bool { ProcessInfo.processInfo.environment["TIKETI_REQUIRES_DUCKDB"] != nil }

    /// What Tiketi's numbers are compared with.
    static func differentialScript() throws -> String {
        try String(contentsOf: root.appending(path: "Tests/Differential/differential.sql"), encoding: .utf8)
    }

    /// Runs statements that read and write files of the folder.
    static func run(_ script: String, in folder: URL) async throws {
        guard isInstalled else { throw Failed(reason: absence) }
        let file = folder.appending(path: "script.sql")
        try Data(script.utf8).write(to: file)
        let run = try await RunningProgram.run(
            python, [program.path, folder.path, file.path], settings: [:], name: "duckdb", in: folder)
        guard run.ending == .exited(0) else { throw Failed(reason: run.error) }
    }

    /// The lines that it wrote, split at tabs.
    static func lines(_ name: String, in folder: URL) throws -> [[Substring]] {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            .split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    }
}
