import Testing

@testable import TossSandbox

/// The rules of Toss that the sandbox has.
struct SandboxBooksTests {
    private static func paid(_ amount: Int64 = 30_000) throws -> SandboxBooks {
        var books = SandboxBooks()
        _ = try books.request(orderId: "order-1", orderName: "x", amount: amount, key: "key", now: 0)
        _ = try books.authenticate("key", now: 0)
        _ = try books.confirm(paymentKey: "key", orderId: "order-1", amount: amount, now: 0)
        return books
    }

    private static func code(_ body: () throws(SandboxError) -> SandboxPayment) -> String {
        do {
            return try body().status.rawValue
        } catch {
            return error.code
        }
    }

    @Test func aBuyerHasThirtyMinutesAndAMerchantTen() throws {
        for (authenticated, confirmed, answer) in [
            (Int64(0), Int64(0), "DONE"), (1_799_999, 2_399_998, "DONE"),
            (1_799_999, 2_399_999, "NOT_FOUND_PAYMENT_SESSION"),
        ] {
            var books = SandboxBooks()
            _ = try books.request(orderId: "order-1", orderName: "x", amount: 100, key: "key", now: 0)
            _ = try books.authenticate("key", now: authenticated)
            let code = Self.code { () throws(SandboxError) in
                try books.confirm(paymentKey: "key", orderId: "order-1", amount: 100, now: confirmed)
            }
            #expect(code == answer)
        }
        var late = SandboxBooks()
        _ = try late.request(orderId: "order-1", orderName: "x", amount: 100, key: "key", now: 0)
        #expect(
            Self.code { () throws(SandboxError) in try late.authenticate("key", now: 1_800_000) }
                == "NOT_FOUND_PAYMENT_SESSION")
        #expect(late.find(order: "order-1", now: 1_800_000)?.status == .expired)
    }

    @Test func onlyWhatWasAuthenticatedIsConfirmedAndOnce() throws {
        var books = SandboxBooks()
        _ = try books.request(orderId: "order-1", orderName: "x", amount: 100, key: "key", now: 0)
        func confirm(_ order: String = "order-1", _ amount: Int64 = 100) -> String {
            Self.code { () throws(SandboxError) in
                try books.confirm(paymentKey: "key", orderId: order, amount: amount, now: 0)
            }
        }
        #expect(confirm() == "NOT_FOUND_PAYMENT_SESSION")
        _ = try books.authenticate("key", now: 0)
        #expect(confirm("order-1", 99) == "INVALID_REQUEST")
        #expect(confirm("order-2") == "INVALID_REQUEST")
        #expect(confirm() == "DONE")
        #expect(confirm() == "ALREADY_PROCESSED_PAYMENT")
        let again = Self.code { () throws(SandboxError) in
            try books.request(orderId: "order-1", orderName: "x", amount: 100, key: "other", now: 0)
        }
        #expect(again == "DUPLICATED_ORDER_ID")
    }

    @Test func requestsHaveBounds() {
        var books = SandboxBooks()
        func request(_ order: String, _ amount: Int64) -> String {
            Self.code { () throws(SandboxError) in
                try books.request(orderId: order, orderName: "x", amount: amount, key: "key", now: 0)
            }
        }
        #expect(request("order-1", 99) == "BELOW_MINIMUM_AMOUNT")
        #expect(request("order-1", 100) == "READY")
        #expect(request("short", 100) == "INVALID_REQUEST")
        #expect(request("order.1", 100) == "INVALID_REQUEST")
        #expect(request(String(repeating: "x", count: 65), 100) == "INVALID_REQUEST")
    }

    @Test func noMoreThanTheBalanceIsGivenBackAndOneCancelASecond() throws {
        var books = try Self.paid()
        func cancel(_ amount: Int64?, _ now: Int64) -> String {
            Self.code { () throws(SandboxError) in
                try books.cancel("key", reason: "x", amount: amount, now: now)
            }
        }
        #expect(cancel(30_001, 0) == "NOT_CANCELABLE_AMOUNT")
        #expect(cancel(10_000, 0) == "PARTIAL_CANCELED")
        #expect(cancel(10_000, 999) == "FORBIDDEN_CONSECUTIVE_REQUEST")
        #expect(cancel(20_001, 1_000) == "NOT_CANCELABLE_AMOUNT")
        #expect(cancel(nil, 1_000) == "CANCELED")
        #expect(cancel(nil, 9_000) == "ALREADY_CANCELED_PAYMENT")
        #expect(books.money["order-1"]! == (30_000, 30_000))
        #expect(books.transactions.map(\.amount) == [30_000, -10_000, -20_000])
    }

    @Test func aKeyIsAnsweredAsTheFirstTimeForFifteenDays() {
        var state = SandboxState()
        var done = 0
        func perform(_ body: String, _ now: Int64) -> (Int, Int) {
            let answer = state.perform(.confirm, key: "key", body: Array(body.utf8), now: now) {
                books throws(SandboxError) in
                done += 1
                throw SandboxError(400 + done, "X", "x")
            }
            return (answer.status, done)
        }
        #expect(perform("a", 0) == (401, 1))
        #expect(perform("a", 15 * 86_400_000 - 1) == (401, 1))
        #expect(perform("b", 1) == (400, 1))
        #expect(perform("a", 15 * 86_400_000) == (402, 2))
    }

    @Test func listsGoOnBehindATransaction() throws {
        var books = try Self.paid()
        for index in 1...4 { _ = try books.cancel("key", reason: "x", amount: 100, now: Int64(index) * 2_000) }
        let first = try books.transactions(from: 0, to: 8_000, after: nil, limit: 3)
        #expect(first.map(\.amount) == [30_000, -100, -100])
        let rest = try books.transactions(from: 0, to: 8_000, after: first.last!.transactionKey, limit: 3)
        #expect(rest.map(\.at) == [6_000])
        #expect(try books.transactions(from: 0, to: 8_000, after: rest.last!.transactionKey, limit: 3).isEmpty)
    }
}
