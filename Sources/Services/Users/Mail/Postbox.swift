import Logging
import Platform
import Synchronization

/// Letters that wait to be taken away, in memory: whoever asked for one has had an answer that tells nothing.
///
/// A letter that could not be taken away for now waits for its next attempt in nobody's way; one that is refused for good
/// is not tried again. What waits at the end of the process is lost, and has to be asked for again: it holds codes, which
/// belong in no table.
final class Postbox: Sendable {
    /// Writes the letter; nil where there is none to be sent.
    typealias Letter = @Sendable () async throws -> Mail?

    /// Those that wait for another attempt, and those that are under way, too.
    static let maxWaiting = 1000
    static let maxAtOnce = 4
    /// Before the second, third and fourth attempt, which is the last.
    static let retryDelays: [Duration] = [.seconds(1), .seconds(5), .seconds(25)]

    private struct Attempt: Sendable {
        let letter: Letter
        /// Once: writing it may count as an attempt of whoever asked.
        var written: Mail?
        var number = 0
        var due = ContinuousClock.now
    }

    private typealias Queue = (stream: AsyncStream<Attempt>, continuation: AsyncStream<Attempt>.Continuation)

    private let mailer: any Mailer
    private let retryDelays: [Duration]
    /// By attempt: the first is of those that are due. Each of the others has one delay, so that who came first is due
    /// first.
    private let queues: [Queue]
    private let outstanding = Mutex(0)
    private let failures: Counter
    private let logger: Logger

    init(
        _ mailer: any Mailer, retryDelays: [Duration] = Postbox.retryDelays, metrics: Metrics, logger: Logger
    ) {
        self.mailer = mailer
        self.retryDelays = retryDelays
        queues = (0...retryDelays.count).map { _ in AsyncStream.makeStream() }
        failures = metrics.counter("tiketi_mail_failures_total", "Mails that could not be sent.")
        self.logger = logger
    }

    /// - Throws: 503 where too many wait.
    func post(_ letter: @escaping Letter) throws {
        let isAdmitted = outstanding.withLock { outstanding in
            guard outstanding < Self.maxWaiting else { return false }
            outstanding += 1
            return true
        }
        guard isAdmitted else { throw Problem.overloaded }
        queues[0].continuation.yield(Attempt(letter: letter))
    }

    /// Tells of what has happened already, as far as there is room.
    func tell(_ letter: Mail) {
        do {
            try post { letter }
        } catch {
            fail(error)
        }
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<Self.maxAtOnce {
                group.addTask { for await attempt in self.queues[0].stream { await self.deliver(attempt) } }
            }
            for waiting in queues.dropFirst() {
                group.addTask {
                    for await attempt in waiting.stream {
                        guard (try? await Task.sleep(until: attempt.due, clock: .continuous)) != nil else { return }
                        self.queues[0].continuation.yield(attempt)
                    }
                }
            }
        }
    }

    private func deliver(_ attempt: Attempt) async {
        var attempt = attempt
        do {
            if attempt.written == nil { attempt.written = try await attempt.letter() }
            if let written = attempt.written { try await mailer.send(written) }
        } catch {
            let isPermanent = (error as? any MailFailure)?.isPermanent ?? false
            if !isPermanent, attempt.number < retryDelays.count {
                attempt.due = .now + retryDelays[attempt.number]
                attempt.number += 1
                queues[attempt.number].continuation.yield(attempt)
                return
            }
            fail(error)
        }
        outstanding.withLock { $0 -= 1 }
    }

    private func fail(_ error: any Error) {
        failures.increment()
        logger.error("a mail could not be sent", metadata: ["error": "\(error)"])
    }
}
