/// What went wrong with Redis. Safe to log: it holds no argument and no password.
package struct RedisError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// As many pieces of work wait for a connection as may.
        case overloaded
        /// No connection, it was lost, or the server is loading its data. Whether a command that was under way took
        /// effect is unknown.
        case unavailable
        /// The task was cancelled. Whether the command took effect is unknown.
        case canceled
        /// The server refused the command: the error's first word, such as `WRONGTYPE`.
        case server(code: String)
        case decoding
    }

    package var kind: Kind
    package var message: String
    /// The command's name.
    package var command: String?

    package init(_ kind: Kind, _ message: String, command: String? = nil) {
        self.kind = kind
        self.message = message
        self.command = command
    }

    /// From the text of an error reply.
    package init(reply: String, command: String? = nil) {
        let code = String(reply.prefix { $0 != " " })
        // The server is starting, stopping, has no master or is none any more: later it, or another, may well answer.
        let passing = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "UNBLOCKED"].contains(code)
        self.init(passing ? .unavailable : .server(code: code), reply, command: command)
    }
}

extension RedisError: CustomStringConvertible {
    /// One line.
    package var description: String {
        let what =
            switch kind {
            case .overloaded: "Redis overloaded"
            case .unavailable: "Redis unavailable"
            case .canceled: "Redis canceled"
            case .server: "Redis error"
            case .decoding: "Redis decoding"
            }
        let text = "\(what): \(message)" + (command.map { " in: \($0)" } ?? "")
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
