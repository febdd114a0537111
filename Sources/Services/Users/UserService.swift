package import Hummingbird
package import Logging
package import Platform
package import Storage

/// `/api/users`
package struct UserService: ServicePart {
    package struct Configuration: Sendable {
        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// The keys that access tokens are checked with.
        package var keys: KeySource
        package var clock: @Sendable () -> Int64

        /// - Parameter clock: milliseconds since 1970.
        package init(
            database: PostgresConfiguration, redis: RedisConfiguration, keys: KeySource,
            clock: @escaping @Sendable () -> Int64
        ) {
            self.database = database
            self.redis = redis
            self.keys = keys
            self.clock = clock
        }
    }

    package static let openAPI = #"{"openapi":"3.1.0","info":{"title":"Tiketi: users","version":"1"},"paths":{}}"#

    private let database: ServiceDatabase
    private let redis: RedisPool
    private let relay: OutboxRelay

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        database = try ServiceDatabase(.users, configuration.database, logger: logger)
        redis = RedisPool(configuration.redis, connections: 2, logger: logger)
        relay = OutboxRelay(postgres: database.pool, redis: redis, logger: logger)
        do {
            try await database.checkLocale()
        } catch {
            await shutdown()
            throw error
        }
    }

    package func addRoutes(to router: Router<ServiceContext>) {}

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await relay.run()
    }

    package func shutdown() async {
        await redis.shutdown()
        await database.pool.shutdown()
    }
}
