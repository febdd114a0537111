package import Logging

/// A bounded number of connections to one database, each on a thread of its own.
package final class PostgresPool: Sendable {
    package static let defaultMaxWaiting = 256

    package let configuration: PostgresConfiguration
    private let threads: ConnectionThreads<PostgresConnection>

    /// Connects when the first work arrives.
    ///
    /// - Parameter maxWaiting: Work beyond it is refused as `.overloaded`.
    package init(
        _ configuration: PostgresConfiguration, connections: Int, maxWaiting: Int = PostgresPool.defaultMaxWaiting,
        logger: Logger
    ) {
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "postgres"] = "\(configuration)"
        threads = ConnectionThreads(
            configuration, threads: connections, maxWaiting: maxWaiting, name: "postgres", logger: logger)
    }

    /// Runs `body` on a connection's own thread, where it may block.
    ///
    /// Cancelling the task cancels the statement that runs, or takes the work out of the queue; both throw `.canceled`.
    /// A connection that is lost is replaced for the next work; nothing is repeated.
    package func withConnection<R: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> R
    ) async throws -> R {
        try await threads.run(body)
    }

    /// Lets running work finish, refuses the rest, and returns when every connection is closed.
    package func shutdown() async {
        await threads.shutdown()
    }
}
