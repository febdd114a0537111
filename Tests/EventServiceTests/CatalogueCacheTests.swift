import Core
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct CatalogueCacheTests {
    /// Trap 14: GET and DEL don't take patterns. A change raises a generation that all keys hold.
    @Test func aChangeDropsWhatIsCachedWithoutNamingIt() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            try await lab.addEvent("a", "밤")
            let paths = ["/api/events/a", "/api/events", "/api/events/search?q=%EB%B0%A4%20"]
            for path in paths { #expect(try await lab.get(path).status == 200) }
            // Behind the service's back: it answers from the cache.
            try await lab.pool.withConnection { _ = try $0.execute("UPDATE events SET title = '낮'") }
            for path in paths { #expect(try await lab.said(path).contains("밤"), "\(path)") }
            try await lab.addEvent("b", "셋")
            for path in paths { #expect(try await lab.said(path).contains("낮"), "\(path)") }
        }
    }

    @Test func withoutRedisEverythingIsAnswered() async throws {
        try await withRedis { redis in
            let nowhere = try RedisConfiguration(url: "redis+unix:///nonexistent/redis.sock")
            try await Lab.with(redis: redis, at: nowhere) { lab in
                try await lab.addArtist("iu", "아이유")
                try await lab.addEvent("a", "밤")
                #expect(try await lab.get("/api/events/a").text("title") == "밤")
                #expect(try await lab.get("/api/events").ids == ["a"])
                #expect(try await lab.search("밤").ids == ["a"])
                try await lab.addEvent("b", "낮")
                #expect(try await lab.get("/api/events").ids == ["a", "b"])
            }
        }
    }

    private final class Made: Sendable {
        let count = Atomic(0)
    }

    @Test func theSameQuestionIsAskedOnceAtATime() async throws {
        try await withRedis { redis in
            let cache = CatalogueCache(redis.pool, clock: { Lab.start }, logger: testLogger)
            let made = Made()
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await cache.json("x") {
                            made.count.add(1, ordering: .relaxed)
                            return CatalogueCache.Entry(json: "1")
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers == Array(repeating: "1", count: 50))
            #expect(made.count.load(ordering: .relaxed) == 1)
        }
    }

    /// Who reads the database before a change and keeps the answer after it keeps it where nobody looks.
    @Test func anAnswerFromBeforeAChangeIsNotKeptBeyondIt() async throws {
        try await withRedis { redis in
            let cache = CatalogueCache(redis.pool, clock: { Lab.start }, logger: testLogger)
            let old = try await cache.json("x") {
                await cache.drop()
                return CatalogueCache.Entry(json: "old")
            }
            let new = try await cache.json("x") { CatalogueCache.Entry(json: "new") }
            #expect([old, new] == ["old", "new"])
        }
    }

    @Test func whatIsCachedEndsWithItsTime() async throws {
        try await withRedis { redis in
            let clock = Lab.Clock()
            let cache = CatalogueCache(redis.pool, clock: { clock.ms }, logger: testLogger)
            var answers: [String] = []
            for (wait, answer) in [(0, "1"), (4999, "2"), (5000, "3")] as [(Int64, String)] {
                clock.turn(to: Lab.start + wait)
                answers.append(
                    try await cache.json("x") { CatalogueCache.Entry(json: answer, staysUntil: Lab.start + 5000) })
            }
            #expect(answers == ["1", "1", "3"])
        }
    }
}
