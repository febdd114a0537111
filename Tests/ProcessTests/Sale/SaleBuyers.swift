import Foundation
import NIOHTTP1
import Platform
import Synchronization
import TestSupport
import Testing

/// People who buy, over HTTP alone, whatever answers: some give up, some come too late, some want their money back.
final class SaleBuyers: Sendable {
    /// What somebody was told, and so has to be true ever after.
    struct Told: Sendable {
        /// Reservations that were held for somebody.
        var held: Set<String> = []
        /// Payments that have tickets, with how many.
        var ticketed: [String: Int] = [:]
        var cancellations: Set<String> = []
        /// Payments that somebody wanted to confirm only when the hold was over: they take no money.
        var late: Set<String> = []
    }

    /// At the same time.
    static let buyers = 6
    /// Of those who come too late.
    static let lateBuyers = 3
    static let maxAttempts = 40
    static let pause = Duration.milliseconds(100)
    static let maxPoll = 60

    private let stage: SaleStage
    private let seats: SaleSeats
    private let seed: UInt64
    private let isOver = Atomic<Bool>(false)
    private let said = Mutex(Told())

    init(_ stage: SaleStage, seats: SaleSeats, seed: UInt64) {
        self.stage = stage
        self.seats = seats
        self.seed = seed
    }

    var told: Told { said.withLock { $0 } }

    /// Nobody new comes.
    func finish() { isOver.store(true, ordering: .relaxed) }

    /// Until `finish()`, and until all who are there have done what they want.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<(Self.buyers + Self.lateBuyers) {
                group.addTask { [self] in
                    var generator = SeededGenerator(exactly: seed &+ UInt64(number))
                    while !isOver.load(ordering: .relaxed) {
                        do {
                            try await buy(isLate: number >= Self.buyers, &generator)
                        } catch {
                            // Nobody answers as he should: he goes.
                            try? await Task.sleep(for: Self.pause)
                        }
                    }
                }
            }
        }
    }

    private struct Vanished: Error {}

    /// Asks until somebody can answer.
    private func insist(
        _ ask: @Sendable () async throws -> ShopClient.Answer
    ) async throws -> ShopClient.Answer {
        for _ in 0..<Self.maxAttempts {
            if let answer = try? await ask(), answer.status < 500 { return answer }
            if isOver.load(ordering: .relaxed) { throw Vanished() }
            try await Task.sleep(for: Self.pause)
        }
        throw Vanished()
    }

    // MARK: One buyer

    private struct Order {
        var paymentId: String
        var orderId: String
        var amount: Int64
        var key: String

        var confirmation: String { #"{"paymentKey":"\#(key)","orderId":"\#(orderId)","amount":\#(amount)}"# }
    }

    private func buy(isLate: Bool, _ generator: inout SeededGenerator) async throws {
        let user = UUID().uuidString.lowercased()
        let token = try await stage.token(user, .user)
        let shop = ShopClient(address: stage.address(of: .shop), token: token)
        let till = ShopClient(address: stage.address(of: .till), token: token)
        let reservation = try await hold(at: shop, &generator)
        guard let id = reservation["id"]?.text, Int.random(in: 0..<10, using: &generator) > 0 else { return }
        let asked = try await insist {
            try await till.send(.POST, "/api/payments/toss/request", #"{"reservationId":"\#(id)"}"#)
        }
        guard asked.status == 200, let payment = asked.json["paymentId"]?.text,
            let orderId = asked.json["orderId"]?.text, let amount = asked.json["amount"]?.integer,
            Int.random(in: 0..<20, using: &generator) > 0
        else { return }
        let paid = try await ShopClient(address: stage.toss).ask(
            .POST, "/sandbox/payments", #"{"orderId":"\#(orderId)","amount":\#(amount)}"#)
        guard let key = paid["paymentKey"]?.text, Int.random(in: 0..<20, using: &generator) > 0 else { return }
        let order = Order(paymentId: payment, orderId: orderId, amount: amount, key: key)
        if isLate {
            // Since the hold he has done one thing after the other: it is over once this is.
            try await Task.sleep(for: .seconds(SaleStage.holdSeconds))
            said.withLock { _ = $0.late.insert(payment) }
        }
        guard try await confirm(order, at: till, &generator) else { return }
        try await giveBack(id, order, at: shop, &generator)
    }

    private func hold(at shop: ShopClient, _ generator: inout SeededGenerator) async throws -> JSONValue {
        for _ in 0..<Self.maxAttempts {
            let choice = seats.choose(Int.random(in: 1...3, using: &generator), using: &generator)
            let ids = choice.seats.map { #""\#($0)""# }.joined(separator: ",")
            let answer = try await insist {
                try await shop.send(
                    .POST, "/api/reservations",
                    #"{"eventId":"\#(choice.event)","seatIds":[\#(ids)],"visitorId":"browser-\#(choice.event)"}"#)
            }
            if answer.status == 201, let id = answer.json["id"]?.text {
                said.withLock { _ = $0.held.insert(id) }
                seats.wasFree()
                return answer.json
            }
            guard answer.status == 409 else { throw Vanished() }
            seats.wasTaken(choice.event)
        }
        throw Vanished()
    }

    /// Whether he has his tickets, as far as he knows.
    private func confirm(
        _ order: Order, at till: ShopClient, _ generator: inout SeededGenerator
    ) async throws -> Bool {
        let confirm: @Sendable () async throws -> ShopClient.Answer = { [body = order.confirmation] in
            try await till.send(.POST, "/api/payments/toss/confirm", body)
        }
        switch Int.random(in: 0..<10, using: &generator) {
        case 0:
            // He hangs up.
            let asking = Task { _ = try? await confirm() }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...50, using: &generator)))
            asking.cancel()
            return false
        case 1:
            async let other = insist(confirm)
            _ = try await insist(confirm)
            _ = try await other
        default: _ = try await insist(confirm)
        }
        for _ in 0..<Self.maxPoll {
            let payment = try await insist { try await till.send(.GET, "/api/payments/\(order.paymentId)") }.json
            switch payment["state"]?.text {
            case "ticketed":
                let tickets = payment["tickets"]?.elements.count ?? 0
                said.withLock { $0.ticketed[order.paymentId] = tickets }
                return true
            case "failed", "unfulfilled", nil: return false
            default: try await Task.sleep(for: Self.pause)
            }
            if isOver.load(ordering: .relaxed) { return false }
        }
        return false
    }

    private func giveBack(
        _ reservation: String, _ order: Order, at shop: ShopClient, _ generator: inout SeededGenerator
    ) async throws {
        func cancel(_ query: String) async throws {
            let answer = try await insist { try await shop.send(.DELETE, "/api/reservations/\(reservation)\(query)") }
            if answer.status == 200, let id = answer.json["cancellationId"]?.text {
                said.withLock { _ = $0.cancellations.insert(id) }
            }
        }
        let wish = Int.random(in: 0..<20, using: &generator)
        switch wish {
        case 0..<6: try await cancel("")
        case 6..<13:
            let tickets =
                try await insist {
                    try await shop.send(.GET, "/api/reservations/\(reservation)/tickets")
                }.json["tickets"]?.elements.compactMap { $0["id"]?.text } ?? []
            guard let first = tickets.first else { return }
            try await cancel("?ticketIds=\(first)")
            if wish < 8 { try await cancel("") }
        case 13:
            // Somebody of ours gives him something back, and his tickets stay.
            let token = try await stage.token(UUID().uuidString.lowercased(), .admin)
            let till = ShopClient(address: stage.address(of: .till), token: token)
            _ = try await insist {
                try await till.send(
                    .POST, "/api/payments/\(order.paymentId)/refund", #"{"amount":1000,"reason":"goodwill"}"#,
                    headers: ["Idempotency-Key": "goodwill"])
            }
        default: break
        }
    }
}
