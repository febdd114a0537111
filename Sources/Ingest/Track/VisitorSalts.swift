package import Core
package import Logging
package import Storage

/// The salts that hash visitors without an id: one random salt a reporting day, the same on every node, kept in
/// Postgres for two days and then forgotten, so that a day's hashes can't be made again.
package struct VisitorSalts: Sendable {
    static let daysKept = 2
    static let refreshEveryMs: Int64 = 300_000
    static let saltBytes = 32

    private let calendar: ReportingCalendar
    private let pool: PostgresPool
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    /// For as long as Postgres can't be reached: then the same visitor on two nodes counts as two.
    package let fallback: SaltSource
    private let fallbackSalt: [UInt8]

    package init(
        calendar: ReportingCalendar, pool: PostgresPool, clock: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.calendar = calendar
        self.pool = pool
        self.clock = clock
        self.logger = logger
        fallbackSalt = Self.random()
        fallback = SaltSource(calendar: calendar, days: [:], fallback: fallbackSalt)
    }

    /// Keeps `endpoint` in today's and tomorrow's salts until the task is cancelled.
    package func run(for endpoint: TrackEndpoint) async {
        while !Task.isCancelled {
            var pauseMs = Self.refreshEveryMs
            do {
                endpoint.update(salts: SaltSource(calendar: calendar, days: try await load(), fallback: fallbackSalt))
            } catch {
                if Task.isCancelled { return }
                logger.warning("visitor salts could not be read", metadata: ["error": "\(error)"])
                pauseMs = 1000
            }
            try? await Task.sleep(for: .milliseconds(pauseMs))
        }
    }

    /// The salts that are kept, today's and tomorrow's made where missing.
    package func load() async throws -> [Day: [UInt8]] {
        let today = calendar.day(of: clock())
        let days = [today, today + 1]
        let new = days.map { _ in Self.random() }
        return try await pool.withConnection { connection in
            try connection.execute(
                """
                INSERT INTO visitor_salts (day, salt) SELECT * FROM unnest(\(days), \(new)) ON CONFLICT DO NOTHING
                """)
            // Day 'epoch' salts imports and stays.
            try connection.execute(
                "DELETE FROM visitor_salts WHERE day < \(today - Self.daysKept) AND day > 'epoch'")
            var salts: [Day: [UInt8]] = [:]
            for row in try connection.query("SELECT day, salt FROM visitor_salts WHERE day > 'epoch'") {
                salts[try row.get(0)] = try row.get(1, as: [UInt8].self)
            }
            return salts
        }
    }

    private static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<saltBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
