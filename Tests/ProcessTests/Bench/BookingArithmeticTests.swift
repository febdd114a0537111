import Foundation
import Testing

@testable import tiketi

@Suite struct BookingArithmeticTests {
    // MARK: A buyer

    private static let answers: [(Buyer.Request, Int, String)] = [
        (.hold(seat: 7), 201, #"{"id":"r-1","userId":"u","amount":5}"#),
        (.order, 200, #"{"paymentId":"p-1","orderId":"o-1","amount":110000,"currency":"KRW"}"#),
        (.authentication, 200, #"{"mId":"m","paymentKey":"k-1","orderId":"o-1"}"#),
    ]

    private func buyer(after count: Int = 0, maxTries: Int = Buyer.maxTries) -> Buyer {
        var buyer = Buyer(number: 0, token: "t", seat: 7, maxTries: maxTries)
        for (request, status, text) in Self.answers.prefix(count) {
            #expect(buyer.request == request)
            _ = answer(&buyer, status, text)
        }
        return buyer
    }

    private func answer(_ buyer: inout Buyer, _ status: Int, _ text: String) -> Buyer.Step {
        var random = SplitMix64(seed: 1)
        return Array(text.utf8).withUnsafeBytes { buyer.answered(status, $0, using: &random) }
    }

    @Test func aBuyerGoesFromTheHoldToTheTicketWithWhatHeWasTold() {
        var buyer = buyer(after: 3)
        #expect(buyer.reservationId == "r-1" && buyer.paymentId == "p-1" && buyer.orderId == "o-1")
        #expect(buyer.paymentKey == "k-1" && buyer.amount == 110_000 && buyer.request == .confirmation)
        #expect(answer(&buyer, 200, #"{"paymentId":"p-1","state":"ticketed"}"#) == .end(.ticket))
    }

    @Test func whoIsTakenOverByTheWorkerAsksAgainButNotForEver() {
        var buyer = buyer(after: 3)
        #expect(answer(&buyer, 202, #"{"state":"confirming"}"#) == .askLater(.payment))
        for _ in 1..<Buyer.maxQuestions {
            #expect(answer(&buyer, 200, #"{"state":"paid"}"#) == .askLater(.payment))
        }
        guard case .end(.failed) = answer(&buyer, 200, #"{"state":"paid"}"#) else {
            Issue.record("asks for ever")
            return
        }
    }

    @Test func whoIsRefusedTriesAnotherFreeSeatAFewTimes() {
        let taken = #"{"status":409,"code":"seat_taken"}"#
        var buyer = buyer()
        for _ in 1..<Buyer.maxTries {
            #expect(answer(&buyer, 409, taken) == .ask(.seatMap))
            #expect(answer(&buyer, 200, #"{"eventId":"e","version":1,"statuses":"shf"}"#) == .ask(.hold(seat: 2)))
        }
        #expect(answer(&buyer, 409, taken) == .end(.gaveUp))

        buyer = self.buyer()
        _ = answer(&buyer, 409, taken)
        #expect(answer(&buyer, 200, #"{"statuses":"shs"}"#) == .end(.soldOut))

        buyer = self.buyer(maxTries: 1)
        #expect(answer(&buyer, 409, taken) == .end(.gaveUp))
    }

    @Test(arguments: [
        (0, 409, #"{"code":"too_many_seats"}"#), (0, 500, ""), (0, 201, "{}"), (1, 503, ""), (1, 200, "{}"),
        (2, 400, ""), (3, 402, #"{"code":"payment_refused"}"#), (3, 409, #"{"code":"seats_lost"}"#),
        (3, 200, #"{"state":"failed"}"#),
    ])
    func anythingElseIsAFailureThatSaysWhat(after count: Int, status: Int, text: String) {
        var buyer = buyer(after: count)
        guard case .end(.failed(let what)) = answer(&buyer, status, text) else {
            Issue.record("\(status) \(text) is taken for good")
            return
        }
        #expect(!what.isEmpty)
    }

    // MARK: Answers

    @Test func membersAreFoundInAnswersOfAnyLength() {
        func text(_ name: String, _ body: String) -> String? {
            Array(body.utf8).withUnsafeBytes { JSONMember.text(name, in: $0) }
        }
        func integer(_ name: String, _ body: String) -> Int64? {
            Array(body.utf8).withUnsafeBytes { JSONMember.integer(name, in: $0) }
        }
        #expect(text("id", #"{"userid":"x","id":"a","id":"b"}"#) == "a")
        #expect(text("id", #"{"id":"""#) == "")
        #expect(text("id", #"{"id":"a\"b"}"#) == nil)
        #expect(text("id", #"{"id":5}"#) == nil && text("id", #"{"id":"a"#) == nil && text("id", "") == nil)
        #expect(integer("amount", #"{"amount":110000}"#) == 110_000)
        #expect(integer("amount", #"{"amount":-1}"#) == nil && integer("amount", #"{"amount":"1"}"#) == nil)
    }

    @Test func theBodyOfAnAnswerIsWhatFollowsItsHead() {
        let bytes = Array("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}".utf8)
        let answer = bytes.withUnsafeBytes(HTTPAnswer.init)
        #expect(answer?.status == 201 && answer.map { Array(bytes[$0.body...]) } == Array("{}".utf8))
    }

    // MARK: Books

    /// Two seats sold of two.
    private static let agreeing: BookingBooks = {
        var books = BookingBooks()
        books.soldClaims = 2
        books.claimedSeats = 2
        books.tickets = 2
        books.ticketSeats = 2
        books.paidReservations = 2
        books.reservedAmount = 30
        books.payments = ["a": 10, "b": 20]
        books.toss = books.payments
        return books
    }()

    @Test func booksThatAgreeHaveNoDifference() {
        #expect(Self.agreeing.differences(told: 2, seats: 2) == [])
        #expect(BookingBooks().differences(told: 0, seats: 0) == [])
    }

    @Test func whateverIsOffByOneIsADifference() {
        let changes: [(String, (inout BookingBooks) -> Void)] = [
            ("a seat that two have", { $0.soldClaims += 1 }), ("a seat without a claim", { $0.claimedSeats -= 1 }),
            ("a ticket too many", { $0.tickets += 1 }), ("a seat without a ticket", { $0.ticketSeats -= 1 }),
            ("a reservation too many", { $0.paidReservations += 1 }), ("an amount", { $0.reservedAmount += 1 }),
            ("a payment too few", { $0.payments["b"] = nil }), ("an order too many", { $0.toss["c"] = 0 }),
            ("money under another order", { $0.toss = ["a": 20, "b": 10] }), ("a refund", { $0.givenBack = 1 }),
            ("a hold that is left", { $0.undecided = 1 }), ("a deadlock", { $0.deadlocks = 1 }),
        ]
        for (what, change) in changes {
            var books = Self.agreeing
            change(&books)
            #expect(!books.differences(told: 2, seats: 2).isEmpty, "\(what)")
        }
        #expect(!Self.agreeing.differences(told: 3, seats: 2).isEmpty)
        #expect(!Self.agreeing.differences(told: 2, seats: 3).isEmpty)
    }

    // MARK: Processor time

    @Test func processorTimeIsReadWhateverTheProcessIsCalled() {
        let stat = "42 (a (b) c) S 7 42 42 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 9 1 2"
        let time = ProcessorTime(stat: stat)
        #expect(time?.own == 33 && time?.endedChildren == 77 && time?.parent == 7)
        #expect(ProcessorTime(stat: "") == nil && ProcessorTime(stat: "42 (x) S 7") == nil)
    }

    @Test func aProcessThatComputesHasTime() {
        var sum = 0.0
        let start = ProcessorTime.own
        while ProcessorTime.own - start < 50 { for number in 1...100_000 { sum += Double(number).squareRoot() } }
        #expect(sum > 0 && ProcessorTime.milliseconds(of: getpid()) >= ProcessorTime.own - 50)
        #expect(ProcessorTime.milliseconds(of: 0) == 0)
    }

    @Test func costsAreToldForEachBooking() {
        var before = BookingCost()
        before.services = 100
        let after = BookingCost(services: 300, postgres: 100, redis: 10, sandbox: 20, load: 30)
        let figures = (after - before).figures(each: 10, "booking")
        #expect(figures.map(\.value) == [36, 20, 10, 1, 2, 3])
        #expect(figures.allSatisfy { $0.unit == "ms a booking" && $0.better == .lower })
    }
}
