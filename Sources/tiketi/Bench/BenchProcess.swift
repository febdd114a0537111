import Foundation

/// A process that is being measured, or a peer's: started with its output in a file, and stopped whatever happens.
final class BenchProcess: Sendable {
    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    static let maxStop: Duration = .seconds(120)
    static let maxReported = 2000

    let name: String
    private let process = Process()
    private let output: URL

    var pid: Int32 { process.processIdentifier }

    /// - Parameter settings: added to this process's environment.
    init(
        _ executable: String, _ arguments: [String], settings: [String: String] = [:], in folder: URL, name: String
    ) throws {
        self.name = name
        output = folder.appending(path: "\(name).log")
        guard FileManager.default.createFile(atPath: output.path, contents: nil) else {
            throw Failed(description: "cannot write to \(output.path)")
        }
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(settings) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = process.standardOutput
        try process.run()
    }

    /// This program with other arguments.
    static func tiketi(
        _ arguments: [String], settings: [String: String], in folder: URL, named name: String? = nil
    ) throws -> BenchProcess {
        try BenchProcess(
            "/proc/self/exe", arguments, settings: settings, in: folder,
            name: name ?? arguments.prefix(2).joined(separator: "-"))
    }

    /// What it has written so far.
    var said: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    private var failure: Failed {
        Failed(
            description:
                "\(name) failed: \(said.suffix(Self.maxReported).split(separator: "\n").joined(separator: "; "))")
    }

    /// Waits until it has ended by itself; throws unless it succeeded.
    func finish() async throws {
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        guard process.terminationStatus == 0 else { throw failure }
    }

    /// As `finish`, and returns the most memory that it had resident, in bytes, as far as that could be seen.
    func finishMeasuringMemory() async throws -> Int {
        var peak = 0
        while process.isRunning {
            peak = max(peak, peakResidentBytes)
            try await Task.sleep(for: .milliseconds(10))
        }
        try await finish()
        return peak
    }

    /// SIGTERM, and after `maxStop` SIGKILL. Not bothered by cancellation.
    func stop() async {
        await Task {
            let deadline = ContinuousClock.now + Self.maxStop
            process.terminate()
            while process.isRunning {
                if ContinuousClock.now > deadline { kill(process.processIdentifier, SIGKILL) }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }.value
    }

    func checkRunning() throws {
        guard process.isRunning else { throw failure }
    }

    /// The most memory it ever had resident, in bytes.
    var peakResidentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0) * 1024
    }
}
