import HTTPTypes
import Platform
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct LayoutTests {
    @Test(arguments: [(LayoutTemplate.small, 265), (.hall, 1250), (.arena, 4900)] as [(LayoutTemplate, Int)])
    func templatesHaveTheirSeats(_ template: LayoutTemplate, _ count: Int) {
        let layout = template.layout { _ in 1 }
        #expect(layout.seatCount == Int64(count))
        #expect(Set(layout.seats.map(\.id)).count == count)
    }

    @Test func othersCopyTheSeatsOfALayout() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            #expect(try await lab.get("/api/events/a/layout").status == 404)
            #expect(try await lab.get("/internal/events/a").list("seats").isEmpty)
            // A word of its own: what isn't served is answered with 404 as well.
            for id in ["b", "no%20id"] {
                let unknown = try await lab.get("/internal/events/\(id)")
                #expect(unknown.status == 404 && unknown.text("code") == "event_not_found")
            }
            #expect(try await lab.get("/internal/event/a").text("code") != "event_not_found")
            let layout = """
                {"sections":[{"name":"A","price":110000,
                "rows":[{"name":"1","seats":2},{"name":"2","firstNumber":5,"seats":1}]}]}
                """
            let put = try await lab.send(.put, "/api/events/a/layout", layout, as: lab.admin)
            #expect(put.status == 200 && put.integer("seats") == 3)
            let copied = try await lab.get("/internal/events/a")
            #expect(copied.text("status") == "scheduled")
            #expect(copied.integer("version") == 2)
            #expect(
                copied.list("seats").map { seat -> String in
                    guard case .object(let seat) = seat, case .string(let id) = seat["id"],
                        case .string(let number) = seat["number"], case .integer(let price) = seat["price"]
                    else { return "" }
                    return "\(id) \(number) \(price)"
                } == ["A-1-1 1 110000", "A-1-2 2 110000", "A-2-5 5 110000"])
            let read = try await lab.get("/api/events/a/layout")
            let tag = try #require(read.headers[.eTag])
            let again = try await lab.send(.get, "/api/events/a/layout", headers: [.ifNoneMatch: tag])
            #expect(again.status == 304)
            let template = """
                {"template":"small","version":2,
                "prices":[{"section":"VIP","price":300},{"section":"R","price":200},{"section":"S","price":100}]}
                """
            #expect(try await lab.put("/api/events/a/layout", template).integer("seats") == 265)
            #expect(try await lab.put("/api/events/a/layout", template).text("code") == "version_differs")
            // What was cached is not answered any more.
            #expect(try await lab.get("/api/events/a/layout").integer("seats") == 265)
            #expect(try await lab.get("/api/events/a").integer("seats") == 265)
            #expect(try await lab.messages().filter { $0.hasPrefix("event.upserted") }.count == 3)
        }
    }

    @Test func layoutsAreBounded() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            func rows(_ count: Int, _ first: Int = 0) -> String {
                (first..<(first + count)).map { #"{"name":"\#($0)","seats":500}"# }.joined(separator: ",")
            }
            func put(_ body: String) async throws -> Lab.Answer {
                try await lab.send(.put, "/api/events/a/layout", body, as: lab.admin)
            }
            func one(_ rows: String, name: String = "A", price: Int = 100) -> String {
                #"{"name":"\#(name)","price":\#(price),"rows":[\#(rows)]}"#
            }
            func layout(_ sections: String...) -> String { #"{"sections":[\#(sections.joined(separator: ","))]}"# }
            #expect(try await put(layout(one(rows(40)))).integer("seats") == SeatLayout.maxSeats)
            let row = #"{"name":"1","seats":1}"#
            for wrong in [
                layout(one(rows(41))), layout(one(#"{"name":"1","seats":501}"#)), layout(one(row, price: 99)),
                layout(one(row, name: "A-1")), layout(one("\(row),\(row)")), layout(one(row), one(row)), layout(),
                layout(one("")), #"{}"#, #"{"template":"small"}"#, #"{"template":"stadium"}"#,
                #"{"template":"small","prices":[{"section":"VIP","price":300}]}"#,
                #"{"template":"small","prices":[{"section":"Z","price":300}]}"#,
            ] { #expect(try await put(wrong).status == 422, "\(wrong.prefix(100))") }
        }
    }
}
