import ArgumentParser
import Foundation
import Logging
import Platform

/// What every command reads from the environment before it does anything.
enum ProcessSettings {
    /// Exit code of a command that was used or set up wrongly.
    static let wrongUsage = ExitCode(2)
    /// Exit code of a command that may work when it is tried again: a server was away or overloaded.
    static let tryAgain = ExitCode(75)

    /// Settings of the process, with logging set up by them.
    ///
    /// - Parameter environmentFile: of commands that run beside a `tiketi dev`; services take the environment alone.
    static func bootstrap(
        defaultLogFormat: LogFormat = .json, overrides: [String: String] = [:],
        environmentFile: EnvironmentFile? = nil
    ) throws -> (settings: Settings, logger: Logger) {
        let settings = try environmentFile?.settings() ?? Settings.ofProcess(overrides: overrides)
        LogOutput.bootstrap(format: try settings.logFormat(default: defaultLogFormat), level: try settings.logLevel())
        return (settings, Logger(label: "tiketi"))
    }

    static func standardError(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    static let clock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
}
