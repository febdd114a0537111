import ArgumentParser
import Foundation
import Platform

/// Where commands beside a running `tiketi dev` find its servers: lines of NAME=value, behind the environment.
struct EnvironmentFile: ParsableArguments {
    static let standardPath = ".tiketi/env"
    /// A larger file is none of ours.
    static let maxBytes = 64 * 1024

    @Option(
        help: ArgumentHelp(
            "File of NAME=value lines for what the environment does not set; \(standardPath) where it is present.",
            valueName: "file"))
    var envFile: String?

    /// The environment, and behind it the file.
    func settings() throws -> Settings {
        let environment = ProcessInfo.processInfo.environment
        return Settings(environment: Self.merge(environment, try values()))
    }

    private func values() throws -> [String: String] {
        guard let handle = FileHandle(forReadingAtPath: envFile ?? Self.standardPath) else {
            guard let envFile else { return [:] }
            throw SettingsError("--env-file", "cannot read \(envFile)")
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: Self.maxBytes + 1) ?? Data(), data.count <= Self.maxBytes,
            let text = String(validating: data, as: UTF8.self)
        else { throw SettingsError("--env-file", "\(envFile ?? Self.standardPath) is no file of NAME=value lines") }
        return Self.parse(text)
    }

    /// Blank lines and those that begin with `#` say nothing.
    static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return values
    }

    /// What the environment sets, in either form, is not taken from the file.
    static func merge(_ environment: [String: String], _ file: [String: String]) -> [String: String] {
        func isSet(_ name: String) -> Bool { environment[name]?.isEmpty == false }
        var merged = environment
        for (name, value) in file {
            let plain = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
            if !isSet(plain) && !isSet(plain + "_FILE") { merged[name] = value }
        }
        return merged
    }
}
