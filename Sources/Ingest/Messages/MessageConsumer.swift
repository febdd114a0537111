import Core
package import Logging
package import Platform
package import Storage

/// Reads the message stream for the analytics database, where each message is stored once with its effect.
///
/// What every group of the stream has confirmed is removed from it, so that it holds what is under way and not all there
/// ever was.
package struct MessageConsumer: Sendable {
    static let group = MessageGroup.analytics.rawValue
    /// How long the stream keeps what every group has confirmed. Postgres may fall back to an earlier moment, and the
    /// inbox makes reading again harmless: `XGROUP SETID tiketi:messages analytics 0`.
    static let confirmedKeptMs: Int64 = 3_600_000

    private let name: String
    let redis: RedisPool
    let postgres: PostgresPool
    private let clock: @Sendable () -> Int64
    private let metrics: MessageMetrics
    private let logger: Logger

    /// - Parameter redis: a pool of its own: reading blocks a connection.
    package init(
        name: String, redis: RedisPool, postgres: PostgresPool, clock: @escaping @Sendable () -> Int64,
        metrics: MessageMetrics, logger: Logger
    ) {
        self.name = name
        self.redis = redis
        self.postgres = postgres
        self.clock = clock
        self.metrics = metrics
        self.logger = logger
    }

    /// Runs until the task is cancelled; what fails is tried again.
    package func run() async {
        let reader = GroupReader(
            group: .analytics, name: name, redis: redis, clock: clock, metrics: metrics, logger: logger,
            settle: { try await settle() }
        ) { messages in
            try await postgres.withConnection { connection in
                try connection.transaction { try MessageEffects.store(messages, on: $0) }
            }
        }
        await reader.run()
    }
}
