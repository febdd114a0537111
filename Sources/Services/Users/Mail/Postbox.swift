import Logging
import Platform

/// Letters that wait to be taken away, in memory: whoever asked for one has had an answer that tells nothing.
///
/// What waits at the end of the process is lost, and has to be asked for again: it holds codes, which belong in no table.
final class Postbox: Sendable {
    /// Writes the letter; nil where there is none to be sent.
    typealias Letter = @Sendable () async throws -> Mail?

    static let maxWaiting = 1000
    static let maxAtOnce = 4
    /// Before the second, third and fourth attempt.
    static let retrySeconds = [1, 5, 25]

    private let letters: AsyncStream<Letter>
    private let slot: AsyncStream<Letter>.Continuation
    private let mailer: any Mailer
    private let failures: Counter
    private let logger: Logger

    init(_ mailer: any Mailer, metrics: Metrics, logger: Logger) {
        (letters, slot) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.maxWaiting))
        self.mailer = mailer
        failures = metrics.counter("tiketi_mail_failures_total", "Mails that could not be sent.")
        self.logger = logger
    }

    /// - Throws: 503 where too many wait.
    func post(_ letter: @escaping Letter) throws {
        guard case .enqueued = slot.yield(letter) else { throw Problem.overloaded }
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await letter in letters {
                if running >= Self.maxAtOnce {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.deliver(letter) }
            }
        }
    }

    private func deliver(_ letter: Letter) async {
        var written: Mail?
        for delay in Self.retrySeconds.map(Optional.some) + [nil] {
            do {
                // Written once: writing it may count as an attempt.
                if written == nil { written = try await letter() }
                guard let written else { return }
                return try await mailer.send(written)
            } catch {
                guard let delay else {
                    failures.increment()
                    logger.error("a mail could not be sent", metadata: ["error": "\(error)"])
                    return
                }
                if (try? await Task.sleep(for: .seconds(delay))) == nil { return }
            }
        }
    }
}
