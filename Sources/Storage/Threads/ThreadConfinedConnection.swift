/// A blocking connection that lives on one thread of a `ConnectionPool`.
package protocol ThreadConfinedConnection: AnyObject, SendableMetatype {
    associatedtype Configuration: Sendable & CustomStringConvertible

    /// What kind of server it is: names the threads, and the configuration in what is logged.
    static var serverName: String { get }

    /// Connects. Blocks, at most for the configuration's connect timeout.
    init(_ configuration: Configuration) throws

    /// False where the next piece of work should have a new connection. Makes no round trip.
    var isHealthy: Bool { get }

    /// False where the last piece of work has left it lost, or with something open. A part of `isHealthy`, which asks the
    /// system too.
    var isIdle: Bool { get }

    /// Ends the wait for the server's answer from another thread.
    var interrupt: Interrupt { get }

    /// This client's own error for work that never reached a connection.
    static func error(for refusal: Refusal) -> any Error
}

/// Why a pool did not run a piece of work.
package enum Refusal: Sendable, Equatable {
    /// As many are waiting as may.
    case overloaded(maxWaiting: Int)
    /// The last attempt to connect failed moments ago, with this error; the next one is made later.
    case backingOff(lastError: String)
    /// The task was cancelled before the work began.
    case canceled
    case shutDown
}
