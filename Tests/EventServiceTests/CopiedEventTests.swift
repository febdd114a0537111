import HTTPTypes
import NIOCore
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import EventService

/// What other services copy: of the version that the database has, and read once for it.
@Suite(.timeLimit(.minutes(5))) struct CopiedEventTests {
    private final class Made: Sendable {
        let count = Atomic(0)

        func copy(_ version: Int64, bytes: Int = 1) -> CopiedEvents.Copy {
            count.add(1, ordering: .relaxed)
            return .init(version: version, json: ByteBuffer(repeating: UInt8(version), count: bytes))
        }

        static func json(_ version: Int64) -> ByteBuffer { ByteBuffer(repeating: UInt8(version), count: 1) }
    }

    @Test func aVersionIsReadOnceForAllWhoAsk() async throws {
        let events = CopiedEvents()
        let made = Made()
        try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
            for _ in 0..<50 { group.addTask { try await events.json(of: "a", version: 1) { made.copy(1) } } }
            for try await json in group { #expect(json == Made.json(1)) }
        }
        #expect(made.count.load(ordering: .relaxed) == 1)
        // Another version is read anew, also an older one: the database says which there is.
        for version: Int64 in [2, 2, 1, 2] {
            #expect(try await events.json(of: "a", version: version) { made.copy(version) } == Made.json(version))
        }
        #expect(made.count.load(ordering: .relaxed) == 4)
    }

    /// The version was asked for, and then it changed.
    @Test func aLaterVersionThanThatAskedForIsKeptAsWhatItIs() async throws {
        let events = CopiedEvents()
        let made = Made()
        #expect(try await events.json(of: "a", version: 1) { made.copy(2) } == Made.json(2))
        #expect(try await events.json(of: "a", version: 2) { made.copy(3) } == Made.json(2))
    }

    @Test func noMoreIsKeptThanTheBounds() async throws {
        let events = CopiedEvents()
        let made = Made()
        for number in 0...CopiedEvents.maxEvents {
            _ = try await events.json(of: "e\(number)", version: 1) { made.copy(1) }
            _ = try await events.json(of: "e0", version: 1) { made.copy(1) }
        }
        #expect(events.size.events == CopiedEvents.maxEvents)
        // e1 has gone, and e0 has not: it was asked for.
        let before = made.count.load(ordering: .relaxed)
        _ = try await events.json(of: "e0", version: 1) { made.copy(1) }
        #expect(made.count.load(ordering: .relaxed) == before)
        _ = try await events.json(of: "e1", version: 1) { made.copy(1) }
        #expect(made.count.load(ordering: .relaxed) == before + 1)
        for number in 0..<3 {
            _ = try await events.json(of: "large\(number)", version: 1) {
                made.copy(1, bytes: CopiedEvents.maxBytes / 2)
            }
            #expect(events.size.bytes <= CopiedEvents.maxBytes)
        }
        #expect(events.size.events == 2)
        _ = try await events.json(of: "larger", version: 1) { made.copy(1, bytes: CopiedEvents.maxBytes + 1) }
        #expect(events.size.events == 2)
    }

    /// Each change of the event or its layout is seen by the next who asks; between them the seats are not read.
    @Test func theRouteAnswersWhatTheDatabaseHas() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            let layout = #"{"sections":[{"name":"A","price":1000,"rows":[{"name":"1","seats":3}]}]}"#
            #expect(try await lab.put("/api/events/a/layout", layout).status == 200)
            #expect(try await lab.get("/internal/events/a").list("seats").count == 3)
            // Behind the service's back, without a new version: the layout is not read again.
            try await lab.pool.withConnection { _ = try $0.execute("DELETE FROM event_layouts") }
            for _ in 0..<3 { #expect(try await lab.get("/internal/events/a").list("seats").count == 3) }
            #expect(try await lab.put("/api/events/a", Lab.event("낮", #","version":2"#)).status == 200)
            let changed = try await lab.get("/internal/events/a")
            #expect(changed.text("title") == "낮" && changed.integer("version") == 3)
            #expect(changed.list("seats").isEmpty)
            #expect(changed.headers[.cacheControl] == "no-store")
            #expect(try await lab.send(.delete, "/api/events/a", as: lab.admin).status == 204)
            #expect(try await lab.get("/internal/events/a").text("status") == "canceled")
            #expect(try await lab.get("/internal/events/nothing").status == 404)
        }
    }
}
