import Core
import Foundation
import Ingest
import Logging
import Platform
import Storage
import TestSupport

@testable import Rollup

/// Stores beacons as batches and reads the rollup tables back as text.
struct RollupFixture {
    let pool: PostgresPool
    let rollup: Rollup

    init(
        pool: PostgresPool, redis: RedisPool? = nil, calendar: ReportingCalendar = .seoul,
        now: Int64 = 1_764_900_000_000, logger: Logger = testLogger
    ) {
        self.pool = pool
        rollup = Rollup(
            postgres: pool, redis: redis, calendar: calendar, clock: { now }, metrics: RollupMetrics(Metrics()),
            logger: logger)
    }

    /// Stores the beacons as one batch of the node, received when its first beacon was. The node says that anything may
    /// still come, as the tests store batches in any order.
    func store(
        _ beacons: [Beacon], node: String = "node/1", seq: Int64, receivedAt: Int64? = nil
    ) async throws {
        var builder = BeaconBatchBuilder()
        for beacon in beacons { builder.append(beacon) }
        let batch = BatchStore.Batch(
            node: node, firstSeq: seq, lastSeq: seq, receivedAt: receivedAt ?? beacons[0].receivedAt,
            encoding: builder.finish())
        try await pool.withConnection { connection in
            _ = try BatchStore.ensurePartition(of: batch.receivedDay, on: connection)
            let position = try BatchStore.positions(ofNode: node, on: connection)[node]
            guard
                try BatchStore.store(
                    batch, expected: position, shippedThrough: 0, on: connection)
            else { throw NotStored() }
        }
    }

    struct NotStored: Error {}

    /// Batches in the order in which repeats were decided.
    func foldOrder() async throws -> [Int64] {
        try await pool.withConnection { connection in
            try connection.query("SELECT seq FROM rollup_folded ORDER BY fold_seq").map { try $0.get(0) }
        }
    }

    static let tables =
        ["artist", "event", "site"].flatMap { family in
            ["hourly", "daily", "monthly"].map { "\(family)_traffic_\($0)" }
        } + ["revenue_hourly", "revenue_daily", "revenue_monthly", "event_booking_daily"]

    /// Every row of every rollup table, byte for byte.
    func dump() async throws -> [String] {
        try await pool.withConnection { connection in
            try Self.tables.flatMap { table in
                try connection.query("SELECT t::text AS row FROM \(unescaped: table) t ORDER BY 1").map { row in
                    "\(table) \(try row.get(0, as: String.self))"
                }
            }
        }
    }

    /// What is known of every session, its runs merged; ascending by slot and session.
    func sessionPieces() async throws -> [SessionPiece] {
        try await pool.withConnection { connection in
            let slots = try connection.query("SELECT DISTINCT slot FROM session_slots ORDER BY 1")
                .map { try $0.get(0, as: Int32.self) }
            return try slots.flatMap { slot in
                var merged: [SessionPiece] = []
                try SessionLedger.read([slot], .seoul, on: connection) { merged = SessionPiece.merged(merged, $3) }
                return merged
            }
        }
    }

    func hours() async throws -> [TrafficModel.Bucket: (TrafficModel.Numbers, VisitorSketch)] {
        try await pool.withConnection { connection in
            var hours: [TrafficModel.Bucket: (TrafficModel.Numbers, VisitorSketch)] = [:]
            for family in ["artist", "event", "site"] {
                for row in try connection.query(
                    """
                    SELECT \(unescaped: family)_id, hour, page_views, beacons, sessions, session_ms, visitors
                    FROM \(unescaped: family)_traffic_hourly
                    """)
                {
                    let bucket = TrafficModel.Bucket(
                        family: family, entity: ExactText(try row.get(0)),
                        hour: try row.get(1, as: PostgresTimestamp.self).ms)
                    var numbers = TrafficModel.Numbers()
                    numbers.pageViews = try row.get(2)
                    numbers.beacons = try row.get(3)
                    numbers.sessions = try row.get(4)
                    numbers.sessionMs = try row.get(5)
                    hours[bucket] = (numbers, try row.withBytes(6) { try VisitorSketch(bytes: $0) })
                }
            }
            return hours
        }
    }
}
