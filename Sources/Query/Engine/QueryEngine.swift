package import Core
import Foundation
package import Logging
package import Storage

/// Asks the rollups, and Redis about the present. The API and the command line stand on it alike.
package struct QueryEngine: Sendable {
    /// Connections for answers from rollups.
    package static let maxAnswerConnections = 4
    package static let maxWaitingAnswers = 256
    /// Rankings look at every artist, event or value of a range: they can't keep a dashboard waiting either.
    package static let maxRankingConnections = 2
    package static let maxWaitingRankings = 64
    /// Scans of raw batches have their own, so that they can't keep a dashboard waiting.
    package static let maxScanConnections = 2
    package static let maxWaitingScans = 8
    /// So have exports, whose readers take their time.
    package static let maxExportConnections = 2
    /// Redis only refines an answer: it is not waited for longer.
    package static let maxRedisWait = Duration.milliseconds(500)

    /// How old the answer to a probe may be: anyone may ask as often as he likes.
    static let maxReadinessAgeMs: Int64 = 1000

    var answers: PostgresPool
    var rankings: PostgresPool
    let scans: PostgresPool
    let exports: PostgresPool
    /// Has a connection of its own: a busy process is ready.
    private let probes: PostgresPool
    private let readiness: SharedAnswer<Bool>
    let redis: RedisPool?
    package let calendar: ReportingCalendar
    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64
    let logger: Logger

    /// - Parameter redis: nil to answer from rollups alone.
    package init(
        database: PostgresConfiguration, redis: RedisConfiguration?, calendar: ReportingCalendar, logger: Logger,
        now: @escaping @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1000) }
    ) {
        answers = PostgresPool(
            database, connections: Self.maxAnswerConnections, maxWaiting: Self.maxWaitingAnswers, logger: logger)
        rankings = PostgresPool(
            database, connections: Self.maxRankingConnections, maxWaiting: Self.maxWaitingRankings, logger: logger)
        scans = PostgresPool(
            database, connections: Self.maxScanConnections, maxWaiting: Self.maxWaitingScans, logger: logger)
        exports = PostgresPool(
            database, connections: Self.maxExportConnections, maxWaiting: ExportSlots.maxExports, logger: logger)
        let probes = PostgresPool(database, connections: 1, logger: logger)
        self.probes = probes
        readiness = SharedAnswer(maxAgeMs: Self.maxReadinessAgeMs) {
            let newest = Int32(try Migrator(.analytics).migrations.last?.version ?? 0)
            return try await probes.withConnection { connection in
                try connection.query("SELECT FROM schema_migrations WHERE version >= \(newest) LIMIT 1").count == 1
            }
        }
        self.redis = redis.map { configuration in
            var configuration = configuration
            configuration.connectTimeout = Self.maxRedisWait
            configuration.commandTimeout = Self.maxRedisWait
            return RedisPool(configuration, connections: 2, maxWaiting: Self.maxWaitingAnswers, logger: logger)
        }
        self.calendar = calendar
        self.logger = logger
        self.now = now
    }

    package func shutdown() async {
        await answers.shutdown()
        await rankings.shutdown()
        await scans.shutdown()
        await exports.shutdown()
        await probes.shutdown()
        await redis?.shutdown()
    }

    /// Whether questions can be answered: the database is there, with all that this program's migrations make.
    package func isReady() async -> Bool {
        (try? await readiness.value()) ?? false
    }

    var context: PlanContext { PlanContext(now: now(), reporting: calendar) }

    /// - Parameter pool: nil for that of answers.
    func snapshot<Value: Sendable>(
        from pool: PostgresPool? = nil, _ body: @escaping @Sendable (PostgresConnection) throws -> Value
    ) async throws -> Value {
        try await (pool ?? answers).withConnection { try $0.transaction(isolation: .repeatableRead, body) }
    }
}
