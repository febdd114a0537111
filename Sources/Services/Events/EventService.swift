package import Hummingbird
package import Logging
package import Platform
package import Storage

/// The catalogue: `/api/events`, `/api/artists`, `/api/venues`, `/api/categories`. Everybody reads it, admins change it.
package struct EventService: ServicePart {
    package struct Configuration: Sendable {
        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// The keys that access tokens are checked with.
        package var keys: KeySource
        package var outboxLeaseSeconds = OutboxRelay.leaseSeconds
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
    let vocabulary: SearchVocabulary
    let clock: @Sendable () -> Int64
    private let redis: RedisPool
    private let cacheRedis: RedisPool
    private let relay: OutboxRelay
    private let verifier: TokenVerifier

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        database = try ServiceDatabase(.events, configuration.database, logger: logger)
        redis = RedisPool(configuration.redis, connections: 1, logger: logger)
        // Readers don't wait for what is being published.
        cacheRedis = RedisPool(configuration.redis, connections: Self.cacheConnections, logger: logger)
        relay = OutboxRelay(
            postgres: database.pool, redis: redis, leaseSeconds: configuration.outboxLeaseSeconds, logger: logger)
        clock = configuration.clock
        cache = CatalogueCache(cacheRedis, clock: configuration.clock, logger: logger)
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
        addInternalRoutes(
            router.group("internal"),
            router.group("internal").add(middleware: IdentityMiddleware(verifier, roles: [.service, .admin])))
    }

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await relay.run()
    }

    package func shutdown() async {
        await redis.shutdown()
        await cacheRedis.shutdown()
        await database.pool.shutdown()
    }
}
