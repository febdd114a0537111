import Core
import Storage
import TestSupport

@testable import Query

/// A database with rollups written by hand, and an engine that asks it at a fixed moment.
struct Lab: Sendable {
    /// 2025-12-05 19:30 in Seoul.
    static let now = Instant.parse("2025-12-05T10:30:00Z")!

    let pool: PostgresPool
    let configuration: PostgresConfiguration
    let engine: QueryEngine

    static func with(
        now: Int64 = Lab.now, redis: RedisConfiguration? = nil, _ body: (Lab) async throws -> Void
    ) async throws {
        try await withAnalyticsDatabase { configuration, pool in
            let engine = QueryEngine(
                database: configuration, redis: redis, calendar: .seoul, logger: testLogger, now: { now })
            let lab = Lab(pool: pool, configuration: configuration, engine: engine)
            do {
                try await body(lab)
                await engine.shutdown()
            } catch {
                await engine.shutdown()
                throw error
            }
        }
    }

    /// Visitors by number: the same number is the same visitor.
    static func sketch(_ visitors: some Sequence<Int>) -> VisitorSketch {
        var sketch = VisitorSketch()
        for visitor in visitors {
            var name = "visitor-\(visitor)"
            sketch.add(hash: name.withUTF8 { Murmur3.hash64(UnsafeRawBufferPointer($0)) })
        }
        return sketch
    }

    @discardableResult
    func execute(_ sql: SQL) async throws -> Int {
        try await pool.withConnection { try $0.execute(sql) }
    }

    /// - Parameter at: a day or first day of a month, or for hours an instant.
    func traffic(
        _ subject: TrafficSubject, _ grain: Grain, _ at: String, views: Int64, seats: Int64 = 0, sessions: Int64 = 0,
        ms: Int64 = 0, visitors: some Collection<Int> = 0..<0, beacons: Int64? = nil
    ) async throws {
        let place: SQL = grain == .hour ? "\(PostgresTimestamp(ms: Instant.parse(at)!))" : "\(Day(at)!)"
        let family = subject.family
        try await execute(
            """
            INSERT INTO \(unescaped: family.table(grain)) (\(unescaped: family.idColumn), \(unescaped: grain.column),
                page_views, seat_views, beacons, sessions, session_ms, visitors)
            VALUES (\(subject.entity), \(sql: place), \(views), \(seats), \(beacons ?? max(views + seats, Int64(visitors.count))), \(sessions), \(ms),
                \(Self.sketch(visitors).bytes))
            """)
    }

    func dirty(_ grain: Grain, _ family: String, _ entity: String, _ bucket: String) async throws {
        let instant = grain == .hour ? Instant.parse(bucket)! : Day(bucket)!.midnightUTC
        try await execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            VALUES (\(grain.rawValue), \(family), \(entity), \(PostgresTimestamp(ms: instant)))
            """)
    }

    func revenue(
        _ grain: Grain, _ at: String, artist: String = "iu", event: String = "e1", currency: String = "KRW",
        gross: Int64, refunds: Int64 = 0, orders: Int64 = 1, tickets: Int64 = 1, refundedTickets: Int64 = 0
    ) async throws {
        let place: SQL = grain == .hour ? "\(PostgresTimestamp(ms: Instant.parse(at)!))" : "\(Day(at)!)"
        try await execute(
            """
            INSERT INTO revenue_\(unescaped: grain.suffix) (\(unescaped: grain.column), currency, artist_id, event_id,
                gross, refunds, orders, tickets, refunded_tickets)
            VALUES (\(sql: place), \(currency), \(artist), \(event), \(gross), \(refunds), \(orders), \(tickets),
                \(refundedTickets))
            """)
    }

    func ledger(
        _ id: String, _ at: String, artist: String = "iu", event: String = "e1", currency: String = "KRW",
        amount: Int64, tickets: Int64
    ) async throws {
        try await execute(
            """
            INSERT INTO revenue_ledger (message_id, kind, occurred_at, artist_id, event_id, currency, payment_id, orders,
                tickets, amount)
            VALUES (\(id), \(amount < 0 ? "refund" : "payment"), \(PostgresTimestamp(ms: Instant.parse(at)!)), \(artist),
                \(event), \(currency), \(id), \(amount < 0 ? 0 : 1 as Int64), \(tickets), \(amount))
            """)
    }

    func name(artist id: String, _ name: String) async throws {
        try await execute("INSERT INTO artist_names (artist_id, name, changed_at) VALUES (\(id), \(name), now())")
    }

    func name(event id: String, _ title: String) async throws {
        try await execute("INSERT INTO event_names (event_id, title, changed_at) VALUES (\(id), \(title), now())")
    }

    func shipped(_ node: String, through: String) async throws {
        let instant =
            through == "infinity" ? PostgresTimestamp.infinity : PostgresTimestamp(ms: Instant.parse(through)!)
        try await execute(
            "INSERT INTO spool_positions (node, last_seq, shipped_through) VALUES (\(node), 1, \(instant))")
    }

    func pending(_ seq: Int64, receivedAt: String) async throws {
        try await execute(
            """
            INSERT INTO rollup_pending (received_day, node, seq, beacons, received_at)
            VALUES ('2025-12-05', 'n', \(seq), 1, \(PostgresTimestamp(ms: Instant.parse(receivedAt)!)))
            """)
    }

    func traffic(
        _ subject: TrafficSubject, _ start: String?, _ end: String?, _ granularity: Granularity = .daily,
        timeZone: String? = nil
    ) async throws -> TrafficAnswer {
        try await engine.traffic(
            TrafficQuestion(
                subject: subject,
                period: Period(
                    startDate: start.map { Day($0)! }, endDate: end.map { Day($0)! }, granularity: granularity,
                    timeZone: timeZone)))
    }

    func revenue(
        _ start: String?, _ end: String?, _ granularity: Granularity = .daily, currency: String = "KRW",
        artist: String? = nil, timeZone: String? = nil
    ) async throws -> RevenueAnswer {
        try await engine.revenue(
            RevenueQuestion(
                period: Period(
                    startDate: start.map { Day($0)! }, endDate: end.map { Day($0)! }, granularity: granularity,
                    timeZone: timeZone),
                currency: currency, artistID: artist))
    }
}
