/// A parameter or field that can't be taken as it stands: which, and what it may be. Answered with 422.
package struct InvalidParameter: Error, Equatable, Sendable, CustomStringConvertible {
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
