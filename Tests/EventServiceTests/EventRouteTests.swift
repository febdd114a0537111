import Core
import HTTPTypes
import Platform
import Storage
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct EventRouteTests {
    @Test func anEventIsMadeReadChangedAndCanceled() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            let body = Lab.event("밤", #","ticketTypes":[{"name":"R","price":110000}],"description":"첫\n둘""#)
            #expect(try await lab.send(.post, "/api/events", body).status == 401)
            #expect(try await lab.send(.post, "/api/events", body, as: lab.user).status == 403)
            let made = try await lab.post("/api/events", body)
            #expect(made.status == 201)
            let id = try #require(made.text("id"))
            #expect(made.headers[.location] == "/api/events/\(id)")
            let read = try await lab.get("/api/events/\(id)")
            #expect(read.text("artistName") == "아이유")
            #expect(read.integer("maxSeatsPerBuyer") == 4)
            #expect(read.text("status") == "on_sale")
            #expect(read.integer("version") == 1)
            let changed = Lab.event("낮", #","version":1"#)
            #expect(try await lab.put("/api/events/\(id)", changed).integer("version") == 2)
            // A lost update is refused.
            let late = try await lab.put("/api/events/\(id)", changed)
            #expect(late.status == 409 && late.text("code") == "version_differs")
            #expect(try await lab.get("/api/events/\(id)").text("title") == "낮")
            for _ in 0..<2 { #expect(try await lab.send(.delete, "/api/events/\(id)", as: lab.admin).status == 204) }
            #expect(try await lab.get("/api/events/\(id)").text("status") == "canceled")
            let afterwards = Lab.event("낮", #","version":3"#)
            #expect(try await lab.put("/api/events/\(id)", afterwards).text("code") == "canceled")
            let messages = try await lab.messages()
            #expect(messages.filter { $0.hasPrefix("event.upserted ") }.count == 3)
            #expect(messages.count == 4)
            // Each later than the one before, though the clock stands.
            let instants = try await lab.pool.withConnection { connection in
                try connection.query("SELECT occurred_at FROM outbox WHERE type = 'event.upserted' ORDER BY seq").map {
                    try $0.get(0, as: PostgresTimestamp.self).ms
                }
            }
            #expect(instants == [Lab.start, Lab.start + 1, Lab.start + 2])
        }
    }

    @Test func whatIsNoEventIsRefused() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            let bodies = [
                #"{"title":"x"}"#, Lab.event("x", artist: "nobody"), Lab.event("x", #","version":1"#),
                Lab.event("x", #","maxSeatsPerBuyer":21"#), Lab.event("x", #","maxSeatsPerBuyer":0"#),
                Lab.event("x", #","id":"Not An Id""#), Lab.event("x", #","id":"search""#),
                Lab.event("x", #","currency":"USD""#), Lab.event("", ""), Lab.event("a\\u0000", ""),
                Lab.event("x", #","endsAt":"2025-01-01T00:00:00Z""#),
                Lab.event("x", #","endsAt":"2030-01-01T00:00:00Z""#),
                Lab.event("x", #","venueId":"nowhere""#), Lab.event("x", #","ticketTypes":[{"name":"R","price":99}]"#),
                Lab.event("x", #","ticketTypes":[{"name":"R","price":1e30}]"#),
            ]
            for body in bodies {
                let answer = try await lab.post("/api/events", body)
                #expect(answer.status == 422, "\(body): \(answer)")
            }
            #expect(try await lab.post("/api/events", #"{"title":"\ud800"}"#).status == 400)
            #expect(try await lab.post("/api/events", "[").status == 400)
            #expect(try await lab.get("/api/events/nothing").status == 404)
            #expect(try await lab.get("/api/events/%00").status == 404)
            #expect(try await lab.send(.delete, "/api/events/nothing", as: lab.admin).status == 404)
            try await lab.addEvent("a", "x")
            let again = Lab.event("y", #","id":"a""#)
            #expect(try await lab.post("/api/events", again).text("code") == "id_taken")
        }
    }

    @Test func statusFollowsTimeAlsoWhereTheAnswerIsCached() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            let opens = Lab.start + 5_000
            let closes = Lab.start + Lab.day
            let body = """
                {"id":"a","title":"밤","artistId":"iu","startsAt":"\(Instant.iso8601(closes))",
                "salesOpenAt":"\(Instant.iso8601(opens))","salesCloseAt":"\(Instant.iso8601(closes))"}
                """
            #expect(try await lab.post("/api/events", body).status == 201)
            for (now, status) in [
                (Lab.start, "upcoming"), (opens - 1, "upcoming"), (opens, "on_sale"), (closes - 1, "on_sale"),
                (closes, "ended"),
            ] {
                lab.clock.turn(to: now)
                for _ in 0..<2 { #expect(try await lab.get("/api/events/a").text("status") == status) }
                #expect(try await lab.get("/api/events?status=\(status)").ids == ["a"])
            }
            lab.clock.turn(to: opens)
            try await lab.tell("a", soldOut: true, at: 1)
            #expect(try await lab.get("/api/events/a").text("status") == "sold_out")
            #expect(try await lab.get("/api/events?status=sold_out").ids == ["a"])
            #expect(try await lab.get("/api/events?status=on_sale").ids == [])
            try await lab.tell("a", soldOut: false, at: 2)
            #expect(try await lab.get("/api/events/a").text("status") == "on_sale")
            #expect(try await lab.get("/api/events/a").integer("version") == 1)
        }
    }

    @Test func listsAreFilteredAndPaged() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addArtist("x", "누구")
            for number in 0..<7 {
                // Two start at each instant: ids decide.
                try await lab.addEvent(
                    "e\(number)", "밤 \(number)", artist: number % 2 == 0 ? "iu" : "x",
                    startsAt: Lab.start + Int64(1 + number / 2) * Lab.day)
            }
            var ids: [String] = []
            var cursor = ""
            repeat {
                let page = try await lab.get("/api/events?limit=3\(cursor)")
                ids += page.ids
                cursor = page.text("nextCursor").map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(ids == (0..<7).map { "e\($0)" })
            #expect(try await lab.get("/api/events?artistId=x").ids == ["e1", "e3", "e5"])
            let from = Instant.iso8601(Lab.start + 2 * Lab.day)
            let to = Instant.iso8601(Lab.start + 3 * Lab.day)
            #expect(try await lab.get("/api/events?from=\(from)&to=\(to)").ids == ["e2", "e3"])
            #expect(try await lab.get("/api/events?from=2026-01-03T09:00:00+09:00&limit=1").ids == ["e2"])
            for wrong in ["limit=0", "limit=101", "cursor=x", "status=open", "from=today", "artistId=A", "page=1"] {
                #expect(try await lab.get("/api/events?\(wrong)").status == 422, "\(wrong)")
            }
        }
    }

    @Test func categoriesVenuesAndImagesAreKept() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            let category = #"{"id":"concert","name":"콘서트","position":1}"#
            #expect(try await lab.post("/api/categories", category).status == 201)
            let venue = #"{"id":"olympic","name":"올림픽공원","address":"서울"}"#
            #expect(try await lab.post("/api/venues", venue).status == 201)
            try await lab.addEvent("a", "밤", #","venueId":"olympic","categoryId":"concert""#)
            #expect(try await lab.search("올림픽").ids == ["a"])
            #expect(try await lab.get("/api/events?category=concert&venueId=olympic").ids == ["a"])
            #expect(try await lab.get("/api/categories").list("categories").count == 1)
            #expect(try await lab.get("/api/venues?limit=1").list("venues").count == 1)
            #expect(try await lab.send(.delete, "/api/categories/concert", as: lab.admin).text("code") == "in_use")
            let renamed = #"{"name":"공연","version":1}"#
            #expect(try await lab.put("/api/categories/concert", renamed).status == 200)
            #expect(try await lab.get("/api/events/a").text("categoryName") == "공연")
            let image = #"{"url":"https://img.example/a.webp","width":800,"height":600,"altText":"포스터"}"#
            let made = try await lab.post("/api/events/a/images", image)
            #expect(made.status == 201)
            #expect(try await lab.get("/api/events/a/images").list("images").count == 1)
            let script = image.replacing("https://img.example/a.webp", with: "javascript:alert(1)")
            #expect(try await lab.post("/api/events/a/images", script).status == 422)
            let path = try #require(made.headers[.location])
            #expect(try await lab.send(.delete, path, as: lab.admin).status == 204)
            #expect(try await lab.send(.delete, path, as: lab.admin).status == 404)
            for _ in 0..<EventImage.maxImages {
                #expect(try await lab.post("/api/events/a/images", image).status == 201)
            }
            #expect(try await lab.post("/api/events/a/images", image).text("code") == "too_many")
        }
    }

    @Test func categoriesAreBounded() async throws {
        try await Lab.with { lab in
            var catalogue = Catalogue()
            catalogue.categories = (0..<NamedThing.maxCategories).map { .init(id: "c\($0)", name: "c") }
            try await lab.service.load(catalogue)
            #expect(try await lab.post("/api/categories", #"{"name":"x"}"#).text("code") == "too_many")
        }
    }

    /// Of changes made from one version at the same time, one stays.
    @Test func oneOfManyChangesOfAVersionWins() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        try await lab.put("/api/events/a", Lab.event("밤 \(number)", #","version":1"#)).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200] + Array(repeating: 409, count: 7))
            #expect(try await lab.get("/api/events/a").integer("version") == 2)
            #expect(try await lab.messages().filter { $0.hasPrefix("event.upserted ") }.count == 2)
        }
    }

    /// Names change while events come and go: what search knows is what stays.
    @Test func searchKnowsWhatStaysOfChangesAtTheSameTime() async throws {
        let random = SeededGenerator()
        print(random)
        try await Lab.with { lab in
            var random = random
            try await lab.addArtist("iu", "가수하나")
            for number in 0..<6 { try await lab.addEvent("e\(number)", "노래\(number)") }
            let steps = (0..<60).map { _ in
                (Int.random(in: 0...2, using: &random), Int.random(in: 0..<6, using: &random))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (step, (kind, number)) in steps.enumerated() {
                    group.addTask {
                        switch kind {
                        case 0:
                            let version = try await lab.get("/api/artists/iu").integer("version") ?? 1
                            _ = try await lab.put("/api/artists/iu", #"{"name":"가수\#(step)","version":\#(version)}"#)
                        case 1:
                            let version = try await lab.get("/api/events/e\(number)").integer("version") ?? 1
                            let body = Lab.event("제목\(step)", #","version":\#(version)"#)
                            _ = try await lab.put("/api/events/e\(number)", body)
                        default:
                            guard step % 5 == 0 else { return }
                            _ = try await lab.send(.delete, "/api/events/e\(number)", as: lab.admin)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let differing = try await lab.pool.withConnection { connection in
                let rows = try connection.query(
                    """
                    SELECT e.title, a.name, s.head FROM artists a JOIN events e ON e.artist_id = a.id
                        FULL JOIN event_search s ON s.event_id = e.id
                    WHERE e.canceled_at IS NULL OR s.event_id IS NOT NULL
                    """)
                return try rows.filter { row in
                    let texts = SearchedTexts(title: try row.get(0), artist: try row.get(1), venue: "", description: "")
                    return try row.get(2, as: String?.self) != texts.head
                }.count
            }
            #expect(differing == 0)
            #expect(try await lab.search("가수").status == 200)
        }
    }
}
