import Core
import Logging
import Platform
import Storage

/// Holds a day of Seoul against Toss's list of transactions, and reports every difference. What Toss knows and we
/// don't is asked about, and taken over by the saga's own transitions.
struct Reconciliation: Sendable {
    /// A day's; beyond it the day can't be compared in one piece, and says so.
    static let maxTransactions = 200_000
    /// A day is compared when Toss has surely all of it: at three in the morning.
    static let startMs: Int64 = 3 * 3_600_000
    /// Earlier days that were missed, as while nothing ran.
    static let maxCatchUpDays = 7
    /// A day with differences is compared again after this: what was taken over since is resolved.
    static let againMs: Int64 = 6 * 3_600_000
    static let leaseMs: Int64 = 15 * 60_000

    var maxTransactions = Self.maxTransactions
    let postgres: PostgresPool
    let toss: TossClient
    let clock: @Sendable () -> Int64
    let metrics: PaymentMetrics
    let logger: Logger

    /// Why a day couldn't be compared.
    enum Unfinished: Error, CustomStringConvertible {
        case tossUnavailable
        case tooMany(Day)

        var description: String {
            switch self {
            case .tossUnavailable: "Toss's list can't be had"
            case .tooMany(let day): "more than \(maxTransactions) transactions on \(day)"
            }
        }
    }

    /// The day of Seoul at an instant.
    static func day(at instant: Int64) -> Day {
        Day(daysSince1970: Int(floorDiv(instant + 9 * 3_600_000, 86_400_000)))
    }

    static func range(of day: Day) -> Range<Int64> {
        let start = Int64(day.daysSince1970) * 86_400_000 - 9 * 3_600_000
        return start..<(start + 86_400_000)
    }

    /// Compares the days that are due and that nobody compares or has compared.
    func runDue() async throws {
        let now = clock()
        let last = Self.day(at: now - Self.startMs) - 1
        for back in (0..<Self.maxCatchUpDays).reversed() {
            let day = last - back
            let isOurs = try await postgres.withConnection { connection in
                try connection.execute(
                    """
                    INSERT INTO reconciliation_runs (day, lease_until)
                    VALUES (\(day), \(PostgresTimestamp(ms: now + Self.leaseMs)))
                    ON CONFLICT (day) DO UPDATE SET lease_until = excluded.lease_until
                    WHERE (reconciliation_runs.finished_at IS NULL OR (reconciliation_runs.differences > 0
                            AND reconciliation_runs.finished_at <= \(PostgresTimestamp(ms: now - Self.againMs))))
                        AND reconciliation_runs.lease_until <= \(PostgresTimestamp(ms: now))
                    """) == 1
            }
            if isOurs { _ = try await run(day) }
        }
    }

    /// Compares one day, whether or not it was compared before.
    func run(_ day: Day) async throws -> [Difference] {
        let transactions = try await transactions(of: day)
        let range = Self.range(of: day)
        let now = clock()
        let orders = Array(Set(transactions.map(\.orderId))).sorted()
        let keys = transactions.filter(\.isCancel).map(\.transactionKey)
        let differences = try await postgres.withConnection { connection in
            try connection.transaction(isolation: .repeatableRead) { connection in
                let start = PostgresTimestamp(ms: range.lowerBound)
                let end = PostgresTimestamp(ms: range.upperBound)
                let payments = try connection.query(
                    """
                    SELECT payment_id, order_id, amount, approved_at IS NOT NULL,
                        coalesce(approved_at >= \(start) AND approved_at < \(end), false)
                    FROM payments
                    WHERE (approved_at >= \(start) AND approved_at < \(end)) OR order_id = ANY(\(orders))
                    """
                ).map { row in
                    Comparison.Payment(
                        paymentId: try row.get(0), orderId: try row.get(1), amount: try row.get(2),
                        isApproved: try row.get(3), isOfDay: try row.get(4))
                }
                let refunds = try connection.query(
                    """
                    SELECT r.refund_id, p.order_id, r.amount, r.transaction_key,
                        r.completed_at >= \(start) AND r.completed_at < \(end)
                    FROM refunds r JOIN payments p USING (payment_id)
                    WHERE r.state = 'done'
                        AND ((r.completed_at >= \(start) AND r.completed_at < \(end)) OR r.transaction_key = ANY(\(keys)))
                    """
                ).map { row in
                    Comparison.Refund(
                        refundId: try row.get(0), orderId: try row.get(1), amount: try row.get(2),
                        transactionKey: try row.get(3), isOfDay: try row.get(4))
                }
                let found = Comparison.differences(transactions, payments: payments, refunds: refunds)
                try store(found, day, compared: transactions.count, now: now, on: connection)
                return found
            }
        }
        // What Toss knows better, it is asked about.
        let wrong = differences.filter { $0.kind != .missingAtToss }.compactMap(\.orderId)
        _ = try await postgres.withConnection { try PaymentStore.hint(orders: wrong, keys: [], now: now, on: $0) }
        if !differences.isEmpty {
            logger.error(
                "our books and Toss's differ",
                metadata: ["day": "\(day)", "differences": "\(differences.count)"])
        }
        return differences
    }

    private func transactions(of day: Day) async throws -> [TossTransaction] {
        let range = Self.range(of: day)
        var all: [TossTransaction] = []
        while true {
            let page = await toss.transactions(
                from: range.lowerBound, to: range.upperBound, after: all.last?.transactionKey)
            guard case .found(let more) = page else { throw Unfinished.tossUnavailable }
            if more.isEmpty { return all }
            all += more
            guard all.count <= maxTransactions else { throw Unfinished.tooMany(day) }
        }
    }

    private func store(
        _ found: [Difference], _ day: Day, compared: Int, now: Int64, on connection: PostgresConnection
    ) throws {
        let at = PostgresTimestamp(ms: now)
        try connection.execute(
            """
            UPDATE reconciliation_differences SET resolved_at = \(at)
            WHERE day = \(day) AND resolved_at IS NULL
                AND NOT (kind || ' ' || reference) = ANY(\(found.map { "\($0.kind.rawValue) \($0.reference)" }))
            """)
        for difference in found {
            try connection.execute(
                """
                INSERT INTO reconciliation_differences
                    (day, kind, reference, order_id, amount_here, amount_at_toss, found_at)
                VALUES (\(day), \(difference.kind.rawValue), \(difference.reference), \(difference.orderId),
                    \(difference.amountHere), \(difference.amountAtToss), \(at))
                ON CONFLICT (day, kind, reference) DO UPDATE SET amount_here = excluded.amount_here,
                    amount_at_toss = excluded.amount_at_toss, resolved_at = NULL
                """)
        }
        try connection.execute(
            """
            INSERT INTO reconciliation_runs (day, finished_at, lease_until, compared, differences)
            VALUES (\(day), \(at), \(at), \(compared), \(found.count))
            ON CONFLICT (day) DO UPDATE SET finished_at = excluded.finished_at, compared = excluded.compared,
                differences = excluded.differences
            """)
    }
}
