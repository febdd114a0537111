import AsyncHTTPClient
import Core
package import Foundation
package import Hummingbird
package import Logging
import NIOCore
package import Platform
package import Storage

/// `/api/payments`
package struct PaymentService: ServicePart {
    package struct Configuration: Sendable {
        package var database: PostgresConfiguration
        package var redis: RedisConfiguration
        /// The keys that access tokens are checked with.
        package var keys: KeySource
        package var clock: @Sendable () -> Int64
        /// Unique in the group `payments`, and the same after a restart.
        package var nodeName: String
        package var tossSecretKey: String
        package var tossClientKey: String
        /// Addresses are asked for each time they are needed: those of this process are known once it listens.
        package var tossURL: @Sendable () -> URL?
        package var reservationsURL: @Sendable () -> URL?
        /// Reservations where it is of this process: asked without HTTP.
        package var reservations: ReservationsBeside?
        /// Of the site that buyers see: Toss sends them back to its `/checkout/success` and `/checkout/fail`.
        package var publicURL: @Sendable () -> URL?
        /// Whether the sandbox stands in for Toss: then answers name its pay page.
        package var isSandbox: Bool
        /// Signs the tokens that Reservations is shown.
        package var signingKey: SigningKey
        package var tossTimeoutMs = PaymentService.defaultTossTimeoutMs
        package var leaseMs: Int64 = PaymentWorker.defaultLeaseMs
        package var outboxLeaseSeconds = OutboxRelay.leaseSeconds
        /// How long a request to confirm waits for the end before it is told to ask again.
        package var confirmWaitMs: Int64 = 8_000
        /// Confirmations that go on while their clients wait.
        package var maxInline = PaymentAPI.maxInline
        package var maxWaitingWebhooks = WebhookStore.maxWaiting

        /// - Parameter clock: milliseconds since 1970.
        package init(
            database: PostgresConfiguration, redis: RedisConfiguration, keys: KeySource, nodeName: String,
            tossSecretKey: String, tossClientKey: String, tossURL: @escaping @Sendable () -> URL?,
            reservationsURL: @escaping @Sendable () -> URL?, publicURL: @escaping @Sendable () -> URL?,
            isSandbox: Bool, signingKey: SigningKey, clock: @escaping @Sendable () -> Int64
        ) {
            self.database = database
            self.redis = redis
            self.keys = keys
            self.nodeName = nodeName
            self.tossSecretKey = tossSecretKey
            self.tossClientKey = tossClientKey
            self.tossURL = tossURL
            self.reservationsURL = reservationsURL
            self.publicURL = publicURL
            self.isSandbox = isSandbox
            self.signingKey = signingKey
            self.clock = clock
        }
    }

    package static let openAPI = PaymentOpenAPI.document

    static let defaultTossTimeoutMs: Int64 = 35_000
    /// Work that may wait for a connection to the database, as many as there may be connections to the process: a
    /// stampede's requests wait their turn.
    static let maxWaiting = 16_384
    /// Connections to Toss, and to Reservations where it is another process. Toss takes its time to approve: each
    /// confirmation under way has one.
    static let maxConnections = PaymentAPI.maxInline
    static let idle = Duration.milliseconds(200)
    static let maxRetry = Duration.seconds(5)
    static let countEvery = Duration.seconds(5)
    static let reconcileEvery = Duration.seconds(60)

    let database: ServiceDatabase
    private let redis: RedisPool
    private let relay: OutboxRelay
    private let outbox: OutboxGauges
    private let reader: GroupReader
    private let http: HTTPClient
    let worker: PaymentWorker
    let refunds: RefundWorker
    let reconciliation: Reconciliation
    private let api: PaymentAPI
    private let metrics: PaymentMetrics
    private let logger: Logger

    /// - Throws: where the database is of a kind that can't be served from.
    package init(_ configuration: Configuration, metrics: Metrics, logger: Logger) async throws {
        let paymentMetrics = PaymentMetrics(metrics)
        let database = try ServiceDatabase(
            .payments, configuration.database, maxWaiting: Self.maxWaiting, logger: logger)
        let pool = database.pool
        let http = TossClient.http(connections: Self.maxConnections)
        let toss = TossClient(
            http: http, address: configuration.tossURL, secretKey: configuration.tossSecretKey,
            timeout: .milliseconds(configuration.tossTimeoutMs), metrics: paymentMetrics, logger: logger)
        let reservations = ReservationClient(
            http: http, address: configuration.reservationsURL, beside: configuration.reservations,
            token: ServiceToken(configuration.signingKey, clock: configuration.clock), logger: logger)
        let handMade = HandMadeCancels(
            postgres: pool, clock: configuration.clock, metrics: paymentMetrics, logger: logger)
        let worker = PaymentWorker(
            postgres: pool, commits: CommitGroups(pool, maxWaiting: Self.maxWaiting), toss: toss,
            reservations: reservations, leaseMs: configuration.leaseMs, clock: configuration.clock, handMade: handMade,
            metrics: paymentMetrics, logger: logger)
        let due = DueRefunds(postgres: pool, clock: configuration.clock, logger: logger)
        self.database = database
        self.http = http
        self.worker = worker
        self.logger = logger
        self.metrics = paymentMetrics
        redis = RedisPool(configuration.redis, connections: 2, logger: logger)
        relay = OutboxRelay(
            postgres: pool, redis: redis, leaseSeconds: configuration.outboxLeaseSeconds, logger: logger)
        outbox = OutboxGauges(database.pool, of: .payments, metrics: metrics, logger: logger)
        reader = GroupReader(
            group: .payments, kinds: DueRefunds.kinds, name: configuration.nodeName, redis: redis,
            clock: configuration.clock, metrics: MessageMetrics(metrics), logger: logger
        ) { try await due.store($0) }
        refunds = RefundWorker(
            postgres: pool, toss: toss, leaseMs: configuration.leaseMs, clock: configuration.clock,
            handMade: handMade, metrics: paymentMetrics, logger: logger)
        reconciliation = Reconciliation(
            postgres: pool, toss: toss, clock: configuration.clock, metrics: paymentMetrics, logger: logger)
        api = PaymentAPI(
            configuration: configuration, postgres: pool, worker: worker, reservations: reservations,
            metrics: paymentMetrics, logger: logger)
        do {
            try await database.checkLocale()
        } catch {
            await shutdown()
            throw error
        }
    }

    package func addRoutes(to router: Router<ServiceContext>) { api.addRoutes(to: router) }

    package func isReady() async -> Bool { await database.isReady() }

    package func run() async {
        await withTaskGroup { group in
            group.addTask { await relay.run() }
            group.addTask { await outbox.run() }
            group.addTask { await reader.run() }
            // Each at its own pace: what is due waits for no hint, and no payment for somebody's refund.
            group.addTask { await repeatedly(every: Self.idle, "payments") { try await worker.runDue() } }
            group.addTask { await repeatedly(every: Self.idle, "refunds") { try await refunds.runDue() } }
            group.addTask { await repeatedly(every: Self.idle, "webhooks") { try await takeHints() } }
            group.addTask {
                await repeatedly(every: Self.countEvery, "counting") {
                    try await count()
                    return 0
                }
            }
            group.addTask {
                await repeatedly(every: Self.reconcileEvery, "reconciliation") {
                    try await reconciliation.runDue()
                    try await database.pool.withConnection {
                        try WebhookStore.trim(maxStored: WebhookStore.maxStored, on: $0)
                    }
                    return 0
                }
            }
        }
    }

    package func shutdown() async {
        try? await http.shutdown()
        await redis.shutdown()
        await database.pool.shutdown()
    }

    /// All that is due now, in one turn.
    ///
    /// - Returns: how much it was.
    @discardableResult
    func work() async throws -> Int {
        let done = try await worker.runDue() + refunds.runDue() + takeHints()
        try await count()
        return done
    }

    private func takeHints() async throws -> Int {
        let waiting = try await database.pool.withConnection { try WebhookStore.waiting(on: $0) }
        guard !waiting.isEmpty else { return 0 }
        // Nothing is locked, and no connection kept, while they are read.
        let hints = waiting.map { (seq: $0.seq, hint: WebhookHint($0.body)) }
        let now = worker.clock()
        return try await database.pool.withConnection { connection in
            try connection.transaction { try WebhookStore.take(hints, now: now, on: $0) }
        }
    }

    /// What somebody must look at.
    private func count() async throws {
        let (stuck, refused, differences) = try await database.pool.withConnection { connection in
            let row = try connection.query(
                """
                SELECT (SELECT count(*) FROM payments WHERE stuck_reason IS NOT NULL),
                    (SELECT count(*) FROM refunds WHERE state = 'refused'),
                    (SELECT count(*) FROM reconciliation_differences WHERE resolved_at IS NULL)
                """)[0]
            return (try row.get(0, as: Int.self), try row.get(1, as: Int.self), try row.get(2, as: Int.self))
        }
        metrics.stuck.set(stuck)
        metrics.manualRefunds.set(refused)
        metrics.differences.set(differences)
    }

    /// Runs until the task is cancelled; what fails is tried again.
    private func repeatedly(
        every pause: Duration, _ what: String, _ body: @Sendable () async throws -> Int
    ) async {
        var delay = pause
        while !Task.isCancelled {
            do {
                let done = try await body()
                delay = pause
                if done > 0 { continue }
            } catch {
                if Task.isCancelled { return }
                logger.warning("\(what): failed; trying again", metadata: ["error": "\(error)"])
                delay = max(pause, min(delay * 2, Self.maxRetry))
            }
            try? await Task.sleep(for: delay)
        }
    }
}
