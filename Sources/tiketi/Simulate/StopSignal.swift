import Dispatch
import Glibc
import Synchronization

/// Raised by the first SIGINT or SIGTERM, for work that ends in its own time; a second one ends the process as ever.
final class StopSignal: Sendable {
    private let raised = Atomic(false)

    var isRaised: Bool { raised.load(ordering: .relaxed) }

    func raise() { raised.store(true, ordering: .relaxed) }

    /// Runs `body` with a signal that listens, and gives the signals back afterwards.
    static func withSignals<R>(_ body: (StopSignal) async throws -> R) async throws -> R {
        let stop = StopSignal()
        let numbers = [SIGINT, SIGTERM]
        let sources = numbers.map { number in
            // Else the process would end before the source hears of it.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                stop.raise()
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        return try await body(stop)
    }
}
