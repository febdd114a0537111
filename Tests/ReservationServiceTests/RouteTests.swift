import Core
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct RouteTests {
    private func body(_ event: TestCatalogue.Event, _ seats: [String], _ more: String = "") -> String {
        #"{"eventId":"\#(event.id)","seatIds":["# + seats.map { "\"\($0)\"" }.joined(separator: ",") + "]\(more)}"
    }

    @Test func aBuyerHoldsPaysAndCancels() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (minji, jisoo) = (try await test.token("minji"), try await test.token("jisoo"))
            let (admin, payments) = (try await test.token("boss", .admin), try await test.paymentsToken())
            try await test.application().test(.router) { client in
                let held = try await client.ask(
                    .post, "/api/reservations", minji, body: body(event, ["A-1-2", "A-1-1"], #","visitorId":"v1""#))
                #expect(held.status == 201)
                let id = held.json["id"] as? String ?? ""
                #expect(held.headers[.location] == "/api/reservations/\(id)")
                #expect(held.json["amount"] as? Int == 220_000)
                #expect(held.json["expiresAt"] as? String == Instant.iso8601(test.clock.now + 600_000))
                let refused = try await client.ask(
                    .post, "/api/reservations", jisoo, body: body(event, ["A-1-1", "A-1-3"]))
                #expect(refused.status == 409 && refused.code == "seat_taken")
                #expect(refused.json["seats"] as? [String] == ["A-1-1"])
                let path = "/api/reservations/\(id)"
                // A stranger learns nothing, not even that it exists.
                for suffix in ["", "/tickets", "/cancellation"] {
                    #expect(try await client.ask(.get, path + suffix, jisoo).status == 404)
                    #expect(try await client.ask(.get, path + suffix, admin).status == 200)
                    #expect(try await client.ask(.get, path + suffix).status == 401)
                }
                #expect(try await client.ask(.delete, path, jisoo).status == 404)

                let inner = "/internal/reservations/\(id)"
                #expect(try await client.ask(.get, inner, minji).status == 401)
                #expect(try await client.ask(.get, inner, admin).status == 401)
                let asked = try await client.ask(.get, inner, payments)
                #expect(asked.status == 200)
                #expect(
                    Set(asked.json.keys) == [
                        "id", "userId", "eventId", "artistId", "title", "state", "amount", "currency", "tickets",
                        "expiresAt", "visitorId",
                    ])
                #expect(asked.json["visitorId"] as? String == "v1" && asked.json["tickets"] as? Int == 2)
                // A word of its own: what isn't served is answered with 404 as well.
                for id in [UUID().uuidString.lowercased(), "none"] {
                    let unknown = "/internal/reservations/\(id)"
                    #expect(try await client.ask(.get, unknown, payments).code == "reservation_not_found")
                    for (step, text) in [
                        ("confirming", #"{"paymentId":"p1","amount":220000}"#), ("release", #"{"paymentId":"p1"}"#),
                        ("sold", #"{"paymentId":"p1","approvedAt":"2026-03-02T03:00:00Z"}"#),
                    ] {
                        let answer = try await client.ask(.post, "\(unknown)/\(step)", payments, body: text)
                        #expect(answer.status == 404 && answer.code == "reservation_not_found")
                    }
                }
                #expect(try await client.ask(.get, "/internal/reservation/\(id)", payments).code == "not_found")
                let confirming = try await client.ask(
                    .post, inner + "/confirming", payments, body: #"{"paymentId":"p1","amount":220000}"#)
                #expect(confirming.status == 200)
                #expect(try await client.ask(.delete, path, minji).code == "confirming")
                let sold = try await client.ask(
                    .post, inner + "/sold", payments,
                    body: #"{"paymentId":"p1","approvedAt":"\#(Instant.iso8601(test.clock.now))"}"#)
                #expect((sold.json["tickets"] as? [String])?.count == 2)

                let tickets = try await client.ask(.get, path + "/tickets", minji).json["tickets"] as? [[String: Any]]
                let ticket = tickets?.first?["id"] as? String ?? ""
                let payload = tickets?.first?["payload"] as? String ?? ""
                #expect(try await client.ask(.get, "/api/tickets/\(ticket)", jisoo).status == 404)
                #expect(
                    try await client.ask(.get, "/api/tickets/\(ticket)", minji).json["payload"] as? String == payload)
                let picture = try await client.ask(.get, "/api/tickets/\(ticket)/qr", minji)
                let svg = try QRCode(payload).svg
                #expect(picture.headers[.contentType] == "image/svg+xml" && picture.text == svg)
                let checkIn = #"{"payload":"\#(payload)"}"#
                #expect(try await client.ask(.post, "/api/tickets/check-in", minji, body: checkIn).status == 403)
                func gate(_ event: String) -> String { #"{"payload":"\#(payload)","eventId":"\#(event)"}"# }
                let other = try await client.ask(.post, "/api/tickets/check-in", admin, body: gate("another"))
                #expect(other.status == 409 && other.code == "other_event")
                #expect(try await client.ask(.post, "/api/tickets/check-in", admin, body: gate("?")).status == 422)
                #expect(try await client.ask(.post, "/api/tickets/check-in", admin, body: gate(event.id)).status == 200)
                let again = try await client.ask(.post, "/api/tickets/check-in", admin, body: checkIn)
                #expect(again.status == 409 && again.code == "ticket_used")
                #expect(
                    try await client.ask(.post, "/api/tickets/check-in", admin, body: #"{"payload":"AAAA"}"#).status
                        == 422)

                let last = tickets?.last?["id"] as? String ?? ""
                let quote = try await client.ask(.get, path + "/cancellation", minji)
                #expect(quote.json["amount"] as? Int == 110_000)
                #expect(try await client.ask(.delete, path + "?full=true", minji).status == 403)
                let canceled = try await client.ask(.delete, path + "?ticketIds=\(last)", minji)
                #expect(canceled.status == 200 && canceled.json["refund"] as? Int == 110_000)
                #expect(canceled.json["canceledTickets"] as? [String] == [last])
                let full = try await client.ask(.delete, path + "?full=true", admin)
                #expect(full.json["refund"] as? Int == 110_000)
                #expect((full.json["reservation"] as? [String: Any])?["state"] as? String == "canceled")
                #expect(try await test.brokenInvariants() == [])
            }
        }
    }

    @Test func ownReservationsComeInPages() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.maxSeatsPerBuyer = 10 }
            var made: [String] = []
            for index in 0..<5 {
                made.insert(try await test.held(event, "minji", [event.seatIds[index]]), at: 0)
                // Two of one instant, too.
                if index != 2 { test.clock.advance(seconds: 1) }
            }
            let latest = made
            _ = try await test.held(event, "jisoo", ["A-2-1"])
            let (minji, admin) = (try await test.token("minji"), try await test.token("boss", .admin))
            try await test.application().test(.router) { client in
                var found: [String] = []
                var path: String? = "/api/reservations/my?limit=2"
                while let asked = path {
                    let page = try await client.ask(.get, asked, minji)
                    #expect(page.status == 200)
                    found += (page.json["reservations"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
                    path = (page.json["next"] as? String).map { "/api/reservations/my?limit=2&cursor=\($0)" }
                }
                #expect(found.count == 5 && Set(found) == Set(latest))
                #expect(try await client.ask(.get, "/api/reservations/user/jisoo", minji).status == 404)
                #expect(try await client.ask(.get, "/api/reservations/user/minji", minji).status == 200)
                let jisoos = try await client.ask(.get, "/api/reservations/user/jisoo", admin)
                #expect((jisoos.json["reservations"] as? [Any])?.count == 1)
                for query in ["limit=0", "limit=101", "cursor=x", "cursor=1.2", "cursor=-1.\(latest[0])", "x=1"] {
                    #expect(try await client.ask(.get, "/api/reservations/my?\(query)", minji).status == 422)
                }
            }
        }
    }

    @Test func anEventInAQueueNeedsAnAdmissionEach() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.needsAdmission = true }
            let minji = try await test.token("minji")
            try await test.application().test(.router) { client in
                func ask(_ token: String?, _ seat: String = "A-1-1") async throws -> TestAnswer {
                    try await client.ask(
                        .post, "/api/reservations", minji,
                        body: body(event, [seat], token.map { #","admissionToken":"\#($0)""# } ?? ""))
                }
                // Trap 12: the waiting room is no decoration.
                #expect(try await ask(nil).code == "admission_required")
                #expect(try await ask("a.b.c").code == "admission_invalid")
                for bad in [
                    try test.admission("jisoo", event.id), try test.admission("minji", UUID().uuidString),
                    try test.admission("minji", event.id, key: .generate()),
                    try test.admission("minji", event.id, issuer: "tiketi"),
                    try test.admission("minji", event.id, audience: "tiketi-payments"),
                    try test.admission("minji", event.id, seconds: 0),
                ] {
                    let answer = try await ask(bad)
                    #expect(answer.status == 403 && answer.code == "admission_invalid")
                }
                _ = try await test.held(try await test.event(), "other", ["A-1-2"])
                let good = try test.admission("minji", event.id)
                #expect(try await ask(good, "A-9-9").status == 422)
                // What took no seat has used nothing up.
                #expect(try await ask(good).status == 201)
                #expect(try await ask(good, "A-1-2").code == "admission_used")
                #expect(try await ask(try test.admission("minji", event.id), "A-1-2").status == 201)
            }
            // Two at once with one token: one gets in.
            let outcomes = try await withThrowingTaskGroup(of: ReservationStore.HoldOutcome.self) { group in
                for index in 0..<10 {
                    group.addTask {
                        try await test.store.hold(
                            .init(
                                eventId: event.id, buyer: "b\(index)", seatIds: [event.seatIds[10 + index]],
                                admissionId: "one"))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .admissionUsed } == 9)
        }
    }

    @Test func withoutAQueueWhatNeedsOneIsNotSold() async throws {
        try await ServiceUnderTest.run(hasQueue: false) { test in
            let event = try await test.event { $0.needsAdmission = true }
            let minji = try await test.token("minji")
            try await test.application().test(.router) { client in
                let token = try test.admission("minji", event.id)
                let answer = try await client.ask(
                    .post, "/api/reservations", minji,
                    body: body(event, ["A-1-1"], #","admissionToken":"\#(token)""#))
                #expect(answer.code == "admission_required")
            }
        }
    }

    @Test func unexpectedInputIsRefusedAsSuch() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let (minji, payments) = (try await test.token("minji"), try await test.paymentsToken())
            let id = try await test.held(event, "minji", ["A-1-1"])
            try await test.application().test(.router) { client in
                let eventId = event.id
                for (text, status) in [
                    ("", 400), ("[]", 400), ("{", 400), ("{}", 422),
                    (#"{"eventId":"\#(eventId)","seatIds":[]}"#, 422),
                    (#"{"eventId":"\#(eventId)","seatIds":["A-1-1","A-1-1"]}"#, 422),
                    (#"{"eventId":"\#(eventId)","seatIds":["A\u0000"]}"#, 422),
                    (#"{"eventId":"\#(eventId)","seatIds":["\ud800"]}"#, 400),
                    (#"{"eventId":"\#(eventId)","seatIds":"A-1-1"}"#, 422),
                    (#"{"eventId":"\#(eventId)","seatIds":["A-1-2"],"userId":"x"}"#, 422),
                    (#"{"eventId":"\#(eventId)","seatIds":["A-1-2"],"visitorId":""}"#, 422),
                    (#"{"eventId":"\#(eventId.uppercased())","seatIds":["A-1-2"]}"#, 422),
                    (#"{"eventId":"\#(UUID().uuidString.lowercased())","seatIds":["A-1-2"]}"#, 404),
                    (
                        #"{"eventId":"\#(eventId)","seatIds":[\#((0...100).map { "\"s\($0)\"" }.joined(separator: ","))]}"#,
                        422
                    ),
                ] {
                    let answer = try await client.ask(.post, "/api/reservations", minji, body: text)
                    #expect(answer.status == status, "\(text) \(answer.text)")
                }
                for path in [
                    "/api/reservations/none", "/api/reservations/\(id.uppercased())", "/api/tickets/%00",
                    "/api/tickets/x/qr", "/api/reservations/%00/tickets", "/api/seats/event/none",
                    "/api/seats/event/\(UUID().uuidString.lowercased())",
                ] {
                    #expect(try await client.ask(.get, path, minji).status == 404, "\(path)")
                }
                let inner = "/internal/reservations/\(id)"
                for (path, text) in [
                    ("/confirming", #"{"paymentId":"p"}"#), ("/confirming", #"{"paymentId":"p","amount":-1}"#),
                    ("/confirming", #"{"paymentId":"p","amount":1e300}"#),
                    ("/confirming", #"{"paymentId":"p\u0000","amount":1}"#),
                    ("/release", #"{"paymentId":""}"#), ("/sold", #"{"paymentId":"p","approvedAt":"now"}"#),
                ] {
                    #expect(try await client.ask(.post, inner + path, payments, body: text).status == 422, "\(text)")
                }
                #expect(
                    try await client.ask(.delete, "/api/reservations/\(id)?ticketIds=a,b", minji).status == 422)
                #expect(try await client.ask(.get, "/api/seats/event/\(eventId)?view=x").status == 422)
            }
        }
    }

    // MARK: The seat map

    @Test func theMapSaysWhoseSeatsAre() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            let minji = try await test.token("minji")
            _ = try await test.paid(event, "jisoo", ["A-1-2"])
            try await test.application().test(.router) { client in
                let path = "/api/seats/event/\(event.id)"
                #expect(try await client.ask(.get, path, [.authorization: "Bearer x"]).status == 401)
                let before = try await client.ask(.get, path)
                _ = try await client.ask(.post, "/api/reservations", minji, body: body(event, ["A-1-1"]))
                func statuses(_ answer: TestAnswer) -> [String] {
                    (answer.json["sections"] as? [[String: Any]] ?? [])
                        .flatMap { $0["rows"] as? [[String: Any]] ?? [] }
                        .flatMap { $0["seats"] as? [[String: Any]] ?? [] }
                        .compactMap { $0["status"] as? String }
                }
                #expect(statuses(before) == ["free", "sold"] + Array(repeating: "free", count: 18))
                // Their own is theirs at once.
                let mine = try await client.ask(.get, path, minji)
                #expect(statuses(mine) == ["mine", "sold"] + Array(repeating: "free", count: 18))
                #expect(statuses(try await client.ask(.get, path)).first == "held")
                let compact = try await client.ask(.get, path + "?view=availability", minji)
                #expect(compact.json["statuses"] as? String == "ms" + String(repeating: "f", count: 18))
                let tag = mine.headers[.eTag] ?? ""
                var headers = minji
                headers[.ifNoneMatch] = tag
                #expect(try await client.ask(.get, path, headers).status == 304)
                #expect(try await client.ask(.get, path, [.ifNoneMatch: tag]).status == 200)
                #expect(mine.json["maxSeatsPerBuyer"] as? Int == 4)
            }
        }
    }

    @Test func manyWhoLookAskTheDatabaseOnce() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            // Of a clock that stands still: nothing ever gets old.
            let maps = SeatMaps(postgres: test.pool, clock: { test.clock.now }, now: { 0 })
            let first = try await maps.snapshot(event.id, for: nil)
            _ = try await test.held(event, "minji", ["A-1-1"])
            for _ in 0..<10 { #expect(try await maps.snapshot(event.id, for: "jisoo") === first) }
            await maps.changed(event.id, by: "minji")
            #expect(try await maps.snapshot(event.id, for: "jisoo") === first)
            let second = try await maps.snapshot(event.id, for: "minji")
            #expect(second !== first)
            #expect(try await maps.snapshot(event.id, for: "jisoo") === second)
        }
    }

    @Test func mapsOfOtherEventsMakeRoom() async throws {
        try await ServiceUnderTest.run { test in
            for _ in 0..<(SeatMaps.maxEvents + 3) {
                let event = try await test.event { $0.seatCount = 1 }
                _ = try await test.service.maps.snapshot(event.id, for: nil)
            }
            #expect(await test.service.maps.eventCount <= SeatMaps.maxEvents)
        }
    }
}

extension RouteTests {
    @Test func theDocumentHasEveryRouteAndNoOther() async throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(ReservationService.openAPI.utf8)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        try await ServiceUnderTest.run { test in
            let router = Router(context: ServiceContext.self)
            test.service.addRoutes(to: router)
            let routes = router.routes.map { route in
                "\(route.method) " + route.path.description.replacing(/:(\w+)/) { "{\($0.1)}" }
            }
            #expect(Set(routes) == described)
        }
    }
}
