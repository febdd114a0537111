import Foundation
import NIOSSL
import Platform
import TestSupport
import Testing

@testable import UserService

@Suite(.timeLimit(.minutes(5))) struct MailTests {
    private static let mail = Mail(
        to: "kim@example.com", subject: "Tiketi: a test",
        text: "First line.\n.second begins with a dot\n\nhttps://x/#code=1")

    private struct Letter: Decodable {
        let from: String
        let to: [String]
        let tls: Bool
        let user: String?
        let text: String
    }

    private func send(
        _ url: String, trusting certificate: URL? = nil, _ mail: Mail = MailTests.mail
    ) async throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let certificate { tls.trustRoots = .file(certificate.path) }
        let settings = try #require(SMTPSettings(url))
        try await SMTPMailer(settings, sender: "no-reply@tiketi.example", tls: tls, clock: { 1_796_000_000_000 })
            .send(mail)
    }

    /// A certificate for localhost that its owner has signed.
    private func certificate(in folder: URL) async throws -> (certificate: URL, key: URL) {
        let (certificate, key) = (folder.appending(path: "cert.pem"), folder.appending(path: "key.pem"))
        let run = try await RunningProgram.run(
            URL(filePath: "/usr/bin/openssl"),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key.path, "-out",
                certificate.path,
            ], settings: [:], name: "openssl", in: folder)
        try #require(run.ending == .exited(0), "\(run.error)")
        return (certificate, key)
    }

    private func letter(_ line: Substring?) throws -> Letter {
        try JSONDecoder().decode(Letter.self, from: Data(try #require(line).utf8))
    }

    @Test(.enabled(if: ServicePeers.isInstalled, Comment(rawValue: ServicePeers.absence)))
    func aServerOfAnothersTakesOurLetters() async throws {
        try await withTemporaryFolder { folder in
            try await ServicePeers.withMailServer("plain", in: folder) { port, letters in
                try await send("smtp://127.0.0.1:\(port)")
                let letter = try letter(letters().first)
                #expect(letter.from == "no-reply@tiketi.example" && letter.to == ["kim@example.com"])
                let lines = letter.text.replacing("\r\n", with: "\n").split(
                    separator: "\n", omittingEmptySubsequences: false)
                #expect(lines.contains("Subject: Tiketi: a test"))
                #expect(lines.contains { $0.hasPrefix("Date: ") && $0.hasSuffix(" +0000") })
                let body = lines.drop { !$0.isEmpty }.dropFirst()
                #expect(body.joined(separator: "\n").hasPrefix(Self.mail.text))
            }
        }
    }

    @Test(
        .enabled(if: ServicePeers.isInstalled, Comment(rawValue: ServicePeers.absence)),
        arguments: [("starttls", "smtp"), ("implicit", "smtps")])
    func passwordsAndLettersGoThroughTLS(mode: String, scheme: String) async throws {
        try await withTemporaryFolder { folder in
            let (certificate, key) = try await certificate(in: folder)
            try await ServicePeers.withMailServer(mode, [certificate.path, key.path], in: folder) { port, letters in
                let good = "\(scheme)://kim:pass%20word@localhost:\(port)"
                try await send(good, trusting: certificate)
                let letter = try letter(letters().first)
                #expect(letter.tls && letter.user == "kim")
                // A wrong password, a certificate that nobody we trust has signed, and one of another name.
                await #expect(throws: SMTPDialogue.Failure.refused("AUTH", 535)) {
                    try await send("\(scheme)://kim:wrong@localhost:\(port)", trusting: certificate)
                }
                await #expect(throws: (any Error).self) { try await send(good) }
                await #expect(throws: (any Error).self) {
                    try await send("\(scheme)://kim:pass%20word@127.0.0.1:\(port)", trusting: certificate)
                }
                #expect(letters().count == 1)
            }
        }
    }

    @Test(.enabled(if: ServicePeers.isInstalled, Comment(rawValue: ServicePeers.absence)))
    func whatAServerRefusesIsThrown() async throws {
        try await withTemporaryFolder { folder in
            try await ServicePeers.withMailServer("refusing", in: folder) { port, _ in
                _ = await #expect(throws: SMTPDialogue.Failure.refused("RCPT", 550)) {
                    try await send("smtp://127.0.0.1:\(port)")
                }
            }
            // No password goes out in plain text, not even to this machine.
            try await ServicePeers.withMailServer("plain", in: folder) { port, letters in
                await #expect(throws: SMTPDialogue.Failure.noTLS) { try await send("smtp://kim:pw@127.0.0.1:\(port)") }
                #expect(letters().isEmpty)
            }
            // Words that come with the agreement to STARTTLS are somebody else's.
            try await ServicePeers.withMailServer("injecting", in: folder) { port, letters in
                await #expect(throws: SMTPHandler.Failure.injected) {
                    try await send("smtp://kim:pw@127.0.0.1:\(port)")
                }
                try await until { letters().count == 1 }
                #expect(letters().first == #"{"after": ""}"#)
            }
        }
        await #expect(throws: (any Error).self) { try await send("smtp://127.0.0.1:1") }
    }

    @Test func withoutTLSNothingGoesToAnotherMachine() throws {
        var dialogue = SMTPDialogue(
            SMTPSettings("smtp://mail.example")!, sender: "a@b.co", recipient: "c@d.co", message: ".\r\n")
        #expect(try dialogue.take(SMTPReply(code: 220, lines: ["hi"])) == .send("EHLO tiketi.localdomain\r\n"))
        #expect(throws: SMTPDialogue.Failure.noTLS) {
            try dialogue.take(SMTPReply(code: 250, lines: ["mail.example", "SIZE 1000"]))
        }
    }

    @Test func addressesOfServers() {
        let full = SMTPSettings("smtps://kim:p%40ss%3Aword@mail.example:4650")
        #expect(full?.user == "kim" && full?.password == "p@ss:word" && full?.port == 4650)
        #expect(full?.isImplicitTLS == true && full?.isLoopback == false)
        #expect(SMTPSettings("smtp://mail.example")?.port == 587)
        #expect(SMTPSettings("smtps://mail.example/")?.port == 465)
        for bad in [
            "", "mail.example", "http://mail.example", "smtp://", "smtp://kim@mail.example", "smtp://h/x", "smtp://h?x",
        ] {
            #expect(SMTPSettings(bad) == nil, "\(bad)")
        }
    }

    @Test func repliesAreReadByteByByteWithinBounds() throws {
        var reader = SMTPReplyReader()
        var replies: [SMTPReply] = []
        for byte in "220 hi\r\n250-one\r\n250-two\n250 three\r\n354\r\n".utf8 {
            if let reply = try reader.take(byte) { replies.append(reply) }
        }
        #expect(
            replies == [
                SMTPReply(code: 220, lines: ["hi"]), SMTPReply(code: 250, lines: ["one", "two", "three"]),
                SMTPReply(code: 354, lines: [""]),
            ])
        for bad in ["x\n", "22\n", "099 a\n", "220x\n", "\n", String(repeating: "a", count: 1001)] + [
            String(repeating: "250-a\n", count: SMTPReply.maxLines + 1)
        ] {
            var reader = SMTPReplyReader()
            #expect(throws: SMTPReplyReader.Malformed.self, "\(bad.prefix(10))") {
                for byte in bad.utf8 { _ = try reader.take(byte) }
            }
        }
    }

    @Test func aFolderKeepsTheNewestForItsOwnerAlone() async throws {
        try await withTemporaryFolder { folder in
            let mails = folder.appending(path: "mails")
            let clock = TestClock()
            let outbox = FileOutbox(folder: mails, sender: "a@b.co", clock: { clock.now })
            for number in 0..<FileOutbox.maxFiles {
                try Data().write(to: folder.appending(path: "x"))
                if number == 0 { try await outbox.send(Self.mail) }
                try Data().write(to: mails.appending(path: String(format: "%014d-old.eml", number)))
            }
            try await outbox.send(Self.mail)
            let names = try FileManager.default.contentsOfDirectory(atPath: mails.path)
            #expect(names.count == FileOutbox.maxFiles)
            let newest = mails.appending(path: names.sorted().last!)
            #expect(try String(contentsOf: newest, encoding: .utf8).contains("To: <kim@example.com>\r\n"))
            for (path, mode) in [(newest.path, 0o600), (mails.path, 0o700)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
        }
    }

    /// Nobody can make our mails carry a command or a header of theirs.
    @Test func dotsAndLineEndsAreTheProtocols() {
        #expect(MailMessage.dotted("a\r\n.b\r\n..\r\n") == "a\r\n..b\r\n...\r\n.\r\n")
        #expect(MailMessage.dotted("a\n") == "a\r\n.\r\n")
    }

    /// Other services hear of no change: the mail says by when a token that was stolen before is over there, too.
    @Test func lettersSayWhenOthersAreSignedOutEverywhere() async throws {
        let key = SigningKey.generate()
        let token = try await key.mint(
            audience: [.payments], subject: "kim", role: .user, lifetimeSeconds: AccessGrant.lifetimeSeconds, now: 0)
        let keys = try await VerifyingKeys(key)
        func isTaken(_ now: Int64) async -> Bool {
            let verifier = TokenVerifier(.fixed(keys), audience: .payments, now: { now })
            return (try? await verifier.bearer("Bearer \(token)", roles: [.user])) != nil
        }
        #expect(await isTaken(AccessGrant.lifetimeSeconds))
        #expect(await !isTaken(AccessGrant.maxSecondsElsewhere))
        let minutes = AccessGrant.maxSecondsElsewhere / 60
        #expect(AccessGrant.maxSecondsElsewhere == minutes * 60)
        let letters = Letters(site: "https://tiketi.example")
        for letter in [
            letters.passwordChanged("kim@example.com"), letters.passwordReset("kim@example.com", isUnlinked: true),
            letters.googleRemoved("kim@example.com"),
        ] {
            #expect(letter.text.contains("signed out\nwithin \(minutes) minutes."))
            #expect(!letter.text.contains("ended"))
        }
    }
}
