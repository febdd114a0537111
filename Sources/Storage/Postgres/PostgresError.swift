/// What went wrong with Postgres. Safe to log: it holds no parameter and no password.
package struct PostgresError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// As many pieces of work wait for a connection as may.
        case overloaded
        /// No connection, or it was lost. Whether a statement that was under way took effect is unknown.
        case unavailable
        /// The task was cancelled; the statement took no effect.
        case canceled
        /// The server refused the statement.
        case server(sqlState: String)
        case decoding
    }

    /// Longer statements are cut in `statement`.
    static let maxStatementLength = 2000

    package var kind: Kind
    package var message: String
    /// The server's detail. It may quote the row's values: not in `description`, and not for logs.
    package var detail: String?
    package var hint: String?
    /// Text with placeholders.
    package var statement: String?

    package init(
        _ kind: Kind, _ message: String, detail: String? = nil, hint: String? = nil, statement: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.detail = detail
        self.hint = hint
        self.statement = statement.map { String($0.prefix(Self.maxStatementLength)) }
    }

    /// The five characters of the server's code, such as `23505` for a violated unique constraint.
    package var sqlState: String? {
        if case .server(let sqlState) = kind { sqlState } else { nil }
    }

    /// Class 22 (data exception) or 23 (constraint violation): with the same values, trying again can't help.
    package var isAboutData: Bool {
        sqlState.map { $0.hasPrefix("22") || $0.hasPrefix("23") } ?? false
    }

    /// Class XX: what is on the server's disk can't be read, as a value whose chunks are gone.
    package var isCorruption: Bool { sqlState?.hasPrefix("XX") ?? false }
}

extension PostgresError: CustomStringConvertible {
    /// One line.
    package var description: String {
        var text = "Postgres"
        switch kind {
        case .overloaded: text += " overloaded"
        case .unavailable: text += " unavailable"
        case .canceled: text += " canceled"
        case .server(let sqlState): text += " \(sqlState)"
        case .decoding: text += " decoding"
        }
        text += ": \(message)"
        if let hint { text += " (\(hint))" }
        if let statement { text += " in: \(statement)" }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
