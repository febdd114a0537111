import Dispatch
import Foundation
package import Logging
import Synchronization

/// A fixed number of blocking connections to one server, each on a thread of its own.
///
/// Work waits in one bounded queue.
package final class ConnectionPool<Connection: ThreadConfinedConnection>: Sendable {
    package static var defaultMaxWaiting: Int { 256 }

    private let shared: Shared

    /// Connects when the first work arrives.
    ///
    /// - Parameter maxWaiting: Work beyond it is refused as overloaded.
    package init(
        _ configuration: Connection.Configuration, connections: Int, maxWaiting: Int = defaultMaxWaiting,
        logger: Logger
    ) {
        precondition(connections > 0 && maxWaiting >= 0)
        var logger = logger
        logger[metadataKey: Connection.serverName] = "\(configuration)"
        shared = Shared(
            configuration: configuration, maxOutstanding: connections + maxWaiting, maxWaiting: maxWaiting,
            threads: connections, logger: logger)
        for number in 1...connections {
            let thread = Thread { [shared] in shared.serve() }
            thread.name = "\(Connection.serverName)-\(number)"
            thread.start()
        }
    }

    deinit { shared.stop() }

    /// Runs `body` on a connection's own thread, where it may block.
    ///
    /// Cancelling the task interrupts the wait for the server's answer (Postgres cancels the statement that runs), or
    /// takes the work out of the queue; both throw the client's own error for it. A connection that is lost is replaced
    /// for the next work; nothing is repeated.
    package func withConnection<R: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> R
    ) async throws -> R {
        let ticket = Ticket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                shared.enqueue(
                    Work(
                        ticket: ticket,
                        perform: { connection in
                            let result = Result { try body(connection) }
                            ticket.finish()
                            continuation.resume(with: result)
                        },
                        refuse: { continuation.resume(throwing: $0) }))
            }
        } onCancel: {
            shared.cancel(ticket)
        }
    }

    /// Lets running work finish, refuses the rest, and returns when every connection is closed.
    package func shutdown() async {
        shared.stop()
        await withCheckedContinuation { continuation in
            let ended = shared.queue.withLock { queue in
                if queue.threads > 0 { queue.awaitingEnd.append(continuation) }
                return queue.threads == 0
            }
            if ended { continuation.resume() }
        }
    }
}

extension ConnectionPool {
    /// Where a piece of work stands, for whoever cancels it.
    private final class Ticket: Sendable {
        enum Stage { case waiting, running(Interrupt), over }
        private let stage = Mutex(Stage.waiting)

        /// False where the work was cancelled before.
        func begin(_ interrupt: Interrupt) -> Bool {
            stage.withLock { stage in
                guard case .waiting = stage else { return false }
                stage = .running(interrupt)
                return true
            }
        }

        func finish() {
            stage.withLock { stage in
                // Under the lock, so that no late signal meets the connection's next work.
                if case .running(let interrupt) = stage { interrupt.clear() }
                stage = .over
            }
        }

        /// True where the work had not begun, and never will.
        func cancel() -> Bool {
            stage.withLock { stage in
                switch stage {
                case .waiting:
                    stage = .over
                    return true
                case .running(let interrupt):
                    interrupt.signal()
                    return false
                case .over:
                    return false
                }
            }
        }

        var isWaiting: Bool {
            stage.withLock { stage in
                if case .waiting = stage { true } else { false }
            }
        }
    }

    private struct Work: Sendable {
        let ticket: Ticket
        let perform: @Sendable (Connection) -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct Queue {
        var waiting = WaitingLine<Work>()
        var running = 0
        var threads: Int
        var isStopped = false
        var awaitingEnd: [CheckedContinuation<Void, Never>] = []
    }

    private final class Shared: Sendable {
        let configuration: Connection.Configuration
        let maxOutstanding: Int
        let maxWaiting: Int
        let logger: Logger
        let queue: Mutex<Queue>
        let pace = Mutex(ReconnectPace())
        /// Raised once for each piece of work that is queued, and for each thread that is to end.
        let wake = DispatchSemaphore(value: 0)

        init(
            configuration: Connection.Configuration, maxOutstanding: Int, maxWaiting: Int, threads: Int, logger: Logger
        ) {
            self.configuration = configuration
            self.maxOutstanding = maxOutstanding
            self.maxWaiting = maxWaiting
            self.logger = logger
            queue = Mutex(Queue(threads: threads))
        }

        func enqueue(_ work: Work) {
            let refusal: Refusal? = queue.withLock { queue in
                if queue.isStopped { return .shutDown }
                // Already cancelled: nobody else will take it out of the queue.
                if !work.ticket.isWaiting { return .canceled }
                if queue.waiting.count + queue.running >= maxOutstanding { return .overloaded(maxWaiting: maxWaiting) }
                queue.waiting.append(work)
                return nil
            }
            if let refusal {
                work.refuse(Connection.error(for: refusal))
            } else {
                wake.signal()
            }
        }

        func cancel(_ ticket: Ticket) {
            let work: Work? = queue.withLock { queue in
                ticket.cancel() ? queue.waiting.remove { $0.ticket === ticket } : nil
            }
            work?.refuse(Connection.error(for: .canceled))
        }

        func stop() {
            let (refused, threads) = queue.withLock { queue in
                let first = !queue.isStopped
                queue.isStopped = true
                return (queue.waiting.removeAll(), first ? queue.threads : 0)
            }
            for work in refused { work.refuse(Connection.error(for: .shutDown)) }
            for _ in 0..<threads { wake.signal() }
        }

        func serve() {
            var connection: Connection?
            while let work = next() {
                if connection?.isHealthy != true { connection = nil }
                do {
                    let current = try connection ?? connect()
                    connection = current
                    if work.ticket.begin(current.interrupt) {
                        work.perform(current)
                    } else {
                        work.refuse(Connection.error(for: .canceled))
                    }
                    // Also where the work has left a transaction open: its locks must not wait for the next work.
                    if !current.isIdle { connection = nil }
                } catch {
                    work.refuse(error)
                }
                queue.withLock { $0.running -= 1 }
            }
            connection = nil
            let awaiting = queue.withLock { queue in
                queue.threads -= 1
                return queue.threads == 0 ? queue.awaitingEnd : []
            }
            for continuation in awaiting { continuation.resume() }
        }

        /// Waits for work; nil when it is time to end.
        private func next() -> Work? {
            while true {
                wake.wait()
                let (work, isStopped) = queue.withLock { queue -> (Work?, Bool) in
                    guard let work = queue.waiting.next() else { return (nil, queue.isStopped) }
                    queue.running += 1
                    return (work, false)
                }
                if let work { return work }
                if isStopped { return nil }
            }
        }

        private func connect() throws -> Connection {
            if let lastError = pace.withLock({ $0.refusal(at: .now) }) {
                throw Connection.error(for: .backingOff(lastError: lastError))
            }
            do {
                let connection = try Connection(configuration)
                let failures = pace.withLock { pace in
                    defer { pace.succeeded() }
                    return pace.failures
                }
                if failures > 0 { logger.info("connected again", metadata: ["failures": "\(failures)"]) }
                return connection
            } catch {
                let failures = pace.withLock { pace in
                    pace.failed("\(error)", at: .now, jitter: .random(in: 0...1))
                    return pace.failures
                }
                if failures == 1 { logger.warning("cannot connect", metadata: ["error": "\(error)"]) }
                throw error
            }
        }
    }
}
