import Foundation

/// The process's settings: the environment, and flags that go before it. Read once, at start.
///
/// Each may be given as a file instead: `NAME_FILE` names it, and one newline at its end is left out.
package struct Settings: Sendable {
    /// A larger file is no setting.
    static let maxFileLength = 64 * 1024

    private let environment: [String: String]
    private let overrides: [String: String]

    /// - Parameter overrides: By the same names, from flags.
    package init(environment: [String: String], overrides: [String: String] = [:]) {
        self.environment = environment
        self.overrides = overrides
    }

    /// Those of this process.
    package static func ofProcess(overrides: [String: String] = [:]) -> Settings {
        Settings(environment: ProcessInfo.processInfo.environment, overrides: overrides)
    }

    /// Nil where it is not given, or empty.
    package func string(_ name: String) throws -> String? {
        if let value = overrides[name] { return value.isEmpty ? nil : value }
        let value = environment[name].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = environment["\(name)_FILE"], !path.isEmpty else { return value }
        guard value == nil else { throw SettingsError(name, "given twice, also as \(name)_FILE: remove one") }
        return try contents(of: path, name)
    }

    package func require(_ name: String) throws -> String {
        guard let value = try string(name) else {
            throw SettingsError(name, "missing: set it, or \(name)_FILE to a file that holds it")
        }
        return value
    }

    package func int(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws -> Int {
        guard let text = try string(name) else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw SettingsError(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// One of the names of a closed set.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, default fallback: Choice
    ) throws -> Choice {
        guard let text = try string(name) else { return fallback }
        guard let value = Choice(rawValue: text.lowercased()) else {
            throw SettingsError(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return value
    }

    private func contents(of path: String, _ name: String) throws -> String? {
        let setting = "\(name)_FILE"
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw SettingsError(setting, "cannot read \(path)")
        }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: Self.maxFileLength + 1) ?? Data() else {
            throw SettingsError(setting, "cannot read \(path)")
        }
        guard data.count <= Self.maxFileLength else {
            throw SettingsError(setting, "\(path) is larger than \(Self.maxFileLength) bytes")
        }
        guard var text = String(validating: data, as: UTF8.self) else {
            throw SettingsError(setting, "\(path) is not UTF-8 text")
        }
        // One character also where it is CR LF.
        if text.last?.isNewline == true { text.removeLast() }
        return text.isEmpty ? nil : text
    }
}
