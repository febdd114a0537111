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
        let settings = try checked { try environmentFile?.settings() ?? Settings.ofProcess(overrides: overrides) }
        let (format, level) = try checked {
            (try settings.logFormat(default: defaultLogFormat), try settings.logLevel())
        }
        LogOutput.bootstrap(format: format, level: level)
        return (settings, Logger(label: "tiketi"))
    }

    /// Turns a missing or malformed setting into its one line and exit code 2.
    static func checked<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as SettingsError {
            standardError("tiketi: \(error)")
            throw wrongUsage
        }
    }

    static func standardError(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    static let clock: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
}
