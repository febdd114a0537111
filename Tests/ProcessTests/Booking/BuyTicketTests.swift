import Core
import Foundation
import NIOHTTP1
import Platform
import Storage
import TestSupport
import Testing

@testable import tiketi

/// A person buys a ticket, over HTTP alone, from registering to the code at the gate; the sale is among the numbers.
@Suite(.timeLimit(.minutes(5))) struct BuyTicketTests {
    @Test func aPersonBuysATicketAndTheDashboardKnows() async throws {
        try await RunningShop.with { try await buy(in: $0) }
    }

    private func buy(in shop: RunningShop) async throws {
        let (address, data, settings) = (shop.address, shop.data, shop.settings)
        let admin = try await shop.admin()

        // The shop's page is there, and what it loads.
        let page = try await ShopClient(address: address).send(.GET, "/")
        #expect(page.status == 200 && page.text.contains("/shop/shop.js"))
        for name in ["shop.js", "account.js", "shop.css"] {
            #expect(try await ShopClient(address: address).send(.GET, "/shop/\(name)").status == 200)
        }

        // An event with seats, by the admin.
        _ = try await admin.ask(.POST, "/api/artists", #"{"id":"iu","name":"아이유"}"#, expecting: 201)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        func instant(_ days: Int64) -> String {
            Date(timeIntervalSince1970: Double(now / 1000 + days * 86_400)).formatted(.iso8601)
        }
        _ = try await admin.ask(
            .POST, "/api/events",
            """
            {"id":"concert","title":"아이유 콘서트","artistId":"iu","startsAt":"\(instant(30))",
             "salesOpenAt":"\(instant(-1))","salesCloseAt":"\(instant(29))"}
            """, expecting: 201)
        _ = try await admin.ask(
            .PUT, "/api/events/concert/layout",
            """
            {"template":"small","prices":[{"section":"VIP","price":165000},{"section":"R","price":132000},
             {"section":"S","price":99000}]}
            """)

        // A person comes, looks and holds two seats.
        var buyer = ShopClient(address: address)
        try await buyer.register("buyer@example.com")
        try await confirm(buyer, data)
        let found = try await buyer.ask(.GET, "/api/events/search?q=%EC%BD%98%EC%84%9C%ED%8A%B8")
        #expect(found["events"]?.elements.map { $0["id"]?.text } == ["concert"])
        let map = try await buyer.ask(.GET, "/api/seats/event/concert")
        let seats = map["sections"]!.elements.flatMap { $0["rows"]!.elements }.flatMap { $0["seats"]!.elements }
        #expect(seats.count == 265)
        let chosen = seats.prefix(2)
        let price = chosen.reduce(0) { $0 + $1["price"]!.integer! }
        let ids = chosen.map { #""\#($0["id"]!.text!)""# }.joined(separator: ",")
        let reservation = try await buyer.ask(
            .POST, "/api/reservations", #"{"eventId":"concert","seatIds":[\#(ids)],"visitorId":"browser-1"}"#,
            expecting: 201)
        let reservationId = try #require(reservation["id"]?.text)
        #expect(reservation["amount"]?.integer == price)

        // Another person can't have them, nor see the reservation.
        var other = ShopClient(address: address)
        try await other.register("other@example.com")
        _ = try await other.ask(
            .POST, "/api/reservations", #"{"eventId":"concert","seatIds":[\#(ids)]}"#, expecting: 409)
        _ = try await other.ask(.GET, "/api/reservations/\(reservationId)", expecting: 404)

        // He pays on the sandbox's page.
        let order = try await buyer.ask(
            .POST, "/api/payments/toss/request", #"{"reservationId":"\#(reservationId)"}"#)
        let amount = try #require(order["amount"]?.integer)
        #expect(amount == price)
        let payPage = try await ShopClient(address: address).send(.GET, try #require(order["checkoutUrl"]?.text))
        let back = try await pressPay(payPage.text, at: order["checkoutUrl"]!.text!)
        let query = URLComponents(string: back)?.queryItems ?? []
        func value(_ name: String) -> String { query.first { $0.name == name }?.value ?? "" }
        #expect(back.hasPrefix(address))
        #expect(value("amount") == "\(price)")
        var paid = try await buyer.send(
            .POST, "/api/payments/toss/confirm",
            #"{"paymentKey":"\#(value("paymentKey"))","orderId":"\#(value("orderId"))","amount":\#(price)}"#)
        let paymentId = try #require(order["paymentId"]?.text)
        paid = try await eventually {
            let state = try await buyer.send(.GET, "/api/reservations/\(reservationId)")
            guard state.json["state"]?.text == "paid" else { throw NotYet(what: "\(paid.text) \(state.text)") }
            return paid
        }

        // The tickets have codes, which open the gate once.
        let tickets = try await buyer.ask(.GET, "/api/reservations/\(reservationId)/tickets")["tickets"]!.elements
        #expect(tickets.count == 2)
        let code = try await buyer.send(.GET, "/api/tickets/\(tickets[0]["id"]!.text!)/qr")
        #expect(code.status == 200 && code.text.hasPrefix("<svg"))
        let payload = try #require(tickets[0]["payload"]?.text)
        _ = try await admin.ask(.POST, "/api/tickets/check-in", #"{"payload":"\#(payload)"}"#)
        _ = try await admin.ask(.POST, "/api/tickets/check-in", #"{"payload":"\#(payload)"}"#, expecting: 409)

        // The sale is in the numbers within seconds.
        try await eventually {
            let revenue = try await admin.ask(.GET, "/api/analytics/revenue/daily?artistId=iu")
            guard revenue["summary"]?["totalRevenue"]?.integer == price else { throw NotYet(what: "\(revenue)") }
        }
        let payment = try await buyer.ask(.GET, "/api/payments/\(paymentId)")
        #expect(payment["amount"]?.integer == price)

        // He cancels the ticket that was not used, early enough for all of its price.
        let unused = tickets[1]["id"]!.text!
        _ = try await buyer.ask(.DELETE, "/api/reservations/\(reservationId)?ticketIds=\(unused)")
        let half = tickets[1]["price"]!.integer!
        try await eventually {
            let revenue = try await admin.ask(.GET, "/api/analytics/revenue/daily?artistId=iu")
            guard revenue["summary"]?["totalRevenue"]?.integer == price - half else { throw NotYet(what: "\(revenue)") }
        }
        try await verifyPayments(settings, data)
        try await reconcile(settings, data)

        // The next key is known before it signs.
        let keys = try await ShopClient(address: address).ask(.GET, "/.well-known/jwks.json")
        #expect(keys["keys"]?.elements.count == 2)
    }

    /// The rollups have the money that payments has, by the command's own word; and it sees where they haven't.
    private func verifyPayments(_ settings: [String: String], _ folder: URL) async throws {
        func verify() async throws -> (ending: RunningProgram.Ending, output: String, error: String) {
            try await RunningProgram.run(
                ["rollup", "verify", "--payments", "--verbose"], settings: settings, name: "verify", in: folder)
        }
        let agreed = try await verify()
        #expect(agreed.ending == .exited(0), "\(agreed.output)\(agreed.error)")
        #expect(agreed.output.contains("compared 1 payments and 1 refunds"), "\(agreed.output)")
        let pool = PostgresPool(
            try PostgresConfiguration(url: try #require(settings["ANALYTICS_DATABASE_URL"])), connections: 1,
            logger: testLogger)
        let changed = try await pool.withConnection {
            try $0.execute("UPDATE revenue_ledger SET amount = amount + 1 WHERE kind = 'payment'")
        }
        await pool.shutdown()
        #expect(changed == 1)
        let differing = try await verify()
        #expect(differing.ending == .exited(1) && differing.output.contains("payments has"), "\(differing.output)")
        var without = settings
        without["PAYMENTS_DATABASE_URL"] = nil
        let unset = try await RunningProgram.run(
            ["rollup", "verify", "--payments"], settings: without, name: "unset", in: folder)
        #expect(unset.ending == .exited(2) && unset.error.contains("PAYMENTS_DATABASE_URL"), "\(unset.error)")
    }

    /// Follows the link in the mail that the outbox shows, to a page that knows nothing of the code behind the #.
    /// With what is in `env`, as an operator would: our books and the sandbox's say the same.
    private func reconcile(_ settings: [String: String], _ folder: URL) async throws {
        let today = ReportingCalendar.seoul.day(of: Int64(Date().timeIntervalSince1970 * 1000))
        let run = try await RunningProgram.run(
            ["payments", "reconcile", "--day", "\(today)"], settings: settings, name: "reconcile", in: folder)
        #expect(run.ending == .exited(0), "\(run.output)\(run.error)")
    }

    private func confirm(_ buyer: ShopClient, _ data: URL) async throws {
        let mails = data.appending(path: "mail")
        let mail = try await eventually {
            let names = try FileManager.default.contentsOfDirectory(atPath: mails.path).filter { $0.hasSuffix(".eml") }
            guard let name = names.first else { throw NotYet(what: "no mail") }
            return try String(contentsOf: mails.appending(path: name), encoding: .utf8)
        }
        #expect(mail.contains("To: <buyer@example.com>"))
        let link = try #require(mail.split(whereSeparator: \.isNewline).first { $0.hasPrefix("http") })
        #expect(link.hasPrefix(buyer.address + "/verify-email#code="))
        let parts = link.split(separator: "#code=")
        let page = try await buyer.send(.GET, String(parts[0]))
        #expect(page.status == 200 && page.text.contains("/shop/shop.js"))
        // What leads to these pages sends people to all of them.
        for path in ["/forgot-password", "/reset-password", "/auth/callback"] {
            #expect(try await buyer.send(.GET, path).status == 200)
        }
        _ = try await buyer.ask(.POST, "/api/users/email/verify", #"{"code":"\#(parts[1])"}"#, expecting: 204)
        #expect(try await buyer.ask(.GET, "/api/users/profile")["emailVerified"] == .bool(true))
    }

    /// What the browser sends when he presses Pay, and where it is sent then.
    private func pressPay(_ page: String, at url: String) async throws -> String {
        let fields = page.matches(of: /name="([a-zA-Z]+)" value="([^"]*)"/).reduce(into: [(String, String)]()) {
            let value = String($1.2).replacing("&amp;", with: "&")
            if $1.1 != "choice" { $0.append((String($1.1), value)) }
        }
        var form = URLComponents()
        form.queryItems = (fields + [("choice", "pay")]).map { URLQueryItem(name: $0.0, value: $0.1) }
        let address = try #require(URLComponents(string: url))
        let answer = try await ShopClient(address: "").send(
            .POST, "http://\(address.host!):\(address.port!)/pay",
            form.percentEncodedQuery!.replacing("+", with: "%2B"), type: "application/x-www-form-urlencoded")
        try #require(answer.status == 303, "\(answer.status) \(answer.text)")
        return try #require(answer.headers.first(name: "Location"))
    }
}
