import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

@testable import UserService

/// Letters on their way out: what is tried again, how often, and who waits for it.
@Suite(.timeLimit(.minutes(5))) struct PostboxTests {
    /// A mail server that refuses what a test says, and notes each attempt.
    private final class Server: Mailer {
        let attempts = Mutex<[String]>([])
        private let answer: @Sendable (_ to: String, _ attempt: Int) throws -> Void

        init(_ answer: @escaping @Sendable (String, Int) throws -> Void) {
            self.answer = answer
        }

        func send(_ mail: Mail) async throws {
            let attempt = attempts.withLock { attempts in
                attempts.append(mail.to)
                return attempts.count { $0 == mail.to }
            }
            try answer(mail.to, attempt)
        }

        func attempts(to address: String) -> Int { attempts.withLock { $0.count { $0 == address } } }
    }

    private struct Down: Error {}

    private func mail(_ to: String) -> Mail { Mail(to: to, subject: "Tiketi: a test", text: "") }

    private func withPostbox(
        _ server: Server, delays: [Duration], _ body: (Postbox, Metrics) async throws -> Void
    ) async throws {
        let metrics = Metrics()
        let postbox = Postbox(server, retryDelays: delays, metrics: metrics, logger: silentLogger)
        let work = Task { await postbox.run() }
        do {
            try await body(postbox, metrics)
        } catch {
            work.cancel()
            throw error
        }
        work.cancel()
        await work.value
    }

    private static let quick = Array(repeating: Duration.milliseconds(1), count: 3)

    @Test(arguments: [
        SMTPDialogue.Failure.refused("RCPT", 550), .refused("AUTH", 535), .refused("MAIL", 500), .noTLS,
        .noKnownAuthentication,
    ])
    func whatIsRefusedForGoodIsTriedOnce(_ failure: SMTPDialogue.Failure) async throws {
        #expect(failure.isPermanent)
        let server = Server { to, _ in if to == "refused" { throw failure } }
        try await withPostbox(server, delays: Self.quick) { postbox, metrics in
            postbox.tell(mail("refused"))
            let failures = metrics.counter("tiketi_mail_failures_total", "")
            try await until { failures.value == 1 }
            postbox.tell(mail("next"))
            try await until { server.attempts(to: "next") == 1 }
            #expect(server.attempts(to: "refused") == 1)
        }
    }

    @Test func whatFailsForNowIsTriedAgainAndThenGivenUp() async throws {
        let server = Server { to, attempt in
            if to == "never" { throw SMTPDialogue.Failure.refused("RCPT", 451) }
            if to == "third" && attempt < 3 { throw Down() }
        }
        try await withPostbox(server, delays: Self.quick) { postbox, metrics in
            postbox.tell(mail("never"))
            postbox.tell(mail("third"))
            let failures = metrics.counter("tiketi_mail_failures_total", "")
            try await until { failures.value == 1 && server.attempts(to: "third") == 3 }
            #expect(server.attempts(to: "never") == Self.quick.count + 1)
        }
    }

    /// A server that takes nothing for one domain keeps nobody else's letters: more of them wait than are sent at once.
    @Test func whoWaitsForAnotherAttemptIsInNobodysWay() async throws {
        let server = Server { to, _ in if to.hasPrefix("slow") { throw Down() } }
        try await withPostbox(server, delays: [.seconds(3600)]) { postbox, _ in
            for number in 0..<3 * Postbox.maxAtOnce { postbox.tell(mail("slow\(number)")) }
            postbox.tell(mail("quick"))
            try await until { server.attempts(to: "quick") == 1 }
        }
    }

    /// Written once, however often it is sent: writing it counts against whoever asked.
    @Test func aLetterIsWrittenOnce() async throws {
        let server = Server { _, attempt in if attempt < 3 { throw Down() } }
        let written = Mutex(0)
        try await withPostbox(server, delays: Self.quick) { postbox, _ in
            let mail = mail("kim")
            try postbox.post {
                written.withLock { $0 += 1 }
                return mail
            }
            try await until { server.attempts(to: "kim") == 3 }
            #expect(written.withLock { $0 } == 1)
        }
    }

    @Test func moreMailsThanMayWaitAreRefused() async throws {
        let isDown = Mutex(true)
        let server = Server { _, _ in if isDown.withLock({ $0 }) { throw Down() } }
        let postbox = Postbox(server, metrics: Metrics(), logger: silentLogger)
        for _ in 0..<Postbox.maxWaiting { try postbox.post { nil } }
        #expect(throws: Problem.overloaded) { try postbox.post { nil } }
        // Those that wait for another attempt count as well.
        try await withPostbox(server, delays: [.seconds(3600)]) { postbox, metrics in
            for number in 0..<Postbox.maxWaiting { postbox.tell(mail("\(number)")) }
            try await until { server.attempts.withLock { $0.count } == Postbox.maxWaiting }
            #expect(throws: Problem.overloaded) { try postbox.post { nil } }
            // What only tells of what has happened is lost then, and counted.
            postbox.tell(mail("lost"))
            #expect(metrics.counter("tiketi_mail_failures_total", "").value == 1)
        }
        // And what is done with makes room.
        isDown.withLock { $0 = false }
        try await withPostbox(server, delays: Self.quick) { postbox, _ in
            for number in 0..<Postbox.maxWaiting { postbox.tell(mail("again \(number)")) }
            try await eventually { try postbox.post { nil } }
        }
    }
}
