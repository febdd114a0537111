import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Platform
import Synchronization
import TestSupport
import Testing

@testable import tiketi

/// All services in one process, with a few people and things: an owner who holds, pays and has tickets, and others.
final class ShopUnderTest: Sendable {
    typealias Person = AuthorizationTable.Person

    static let password = "correct horse battery 9"

    let address: String
    private let tokens: [Person: String]
    let paymentsToken: String
    private let session: String
    /// What the words in capitals of a `SampleRequest` stand for.
    private let things: [String: String]
    private let made = Atomic<Int>(100)

    /// Runs `body` with a shop of its own.
    static func run<R>(_ body: (ShopUnderTest) async throws -> R) async throws -> R {
        // Each request below comes from an address of its own: none is told to wait because of another.
        try await RunningShop.with(["TRUSTED_PROXIES": "127.0.0.1"]) { try await body(try await ShopUnderTest($0)) }
    }

    private init(_ shop: RunningShop) async throws {
        address = shop.address
        let settings = shop.settings
        let now = Int64(Date().timeIntervalSince1970)
        func token(_ key: String, by issuer: String = AccessToken.issuer, _ role: Role, of subject: String) async throws
            -> String
        {
            try await SigningKey(try #require(settings[key])).mint(
                issuer: issuer, audience: Audience.allCases, subject: subject, role: role, lifetimeSeconds: 3600,
                now: now)
        }
        paymentsToken = try await token("PAYMENTS_SIGNING_KEY", by: "tiketi-payments", .service, of: "payments")

        let admin = try await shop.admin()
        var people: [Person: (client: ShopClient, id: String)] = [:]
        for person in [Person.owner, .other, .analyst] {
            var client = ShopClient(address: address)
            try await client.register("\(person)@example.com", password: Self.password)
            people[person] = (client, try #require(try await client.ask(.GET, "/api/users/profile")["id"]?.text))
        }
        let (owner, ownerId) = people[.owner]!
        tokens = [
            .owner: owner.token!, .other: people[.other]!.client.token!, .admin: admin.token!,
            // Nothing makes an analyst of an account yet but the database.
            .analyst: try await token("JWT_SIGNING_KEY", .analyst, of: people[.analyst]!.id),
            .service: try await token("JWT_SIGNING_KEY", .service, of: "a-service"),
        ]
        let login = try await owner.send(
            .POST, "/api/users/login", #"{"email":"owner@example.com","password":"\#(Self.password)"}"#)
        session = try #require(
            login.headers[canonicalForm: "Set-Cookie"].first { $0.hasPrefix("__Host-tiketi-refresh=") }?
                .split(separator: ";").first.map(String.init))

        var things = ["OWNER": ownerId]
        for (path, name) in [("artists", "가수"), ("venues", "홀"), ("categories", "종류")] {
            _ = try await admin.ask(.POST, "/api/\(path)", #"{"id":"concert","name":"\#(name)"}"#, expecting: 201)
        }
        _ = try await admin.ask(.POST, "/api/categories", #"{"id":"doomed","name":"빈 종류"}"#, expecting: 201)
        let event = SampleRequest.of("POST /api/events").body!.dropFirst()
        for id in ["concert", "changed", "doomed"] {
            _ = try await admin.ask(.POST, "/api/events", #"{"id":"\#(id)",\#(event)"#, expecting: 201)
        }
        let rows = #"[{"name":"1","seats":500},{"name":"2","seats":500}]"#
        for id in ["concert", "changed"] {
            _ = try await admin.ask(
                .PUT, "/api/events/\(id)/layout", #"{"sections":[{"name":"A","price":1000,"rows":\#(rows)}]}"#)
        }
        let image = SampleRequest.of("POST /api/events/{id}/images")
        things["IMAGE"] = try await admin.ask(.POST, image.path, image.body, expecting: 201)["id"]?.text

        func hold(_ seats: ClosedRange<Int>) async throws -> String {
            let ids = seats.map { #""A-1-\#($0)""# }.joined(separator: ",")
            let answer = try await owner.ask(
                .POST, "/api/reservations", #"{"eventId":"concert","seatIds":[\#(ids)]}"#, expecting: 201)
            return try #require(answer["id"]?.text)
        }
        /// An order that the buyer has authenticated at the sandbox, to be confirmed.
        func order(_ reservation: String) async throws -> (order: JSONValue, key: String) {
            let order = try await owner.ask(
                .POST, "/api/payments/toss/request", #"{"reservationId":"\#(reservation)"}"#)
            let page = URLComponents(string: order["checkoutUrl"]?.text ?? "")
            let paid = try await ShopClient(address: "http://127.0.0.1:\(page?.port ?? 0)").ask(
                .POST, "/sandbox/payments",
                #"{"orderId":"\#(order["orderId"]!.text!)","amount":\#(order["amount"]!.integer!)}"#)
            return (order, try #require(paid["paymentKey"]?.text))
        }
        things["HELD"] = try await hold(1...1)
        things["DOOMED"] = try await hold(2...2)
        things["INNER"] = try await hold(3...3)
        things["PRICE"] = "1000"
        let waiting = try await order(try await hold(4...4))
        things["ORDER"] = waiting.order["orderId"]!.text!
        things["PAYMENTKEY"] = waiting.key
        let paid = try await hold(5...6)
        things["PAID"] = paid
        let order = try await order(paid)
        let payment = try #require(order.order["paymentId"]?.text)
        things["PAYMENT"] = payment
        _ = try await owner.send(
            .POST, "/api/payments/toss/confirm",
            #"{"paymentKey":"\#(order.key)","orderId":"\#(order.order["orderId"]!.text!)","amount":2000}"#)
        let tickets = try await eventually {
            let tickets = try await owner.ask(.GET, "/api/reservations/\(paid)/tickets")["tickets"]!.elements
            guard tickets.count == 2 else { throw NotYet(what: "no tickets yet") }
            return tickets
        }
        things["TICKET"] = tickets[0]["id"]?.text
        things["PAYLOAD"] = tickets[1]["payload"]?.text
        let refund = try await admin.send(
            .POST, "/api/payments/\(payment)/refund", #"{"amount":10,"reason":"사과"}"#,
            headers: ["Idempotency-Key": "first"])
        things["REFUND"] = try #require(refund.json["refundId"]?.text, "\(refund.status) \(refund.text)")
        // Until it is made, a further one waits; afterwards there is nothing to try again.
        try await until {
            let payment = try await owner.ask(.GET, "/api/payments/\(payment)")
            return payment["refunds"]?.elements.first?["state"]?.text == "done"
        }
        self.things = things
    }

    func token(of person: Person) -> String { tokens[person] ?? "" }

    /// Asks as that person.
    func send(
        _ method: String, _ path: String, _ body: String? = nil, by person: Person, headers: HTTPHeaders = [:],
        type: String = "application/json"
    ) async throws -> ShopClient.Answer {
        let isInner = path.hasPrefix("/internal/reservations")
        let client = ShopClient(
            address: address, token: person == .service && isInner ? paymentsToken : tokens[person])
        var headers = headers
        let number = made.add(1, ordering: .relaxed).newValue
        headers.add(name: "X-Forwarded-For", value: "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")
        if person == .owner, path.hasPrefix("/api/users/refresh") { headers.add(name: "Cookie", value: session) }
        return try await client.send(HTTPMethod(rawValue: method), path, body, type: type, headers: headers)
    }

    func send(_ row: AuthorizationTable.Row, by person: Person) async throws -> ShopClient.Answer {
        let request = try await request(row.route)
        return try await send(row.method, request.path, request.body, by: person, headers: request.headers)
    }

    /// The route's sample, with what its words stand for.
    func request(_ route: String) async throws -> SampleRequest {
        var request = SampleRequest.of(route)
        if request.body?.contains("VERSION") == true {
            let version = try await send("GET", request.path, by: .admin).json["version"]?.integer
            request.body = request.body?.replacing("VERSION", with: "\(version ?? 1)")
        }
        request.path = filled(request.path)
        request.body = request.body.map(filled)
        request.headers = HTTPHeaders(request.headers.map { ($0.name, filled($0.value)) })
        return request
    }

    private func filled(_ text: String) -> String {
        var text = text
        // The longer names first: they may begin with shorter ones.
        for (name, value) in things.sorted(by: { ($1.key.count, $1.key) < ($0.key.count, $0.key) }) {
            text = text.replacing(name, with: value)
        }
        for (name, prefix) in [("SEAT", "A-2-"), ("NEW", "new-")] where text.contains(name) {
            text = text.replacing(name, with: "\(prefix)\(made.add(1, ordering: .relaxed).newValue)")
        }
        return text
    }

    func document() async throws -> ServedDocument {
        try ServedDocument(try await send("GET", "/openapi.json", by: .nobody).text)
    }
}
