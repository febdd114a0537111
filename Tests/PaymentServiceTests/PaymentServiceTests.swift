import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

@Suite(.timeLimit(.minutes(5))) struct PaymentServiceTests {
    @Test func itIsReadyOnceItsDatabaseIsUpToDate() async throws {
        try await PaymentFixture.run { fixture in
            #expect(await fixture.service.isReady())
            try await fixture.postgres.withConnection { _ = try $0.execute("DELETE FROM schema_migrations") }
            #expect(await !fixture.service.isReady())
        }
    }

    @Test func aTicketIsBought() async throws {
        try await PaymentFixture.run { fixture in
            let order = try await fixture.order()
            let answer = try await fixture.confirm(order, key: try await fixture.pay(order))
            #expect(answer.status == 200)
            #expect(answer[text: "state"] == "ticketed")
            #expect(answer[array: "tickets"] == [.string("ticket-0"), .string("ticket-1")])
            #expect(try await fixture.messages() == ["payment.completed"])
            #expect(try await fixture.money(order) == (110_000, 0))
            #expect(fixture.reservations[order.reservation].state == "paid")
            // Asked again, it is the same.
            let key = try await fixture.postgres.withConnection {
                try $0.query("SELECT payment_key FROM payments")[0].get(0, as: String.self)
            }
            #expect(try await fixture.confirm(order, key: key).status == 200)
            #expect(fixture.reservations.calls("sold") == 1)
            #expect(try await fixture.confirm(order, key: "another").status == 409)
        }
    }
}
