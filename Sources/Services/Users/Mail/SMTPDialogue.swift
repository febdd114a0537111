import Foundation

/// One letter's way into a server, reply by reply: no input or output, only what comes next.
struct SMTPDialogue: Sendable {
    enum Step: Sendable, Equatable {
        case send(String)
        case startTLS
        /// The server has taken the letter: say goodbye.
        case delivered(String)
    }

    enum Failure: MailFailure, Equatable {
        /// The server's code, in answer to the command named.
        case refused(String, Int)
        /// Neither STARTTLS nor this very machine.
        case noTLS
        case noKnownAuthentication

        /// By the code's first digit (RFC 5321 §4.2.1). What is set up wrongly stays so until a restart.
        var isPermanent: Bool {
            switch self {
            case .refused(_, let code): code >= 500
            case .noTLS, .noKnownAuthentication: true
            }
        }
    }

    private enum Awaiting {
        case greeting, hello, startTLS, authentication, sender, recipient, data, end
    }

    let settings: SMTPSettings
    let sender: String
    let recipient: String
    /// Dotted.
    let message: String
    private var awaiting = Awaiting.greeting
    private var isSecure: Bool

    init(_ settings: SMTPSettings, sender: String, recipient: String, message: String) {
        self.settings = settings
        self.sender = sender
        self.recipient = recipient
        self.message = message
        isSecure = settings.isImplicitTLS
    }

    mutating func take(_ reply: SMTPReply) throws(Failure) -> Step {
        switch awaiting {
        case .greeting:
            try expect(220, reply, "connection")
            return hello()
        case .hello:
            try expect(250, reply, "EHLO")
            let extensions = reply.lines.dropFirst().map { $0.uppercased() }
            if !isSecure {
                if extensions.contains("STARTTLS") {
                    awaiting = .startTLS
                    return .send("STARTTLS\r\n")
                }
                guard settings.isLoopback, settings.user == nil else { throw .noTLS }
            }
            guard let user = settings.user, let password = settings.password else { return mailFrom() }
            guard extensions.contains(where: { $0.hasPrefix("AUTH ") && $0.split(separator: " ").contains("PLAIN") })
            else { throw .noKnownAuthentication }
            awaiting = .authentication
            return .send("AUTH PLAIN \(Data("\0\(user)\0\(password)".utf8).base64EncodedString())\r\n")
        case .startTLS:
            try expect(220, reply, "STARTTLS")
            return .startTLS
        case .authentication:
            try expect(235, reply, "AUTH")
            return mailFrom()
        case .sender:
            try expect(250, reply, "MAIL")
            awaiting = .recipient
            return .send("RCPT TO:<\(recipient)>\r\n")
        case .recipient:
            guard reply.code == 250 || reply.code == 251 else { throw .refused("RCPT", reply.code) }
            awaiting = .data
            return .send("DATA\r\n")
        case .data:
            try expect(354, reply, "DATA")
            awaiting = .end
            return .send(message)
        case .end:
            try expect(250, reply, "the letter")
            return .delivered("QUIT\r\n")
        }
    }

    /// TLS stands: what was said before counts no more (RFC 3207 §4.2).
    mutating func becameSecure() -> Step {
        isSecure = true
        return hello()
    }

    private mutating func hello() -> Step {
        awaiting = .hello
        return .send("EHLO tiketi.localdomain\r\n")
    }

    private mutating func mailFrom() -> Step {
        awaiting = .sender
        return .send("MAIL FROM:<\(sender)>\r\n")
    }

    private func expect(_ code: Int, _ reply: SMTPReply, _ command: String) throws(Failure) {
        guard reply.code == code else { throw .refused(command, reply.code) }
    }
}
