/// A question that can't be asked as it stands: which parameter, and what it may be. The API answers 422 with it.
package struct InvalidQuestion: Error, Equatable, Sendable, CustomStringConvertible {
    package let field: String
    package let detail: String
    /// The values that `field` may have, where they can be listed.
    package let allowed: [String]

    package init(field: String, detail: String, allowed: [String] = []) {
        self.field = field
        self.detail = detail
        self.allowed = allowed
    }

    package var description: String { detail }
}
