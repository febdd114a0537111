/// A letter to one person: plain text in ASCII.
package struct Mail: Sendable, Equatable {
    package var to: String
    package var subject: String
    package var text: String
}

/// Whatever takes a letter away.
package protocol Mailer: Sendable {
    /// Returns once somebody else has taken it over.
    func send(_ mail: Mail) async throws
}
