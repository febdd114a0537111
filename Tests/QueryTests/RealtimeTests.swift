import Core
import Foundation
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Query

@Suite struct RealtimeTests {
    private final class Finds: Sendable {
        let count = Mutex(0)
    }

    private func feed(
        _ finds: Finds, maxSubscribers: Int = 10, _ find: @escaping @Sendable () async throws -> Void = {}
    ) -> RealtimeFeed {
        RealtimeFeed(maxSubscribers: maxSubscribers, interval: .milliseconds(5), logger: testLogger) {
            let number = finds.count.withLock { count in
                count += 1
                return count
            }
            try await find()
            return Array("\(number)".utf8)
        }
    }

    private func text(_ piece: RealtimeFeed.Piece?) -> String? { piece.map { String(decoding: $0, as: UTF8.self) } }

    @Test func allAreSentWhatWasFoundOnce() async throws {
        let finds = Finds()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let feed = feed(finds) { for await _ in gate { return } }
        var first = try feed.subscribe().makeAsyncIterator()
        var second = try feed.subscribe().makeAsyncIterator()
        open.finish()
        #expect(Int(text(await first.next()) ?? "") != nil)
        #expect(Int(text(await second.next()) ?? "") != nil)
        feed.close()
    }

    @Test func nothingIsDoneForNobody() async throws {
        let finds = Finds()
        let feed = feed(finds)
        #expect(!feed.isTicking)
        do {
            var stream = try feed.subscribe().makeAsyncIterator()
            _ = await stream.next()
            #expect(feed.isTicking)
        }
        while feed.isTicking || feed.subscriberCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
        let count = finds.count.withLock { $0 }
        // As it is found again for who comes later, the feed was asleep, not dead.
        var again = try feed.subscribe().makeAsyncIterator()
        let piece = text(await again.next())
        #expect(Int(piece ?? "") ?? 0 >= count)
        feed.close()
    }

    @Test func moreThanMayAreRefused() async throws {
        let feed = feed(Finds(), maxSubscribers: 2)
        let one = try feed.subscribe()
        let two = try feed.subscribe()
        #expect(throws: RealtimeFeed.Refused.self) { try feed.subscribe() }
        withExtendedLifetime((one, two)) {}
        feed.close()
        #expect(throws: RealtimeFeed.Refused.self) { try feed.subscribe() }
    }

    @Test func closingEndsEveryStream() async throws {
        let feed = feed(Finds())
        let streams = [try feed.subscribe(), try feed.subscribe()]
        feed.close()
        for stream in streams {
            for await _ in stream {}
        }
        while feed.isTicking { try await Task.sleep(for: .milliseconds(1)) }
        #expect(feed.subscriberCount == 0)
    }

    @Test func whileThereIsNoAnswerTheLineIsKeptOpen() async throws {
        struct Away: Error {}
        let failing = feed(Finds()) { throw Away() }
        var stream = try failing.subscribe().makeAsyncIterator()
        #expect(text(await stream.next()) == ": waiting\n\n")
        failing.close()

        let (gate, open) = AsyncStream<Void>.makeStream()
        let slow = feed(Finds()) { for await _ in gate { return } }
        var waiting = try slow.subscribe().makeAsyncIterator()
        #expect(text(await waiting.next()) == ": waiting\n\n")
        open.finish()
        slow.close()
    }

    @Test func aSlowReaderIsSentTheNewest() async throws {
        let finds = Finds()
        let feed = feed(finds)
        var stream = try feed.subscribe().makeAsyncIterator()
        while finds.count.withLock({ $0 }) < 5 { try await Task.sleep(for: .milliseconds(1)) }
        // The fourth was sent before the fifth was looked for.
        #expect(try #require(Int(text(await stream.next()) ?? "")) >= 4)
        feed.close()
    }

    @Test func thePresentIsThatOfRedisAndTheLedger() async throws {
        try await withRedis { redis in
            try await Lab.with(now: Lab.now + 15_000, redis: redis.configuration) { lab in
                try await redis.pool.withConnection { connection in
                    for (minute, views) in [("202512051030", "7"), ("202512051029", "40"), ("202512051026", "2")] {
                        _ = try connection.command(
                            ["SET", RedisArgument("{minutes}:page_view:\(minute)"), RedisArgument(views)])
                    }
                    _ = try connection.command(["PFADD", "{visitors}:202512051030", "a", "b"])
                }
                for number in 1...12 {
                    try await lab.ledger(
                        "m\(number)", "2025-12-05T09:\(10 + number):00Z", amount: Int64(number) * 1000, tickets: 2)
                }
                try await lab.ledger("refund", "2025-12-05T10:00:00Z", amount: -5, tickets: -1)
                try await lab.ledger("ahead", "2025-12-05T11:00:00Z", amount: 5, tickets: 1)
                try await lab.name(artist: "iu", "아이유")
                try await lab.name(event: "e1", "콘서트")
                try await lab.pending(1, receivedAt: "2025-12-05T10:29:58Z")
                let answer = try await lab.engine.realtime()
                #expect(answer.visitorsLast5Minutes == 2)
                #expect(answer.minutes?.map(\.pageViews) == [7, 40, 0, 0, 2])
                // A quarter of the minute has passed: 7, and three quarters of 40.
                #expect(answer.viewsPerMinute == 37)
                #expect(answer.bookings.map(\.amount) == (3...12).reversed().map { $0 * 1000 })
                var json = JSONWriter()
                answer.write(to: &json)
                #expect(
                    json.text.hasPrefix(
                        #"{"visitorsLast5Minutes":2,"viewsPerMinute":37,"#
                            + #""minutes":[{"minute":"2025-12-05T10:30:00.000Z","pageViews":7},"#))
                #expect(
                    json.text.contains(
                        #""latestBookings":[{"at":"2025-12-05T09:22:00.000Z","artistId":"iu","artistName":"아이유","#
                            + #""eventId":"e1","eventName":"콘서트","tickets":2,"amount":12000,"currency":"KRW"}"#))
                #expect(
                    json.text.hasSuffix(
                        #""freshness":{"asOf":"2025-12-05T10:29:58.000Z","pendingBatches":1,"#
                            + #""oldestPending":"2025-12-05T10:29:58.000Z"},"#
                            + #""asOf":"2025-12-05T10:29:58.000Z","complete":false}"#))
            }
        }
    }

    @Test func withoutRedisTheRestIsThere() async throws {
        try await Lab.with { lab in
            var json = JSONWriter()
            try await lab.engine.realtime().write(to: &json)
            #expect(
                json.text.hasPrefix(
                    #"{"visitorsLast5Minutes":null,"viewsPerMinute":null,"minutes":null,"latestBookings":[],"#))
        }
    }
}
