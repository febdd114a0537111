/// A letter to one person: plain text in ASCII.
package struct Mail: Sendable, Equatable {
    package var to: String
    package var subject: String
    package var text: String
}

/// Whatever takes a letter away.
package protocol Mailer: Sendable {
    /// Returns once somebody else has taken it over.
    ///
    /// - Throws: a `MailFailure` where it is known whether another attempt could help.
    func send(_ mail: Mail) async throws
}

package protocol MailFailure: Error {
    /// Whether every attempt will fail like this one.
    var isPermanent: Bool { get }
}
