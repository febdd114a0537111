import Synchronization
import TestSupport
import Testing

@testable import Query

@Suite struct SharedAnswerTests {
    private final class Source: Sendable {
        struct Failed: Error {}

        let now = Mutex<Int64>(0)
        let asked = Mutex(0)
        let fails = Mutex(false)

        func find() async throws -> Int {
            try await Task.sleep(for: .milliseconds(20))
            if fails.withLock({ $0 }) { throw Failed() }
            return asked.withLock { asked in
                asked += 1
                return asked
            }
        }
    }

    @Test func manyAskersShareOneAnswerForAMoment() async throws {
        let source = Source()
        let shared = SharedAnswer(
            maxAgeMs: 1000, now: { source.now.withLock { $0 } }, find: { try await source.find() })
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await shared.value() } }
            for try await value in group { #expect(value == 1) }
        }
        source.now.withLock { $0 = 999 }
        #expect(try await shared.value() == 1)
        source.now.withLock { $0 = 1000 }
        #expect(try await shared.value() == 2)
    }

    @Test func whileTheNextIsFoundTheLastIsGivenForAMomentMore() async throws {
        let source = Source()
        let shared = SharedAnswer(
            maxAgeMs: 1000, maxStaleMs: 500, now: { source.now.withLock { $0 } }, find: { try await source.find() })
        #expect(try await shared.value() == 1)
        source.now.withLock { $0 = 1499 }
        #expect(try await shared.value() == 1)
        // It has been asked for, though nobody waited.
        try await until { source.asked.withLock { $0 } == 2 }
        try await until { try await shared.value() == 2 }
        source.now.withLock { $0 = 1499 + 1500 }
        #expect(try await shared.value() == 3)
    }

    @Test func failuresAreNotKept() async throws {
        let source = Source()
        source.fails.withLock { $0 = true }
        let shared = SharedAnswer(
            maxAgeMs: 1000, now: { source.now.withLock { $0 } }, find: { try await source.find() })
        await #expect(throws: Source.Failed.self) { try await shared.value() }
        source.fails.withLock { $0 = false }
        #expect(try await shared.value() == 1)
    }

    @Test func whoeverGivesUpDoesNotTakeTheAnswerFromTheOthers() async throws {
        let source = Source()
        let shared = SharedAnswer(maxAgeMs: 1000, now: { 0 }, find: { try await source.find() })
        let first = Task { try await shared.value() }
        let second = Task { try await shared.value() }
        first.cancel()
        #expect(try await second.value == 1)
    }
}
