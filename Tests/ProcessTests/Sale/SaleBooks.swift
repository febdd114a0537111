import NIOHTTP1
import Platform
import Storage
import TestSupport
import Testing

/// What the databases and Toss's stand-in have once all has come to rest.
struct SaleBooks {
    struct Payment {
        var id: String
        var order: String
        var reservation: String
        var state: String
        var amount: Int64
        var isApproved: Bool
        var count: Int
        var tickets: [String]
        var committed: Int64
        var refunded: Int64
    }

    struct Refund {
        var key: String
        var amount: Int64
        var state: String
    }

    struct Reservation {
        var state: String
        var payment: String?
        var isPaid: Bool
    }

    struct Ticket: Hashable {
        var id: String
        var seat: String
        var isVoid: Bool
    }

    struct Money: Equatable, CustomStringConvertible {
        var taken: Int64 = 0
        var givenBack: Int64 = 0

        var description: String { "\(taken) taken and \(givenBack) given back" }
    }

    /// By order, as Toss has it.
    var toss: [String: Money] = [:]
    var payments: [Payment] = []
    /// By payment.
    var refunds: [String: [Refund]] = [:]
    var reservations: [String: Reservation] = [:]
    /// By reservation.
    var tickets: [String: [Ticket]] = [:]
    /// By reservation, with their amounts.
    var cancellations: [String: [(id: String, amount: Int64)]] = [:]
    /// Seats that somebody has, by reservation.
    var claims: [String: [(seat: String, state: String)]] = [:]
    /// By table.
    var revenue: [String: Money] = [:]

    init(_ stage: SaleStage, _ databases: SaleDatabases) async throws {
        for order in try await ShopClient(address: stage.toss).ask(.GET, "/sandbox/books")["orders"]?.elements ?? [] {
            guard let id = order["orderId"]?.text, let taken = order["taken"]?.integer,
                let givenBack = order["givenBack"]?.integer
            else { continue }
            toss[id] = Money(taken: taken, givenBack: givenBack)
        }
        (payments, refunds) = try await databases.payments.withConnection { connection in
            let payments = try connection.query(
                """
                SELECT payment_id, order_id, reservation_id, state, amount, approved_at IS NOT NULL, tickets, ticket_ids,
                    refund_committed, refunded FROM payments
                """
            ).map { row in
                Payment(
                    id: try row.get(0), order: try row.get(1), reservation: try row.get(2), state: try row.get(3),
                    amount: try row.get(4), isApproved: try row.get(5), count: Int(try row.get(6, as: Int32.self)),
                    tickets: try row.get(7), committed: try row.get(8), refunded: try row.get(9))
            }
            var refunds: [String: [Refund]] = [:]
            for row in try connection.query("SELECT payment_id, request_key, amount, state FROM refunds") {
                refunds[try row.get(0), default: []].append(
                    Refund(key: try row.get(1), amount: try row.get(2), state: try row.get(3)))
            }
            return (payments, refunds)
        }
        (reservations, tickets, cancellations, claims) = try await databases.reservations.withConnection(Self.booked)
        revenue = try await databases.analytics.withConnection(Self.counted)
    }

    private static func booked(
        _ connection: PostgresConnection
    ) throws -> (
        [String: Reservation], [String: [Ticket]], [String: [(id: String, amount: Int64)]],
        [String: [(seat: String, state: String)]]
    ) {
        var reservations: [String: Reservation] = [:]
        for row in try connection.query("SELECT id, state, payment_id, paid_at IS NOT NULL FROM reservations") {
            reservations[try row.get(0)] = Reservation(
                state: try row.get(1), payment: try row.get(2), isPaid: try row.get(3))
        }
        var tickets: [String: [Ticket]] = [:]
        for row in try connection.query(
            "SELECT reservation_id, id, event_id || ' ' || seat_id, state = 'void' FROM tickets")
        {
            tickets[try row.get(0), default: []].append(
                Ticket(id: try row.get(1), seat: try row.get(2), isVoid: try row.get(3)))
        }
        var cancellations: [String: [(id: String, amount: Int64)]] = [:]
        for row in try connection.query("SELECT reservation_id, id, amount FROM cancellations") {
            cancellations[try row.get(0), default: []].append((try row.get(1), try row.get(2)))
        }
        var claims: [String: [(seat: String, state: String)]] = [:]
        for row in try connection.query(
            "SELECT reservation_id, event_id || ' ' || seat_id, state FROM seat_claims")
        {
            claims[try row.get(0), default: []].append((try row.get(1), try row.get(2)))
        }
        return (reservations, tickets, cancellations, claims)
    }

    private static func counted(_ connection: PostgresConnection) throws -> [String: Money] {
        var revenue: [String: Money] = [:]
        for (table, taken, givenBack) in [
            ("ledger", "sum(amount) FILTER (WHERE kind = 'payment')", "-sum(amount) FILTER (WHERE kind = 'refund')"),
            ("hourly", "sum(gross)", "sum(refunds)"), ("daily", "sum(gross)", "sum(refunds)"),
            ("monthly", "sum(gross)", "sum(refunds)"),
        ] {
            let row = try connection.query(
                """
                SELECT coalesce(\(unescaped: taken), 0)::bigint, coalesce(\(unescaped: givenBack), 0)::bigint
                FROM revenue_\(unescaped: table)
                """)[0]
            revenue["revenue_\(table)"] = Money(taken: try row.get(0), givenBack: try row.get(1))
        }
        return revenue
    }
}

/// Connections for looking into the databases.
struct SaleDatabases {
    let analytics: PostgresPool
    let payments: PostgresPool
    let reservations: PostgresPool
    let events: PostgresPool
    let users: PostgresPool

    init(_ stage: SaleStage) throws {
        func pool(_ name: String) throws -> PostgresPool {
            PostgresPool(try stage.configuration(name), connections: 1, logger: silentLogger)
        }
        analytics = try pool("analytics")
        payments = try pool("payments")
        reservations = try pool("reservations")
        events = try pool("events")
        users = try pool("users")
    }

    func shutdown() async {
        for pool in [analytics, payments, reservations, events, users] { await pool.shutdown() }
    }

    /// What is still to be done, a line for each kind of it; empty once all has come to rest.
    func underWay() async throws -> [String] {
        var lines: [String] = []
        for (name, pool, statements) in [
            (
                "payments", payments,
                [
                    "SELECT state FROM payments WHERE state IN ('confirming', 'releasing', 'paid')",
                    "SELECT 'stuck: ' || stuck_reason FROM payments WHERE stuck_reason IS NOT NULL",
                    "SELECT 'refund ' || state FROM refunds WHERE state <> 'done'",
                    "SELECT 'outbox' FROM outbox", "SELECT 'webhook' FROM webhooks WHERE state = 'waiting'",
                ]
            ),
            (
                "reservations", reservations,
                [
                    "SELECT state FROM reservations WHERE state IN ('held', 'confirming')",
                    "SELECT 'claim ' || state FROM seat_claims WHERE state <> 'sold'", "SELECT 'outbox' FROM outbox",
                ]
            ),
            ("events", events, ["SELECT 'outbox' FROM outbox"]), ("users", users, ["SELECT 'outbox' FROM outbox"]),
        ] {
            for statement in statements {
                lines += try await pool.withConnection { connection in
                    try connection.query(
                        "SELECT s || ': ' || count(*) FROM (\(unescaped: statement)) t (s) GROUP BY s ORDER BY s"
                    ).map { "\(name) \(try $0.get(0, as: String.self))" }
                }
            }
        }
        return lines
    }

    /// Refunds that Toss wouldn't make: somebody looks at each, and has it tried again.
    func refusedRefunds() async throws -> [(payment: String, refund: String)] {
        try await payments.withConnection { connection in
            try connection.query("SELECT payment_id, refund_id FROM refunds WHERE state = 'refused'")
                .map { (try $0.get(0), try $0.get(1)) }
        }
    }
}
