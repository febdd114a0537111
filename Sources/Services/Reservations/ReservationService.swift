import Core
package import Foundation
package import Hummingbird
package import Logging
package import Platform
package import Storage

/// `/api/reservations`, `/api/seats`, `/api/tickets`, and what Payments asks below `/internal`.
package struct ReservationService: ServicePart {
    package struct Configuration: Sendable {
        package static let defaultHoldSeconds = 600
        package static let defaultConsumer = "reservations"
        package static let defaultMaxLiveReservations = 5
        package static let defaultMaxHoldsPerHour = 30

        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// The keys that access tokens are checked with.
        package var keys: KeySource
        /// Those of Payments; without them nobody may ask below `/internal`.
        package var paymentsKeys: KeySource?
        /// Those of the queue; without them nothing is sold of an event that needs admission.
        package var queueKeys: KeySource?
        package var ticketKey: TicketKey
        /// Where Events is; nil until it is known.
        package var eventsURL: @Sendable () -> URL?
        package var holdSeconds = Self.defaultHoldSeconds
        /// That one buyer may have unpaid, over all events: an account costs nothing, and may not hold a hall.
        package var maxLiveReservations = Self.defaultMaxLiveReservations
        /// That one buyer may get within an hour.
        package var maxHoldsPerHour = Self.defaultMaxHoldsPerHour
        /// Its name among the readers of the bus: unique, and the same after a restart.
        package var consumer = Self.defaultConsumer
        package var outboxLeaseSeconds = OutboxRelay.leaseSeconds
        package var clock: @Sendable () -> Int64

        /// - Parameter clock: milliseconds since 1970.
        package init(
            database: PostgresConfiguration, redis: RedisConfiguration, keys: KeySource, ticketKey: TicketKey,
            eventsURL: @escaping @Sendable () -> URL?, clock: @escaping @Sendable () -> Int64
        ) {
            self.database = database
            self.redis = redis
            self.keys = keys
            self.ticketKey = ticketKey
            self.eventsURL = eventsURL
            self.clock = clock
        }
    }

    /// Holds that may wait for a connection: as many as there may be connections to the process.
    package static let maxWaiting = 16_384
    static let sweepEvery = Duration.seconds(1)
    static let copyEvery = Duration.milliseconds(200)
    static let forgetEvery = Duration.seconds(60)
    static let maxRetry = Duration.seconds(5)

    let database: ServiceDatabase
    let verifier: TokenVerifier
    let queueKeys: KeySource?
    let ticketKey: TicketKey
    let copies: EventCopies
    let maps: SeatMaps
    let taken: TakenSeats
    let store: ReservationStore
    let checkIn: CheckIn
    let metrics: ReservationMetrics
    private let paymentsVerifier: TokenVerifier?
    private let redis: RedisPool
    private let busRedis: RedisPool
    private let relay: OutboxRelay
    private let outbox: OutboxGauges
    private let reader: GroupReader
    private let logger: Logger

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        let clock = configuration.clock
        let seconds: @Sendable () -> Int64 = { clock() / 1000 }
        let database = try ServiceDatabase(
            .reservations, configuration.database, maxWaiting: Self.maxWaiting, logger: logger)
        self.database = database
        self.logger = logger
        self.metrics = ReservationMetrics(metrics)
        redis = RedisPool(configuration.redis, connections: 2, logger: logger)
        busRedis = RedisPool(configuration.redis, connections: 1, logger: logger)
        relay = OutboxRelay(
            postgres: database.pool, redis: redis, leaseSeconds: configuration.outboxLeaseSeconds, logger: logger)
        outbox = OutboxGauges(database.pool, of: .reservations, metrics: metrics, logger: logger)
        verifier = TokenVerifier(configuration.keys, audience: .reservations, now: seconds)
        paymentsVerifier = configuration.paymentsKeys.map {
            TokenVerifier($0, issuer: InternalRoutes.issuer, audience: .reservations, now: seconds)
        }
        queueKeys = configuration.queueKeys
        ticketKey = configuration.ticketKey
        copies = EventCopies(
            source: CatalogueSource(url: configuration.eventsURL, logger: logger), postgres: database.pool, clock: clock
        )
        maps = SeatMaps(postgres: database.pool, clock: clock, now: SeatMaps.uptime)
        taken = TakenSeats(configuration.redis, now: SeatMaps.uptime, logger: logger)
        store = ReservationStore(
            postgres: database.pool, commits: CommitGroups(database.pool, maxWaiting: Self.maxWaiting), clock: clock,
            holdMs: Int64(configuration.holdSeconds) * 1000,
            maxLiveReservations: configuration.maxLiveReservations, maxHoldsPerHour: configuration.maxHoldsPerHour)
        checkIn = CheckIn(postgres: database.pool, clock: clock, key: configuration.ticketKey)
        reader = GroupReader(
            group: .reservations, kinds: Self.kinds, name: configuration.consumer, redis: busRedis, clock: clock,
            metrics: MessageMetrics(metrics), logger: logger,
            store: { [pool = database.pool] messages in try await Self.store(messages, pool, now: clock()) })
        do {
            try await database.checkLocale()
        } catch {
            await shutdown()
            throw error
        }
    }

    package func addRoutes(to router: Router<ServiceContext>) {
        ReservationRoutes(service: self).add(to: router)
        SeatRoutes(service: self).add(to: router)
        TicketRoutes(service: self).add(to: router)
        if let paymentsVerifier { InternalRoutes(service: self, verifier: paymentsVerifier).add(to: router) }
    }

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await withTaskGroup { group in
            group.addTask { await relay.run() }
            group.addTask { await outbox.run() }
            group.addTask { await reader.run() }
            group.addTask { await sweep() }
            group.addTask { await repeatedly("copying events", every: Self.copyEvery) { try await copies.copyStale() } }
            group.addTask {
                await repeatedly("forgetting releases", every: Self.forgetEvery) {
                    let now = store.clock()
                    return try await database.pool.withConnection { try ReleasedPayments.forget(now: now, on: $0) }
                }
            }
            group.addTask {
                let feed = AvailabilityFeed(store: store)
                await repeatedly("telling which events are sold out", every: Self.sweepEvery) {
                    try await feed.step() == AvailabilityFeed.maxBatch ? 1 : 0
                }
            }
            group.addTask {
                let cancellation = OrganizerCancellation(store: store)
                await repeatedly("cancelling events", every: Self.sweepEvery) { try await cancellation.step() }
            }
        }
    }

    package func shutdown() async {
        await taken.shutdown()
        await busRedis.shutdown()
        await redis.shutdown()
        await database.pool.shutdown()
    }

    // MARK: Beside the routes

    static let kinds: Set<Message.Kind> = [
        .eventUpserted, .reservationHeld, .reservationConfirmed, .reservationExpired, .reservationCanceled,
    ]

    /// Takes what the others have said, and what this service has: that an event has changed, and that seats have.
    static func store(_ messages: [Message], _ pool: PostgresPool, now: Int64) async throws -> Int {
        let changes = messages.filter { $0.kind == .eventUpserted }
        let booked = AvailabilityFeed.changed(messages)
        guard !changes.isEmpty || !booked.isEmpty else { return messages.count }
        let taken = try await pool.withConnection { connection in
            try connection.transaction { connection in
                let new = try Inbox.take(changes, on: connection)
                try EventCopies.markStale(EventCopies.changed(new), and: booked, now: now, on: connection)
                // Again and again is the same: no inbox.
                try AvailabilityFeed.mark(booked, on: connection)
                return new.count
            }
        }
        return messages.count - changes.count + taken
    }

    private func sweep() async {
        let sweeper = Sweeper(store: store)
        await repeatedly("ending holds", every: Self.sweepEvery) {
            let found = try await sweeper.step()
            metrics.swept.increment(by: found)
            return found == Sweeper.maxBatch ? found : 0
        }
    }

    /// Until the task is cancelled. Goes on at once while there is something to do; what fails is tried again, later
    /// each time.
    private func repeatedly(
        _ what: String, every pause: Duration, _ step: @Sendable () async throws -> Int
    ) async {
        var delay = pause
        while !Task.isCancelled {
            do {
                if try await step() > 0 { continue }
                delay = pause
            } catch {
                if Task.isCancelled { return }
                if delay == pause {
                    logger.warning("\(what) failed; trying again", metadata: ["error": "\(error)"])
                }
                delay = min(delay * 2, Self.maxRetry)
            }
            try? await Task.sleep(for: delay)
        }
    }
}
