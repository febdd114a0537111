package import Hummingbird
package import Logging
package import Platform
package import Storage

/// The catalogue: `/api/events`, `/api/artists`, `/api/venues`, `/api/categories`. Everybody reads it, admins change it.
package struct EventService: ServicePart {
    package struct Configuration: Sendable {
        package static let defaultConsumer = "events"

        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// The keys that access tokens are checked with.
        package var keys: KeySource
        package var outboxLeaseSeconds = OutboxRelay.leaseSeconds
        /// Its name among the readers of the bus: unique, and the same after a restart.
        package var consumer = Self.defaultConsumer
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

    static let cacheConnections = 2

    let database: ServiceDatabase
    let cache: CatalogueCache
    let copied = CopiedEvents()
    let vocabulary: SearchVocabulary
    let clock: @Sendable () -> Int64
    private let redis: RedisPool
    private let cacheRedis: RedisPool
    private let busRedis: RedisPool
    private let relay: OutboxRelay
    private let outbox: OutboxGauges
    private let reader: GroupReader
    private let verifier: TokenVerifier

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        database = try ServiceDatabase(.events, configuration.database, logger: logger)
        redis = RedisPool(configuration.redis, connections: 1, logger: logger)
        // Readers don't wait for what is being published.
        cacheRedis = RedisPool(configuration.redis, connections: Self.cacheConnections, logger: logger)
        busRedis = RedisPool(configuration.redis, connections: 1, logger: logger)
        relay = OutboxRelay(
            postgres: database.pool, redis: redis, leaseSeconds: configuration.outboxLeaseSeconds, logger: logger)
        outbox = OutboxGauges(database.pool, of: .events, metrics: metrics, logger: logger)
        clock = configuration.clock
        cache = CatalogueCache(cacheRedis, clock: configuration.clock, logger: logger)
        reader = GroupReader(
            group: .events, kinds: Availability.kinds, name: configuration.consumer, redis: busRedis,
            clock: configuration.clock, metrics: MessageMetrics(metrics), logger: logger,
            store: { [pool = database.pool, cache] messages in try await Self.store(messages, pool, cache) })
        vocabulary = SearchVocabulary(database.pool, clock: configuration.clock)
        verifier = TokenVerifier(configuration.keys, audience: .events)
        do {
            try await database.checkLocale()
        } catch {
            await shutdown()
            throw error
        }
    }

    package func addRoutes(to router: Router<ServiceContext>) {
        let open = router.group("api")
        let admin = router.group("api").add(middleware: IdentityMiddleware(verifier, roles: [.admin]))
        addEventRoutes(open, admin)
        addSearchRoutes(open, admin)
        addLayoutRoutes(open, admin)
        addImageRoutes(open, admin)
        addRoutes(of: .artist, open, admin)
        addRoutes(of: .venue, open, admin)
        addRoutes(of: .category, open, admin)
        addInternalRoutes(router.group("internal"))
    }

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await withTaskGroup { group in
            group.addTask { await relay.run() }
            group.addTask { await outbox.run() }
            group.addTask { await reader.run() }
        }
    }

    package func shutdown() async {
        await redis.shutdown()
        await busRedis.shutdown()
        await cacheRedis.shutdown()
        await database.pool.shutdown()
    }
}
