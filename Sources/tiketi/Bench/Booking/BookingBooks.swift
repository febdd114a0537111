import AsyncHTTPClient
import Foundation
import NIOCore
import Platform
import Storage

/// What three sets of books say was sold: of the reservations, of the payments, and of the one who took the money.
struct BookingBooks: Equatable, Sendable {
    /// Seats that are claimed as sold, and valid tickets, each with the number of different seats.
    var soldClaims = 0
    var claimedSeats = 0
    var tickets = 0
    var ticketSeats = 0
    var paidReservations = 0
    var reservedAmount: Int64 = 0
    /// Reservations and payments that still wait for something.
    var undecided = 0
    /// What was taken by order, in minor units.
    var payments: [String: Int64] = [:]
    var toss: [String: Int64] = [:]
    var givenBack: Int64 = 0
    var deadlocks = 0

    /// Where they don't agree with one another, and with what buyers were told; empty where all is well.
    ///
    /// - Parameters:
    ///   - told: tickets that buyers were told of.
    ///   - seats: that there were; all of them are to be sold.
    func differences(told: Int, seats: Int) -> [String] {
        var found: [String] = []
        func expect(_ what: String, _ value: some BinaryInteger, _ expected: some BinaryInteger) {
            if value != expected { found.append("\(what): \(value), not \(expected)") }
        }
        expect("seats that are sold", claimedSeats, seats)
        expect("claims of sold seats", soldClaims, claimedSeats)
        expect("seats that have a ticket", ticketSeats, claimedSeats)
        expect("valid tickets", tickets, ticketSeats)
        expect("tickets that buyers were told of", told, tickets)
        expect("paid reservations", paidReservations, tickets)
        expect("payments with a ticket", payments.count, paidReservations)
        expect("orders that Toss took money for", toss.count, payments.count)
        let paid = payments.values.reduce(0, +)
        expect("money of payments", paid, reservedAmount)
        expect("money that Toss took", toss.values.reduce(0, +), paid)
        expect("orders of which Toss has another amount", toss.count { payments[$0.key] != $0.value }, 0)
        expect("money that was given back", givenBack, 0)
        expect("reservations and payments that are undecided", undecided, 0)
        expect("deadlocks", deadlocks, 0)
        return found
    }

    static func read(reservations: PostgresPool, payments: PostgresPool, sandboxPort: Int) async throws -> Self {
        var books = try await reservations.withConnection { connection in
            var books = BookingBooks()
            let row = try connection.query(
                """
                SELECT (SELECT count(*) FROM seat_claims WHERE state = 'sold'),
                    (SELECT count(DISTINCT (event_id, seat_id)) FROM seat_claims WHERE state = 'sold'),
                    (SELECT count(*) FROM tickets WHERE state = 'valid'),
                    (SELECT count(DISTINCT (event_id, seat_id)) FROM tickets WHERE state = 'valid'),
                    (SELECT count(*) FROM reservations WHERE state = 'paid'),
                    (SELECT coalesce(sum(amount), 0)::bigint FROM reservations WHERE state = 'paid'),
                    (SELECT count(*) FROM reservations WHERE state IN ('held', 'confirming')),
                    (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())
                """)[0]
            books.soldClaims = try row.get(0)
            books.claimedSeats = try row.get(1)
            books.tickets = try row.get(2)
            books.ticketSeats = try row.get(3)
            books.paidReservations = try row.get(4)
            books.reservedAmount = try row.get(5)
            books.undecided = try row.get(6)
            books.deadlocks = try row.get(7)
            return books
        }
        let (orders, undecided, deadlocks) = try await payments.withConnection { connection in
            let orders = try connection.query("SELECT order_id, amount FROM payments WHERE state = 'ticketed'")
                .map { (try $0.get(0, as: String.self), try $0.get(1, as: Int64.self)) }
            let row = try connection.query(
                """
                SELECT (SELECT count(*) FROM payments WHERE state NOT IN ('ticketed', 'failed')),
                    (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())
                """)[0]
            return (orders, try row.get(0, as: Int.self), try row.get(1, as: Int.self))
        }
        books.payments = Dictionary(uniqueKeysWithValues: orders)
        books.undecided += undecided
        books.deadlocks += deadlocks
        for order in try await taken(by: sandboxPort) {
            if order.taken > 0 { books.toss[order.orderId] = order.taken }
            books.givenBack += order.givenBack
        }
        return books
    }

    private struct Order: Decodable {
        var orderId: String
        var taken: Int64
        var givenBack: Int64
    }

    private static let maxBooksBytes = 64 << 20

    private static func taken(by sandboxPort: Int) async throws -> [Order] {
        struct Orders: Decodable {
            var orders: [Order]
        }
        let response = try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "http://127.0.0.1:\(sandboxPort)/sandbox/books"), timeout: .seconds(30))
        let body = try await response.body.collect(upTo: maxBooksBytes)
        return try JSONDecoder().decode(Orders.self, from: Data(body.readableBytesView)).orders
    }
}
