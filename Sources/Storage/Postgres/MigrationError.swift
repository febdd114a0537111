package struct MigrationError: Error, CustomStringConvertible, Sendable, Equatable {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
