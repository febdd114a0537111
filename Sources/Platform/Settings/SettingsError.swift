/// A missing or malformed setting: one line that names it, never its value. Exit status 2.
package struct SettingsError: Error, CustomStringConvertible, Sendable, Equatable {
    package let name: String
    package let problem: String

    package init(_ name: String, _ problem: String) {
        self.name = name
        self.problem = problem
    }

    package var description: String { "\(name): \(problem)" }
}
