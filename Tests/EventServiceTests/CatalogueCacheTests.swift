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

    /// Trap 14, its other half: which keys there are in Redis is known, and how many, whatever is asked.
    @Test func whateverIsAskedTheKeysInRedisAreAsManyAsTheSlots() async throws {
        for kind in CatalogueCache.Kind.allCases {
            let keys = Set((0..<(20 * kind.maxSlots)).map { CatalogueCache.key(kind, "\($0)") })
            #expect(keys == Set((0..<kind.maxSlots).map { kind.key($0) }))
        }
        // What all of it can take of a Redis that others need, too.
        #expect(CatalogueCache.Kind.allCases.reduce(0) { $0 + $1.maxSlots * $1.maxBytes } <= 64 << 20)
        try await withRedis { redis in
            let cache = CatalogueCache(redis.pool, clock: { Lab.start }, logger: testLogger)
            await cache.drop()
            let kind = CatalogueCache.Kind.search
            for number in 0..<(3 * kind.maxSlots) {
                // Two that share a slot don't get each other's answers.
                for _ in 0..<2 {
                    let answer = try await cache.json(kind, "\(number)") { .init(json: "answer \(number)") }
                    #expect(answer == "answer \(number)")
                }
            }
            let ends = try await redis.pool.withConnection { connection in
                let keys = try connection.command(["KEYS", "*"]).array?.compactMap(\.string) ?? []
                return try keys.reduce(into: [String: Int64]()) {
                    $0[$1] = try connection.command(["PTTL", .init($1)]).int
                }
            }
            let slots = (0..<kind.maxSlots).map { kind.key($0) }
            #expect(!ends.isEmpty && Set(ends.keys).isSubset(of: slots + [CatalogueCache.generationKey]))
            // A key that has gone meanwhile has no time left: -2.
            #expect(ends.filter { $0.value == -1 }.map(\.key) == [CatalogueCache.generationKey])
        }
    }

    @Test(arguments: CatalogueCache.Kind.allCases)
    func whatIsLargerThanTheBoundIsNotKept(kind: CatalogueCache.Kind) async throws {
        try await withRedis { redis in
            let cache = CatalogueCache(redis.pool, clock: { Lab.start }, logger: testLogger)
            // Its generation, its end and its name, and what ends each.
            let head = "0\n\(Lab.start + CatalogueCache.maxAgeMs)\nx\n".utf8.count
            for (excess, isKept) in [(0, true), (1, false)] {
                let large = String(repeating: "a", count: kind.maxBytes - head + excess)
                _ = try await redis.pool.withConnection { try $0.command(["FLUSHDB"]) }
                #expect(try await cache.json(kind, "x") { .init(json: large) } == large)
                #expect(try await cache.json(kind, "x") { .init(json: "again") } == (isKept ? large : "again"))
            }
        }
    }

    /// A page behind the first, or from an instant of somebody's own, is nobody else's question; and one search may be
    /// written in many ways.
    @Test func onlyWhatOthersAskTooIsKept() async throws {
        try await Lab.with { lab in
            try await lab.addArtist("iu", "아이유")
            for id in ["a", "b"] { try await lab.addEvent(id, "밤") }
            func keys() async throws -> Int {
                try await lab.redis.pool.withConnection { connection in
                    let keys = try connection.command(["KEYS", "*"]).array?.compactMap(\.string) ?? []
                    return keys.count { $0 != CatalogueCache.generationKey }
                }
            }
            let after = try #require(try await lab.get("/api/events?limit=1").text("nextCursor"))
            let found = try #require(try await lab.get("/api/events/search?q=%EB%B0%A4&limit=1").text("nextCursor"))
            #expect(try await lab.get("/api/artists?limit=1").status == 200)
            #expect(try await keys() == 3)
            for path in [
                "/api/events?limit=1&cursor=\(after)", "/api/events?from=2026-01-01T00:00:00Z",
                "/api/events?to=2026-03-01T00:00:00Z", "/api/events/search?q=%EB%B0%A4&limit=1&cursor=\(found)",
                "/api/artists?limit=1&cursor=a",
                "/api/events/search?limit=1&q=%20%EB%B0%A4%20%21",
            ] {
                #expect(try await lab.get(path).status == 200, "\(path)")
                #expect(try await keys() == 3, "\(path)")
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
                        try await cache.json(.list, "x") {
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
            let old = try await cache.json(.list, "x") {
                await cache.drop()
                return CatalogueCache.Entry(json: "old")
            }
            let new = try await cache.json(.list, "x") { CatalogueCache.Entry(json: "new") }
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
                    try await cache.json(.list, "x") {
                        CatalogueCache.Entry(json: answer, staysUntil: Lab.start + 5000)
                    })
            }
            #expect(answers == ["1", "1", "3"])
        }
    }
}
