import Core
import Foundation
import Platform
import Storage
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct GroupReaderTests {
    /// What means nothing to a group is confirmed and not read; what nobody knows is buried all the same.
    @Test func onlyKindsThatMeanSomethingAreRead() async throws {
        try await MessageFixture.with { fixture in
            try await fixture.add(id: "m1", MessageFixture.payment("p1"))
            try await fixture.add(id: "m2", type: "payment.failed", "no JSON, and nobody here minds")
            try await fixture.add(id: "m3", type: "payment.guessed", "{}")
            try await fixture.add([("id", "m4"), ("data", "{}")])
            try await fixture.add(id: "m5", "no JSON")
            try await fixture.add(id: "m6", MessageFixture.payment("p2"))
            let read = Mutex<[String]>([])
            let own = RedisPool(fixture.redis.configuration, connections: 1, logger: silentLogger)
            let reader = GroupReader(
                group: .payments, kinds: [.paymentCompleted], name: "a", redis: own,
                clock: { Int64(Date().timeIntervalSince1970 * 1000) }, metrics: MessageMetrics(fixture.metrics),
                logger: silentLogger
            ) { messages in
                read.withLock { $0 += messages.map(\.id) }
                return messages.count
            }
            let running = Task { await reader.run() }
            try await fixture.untilAllConfirmed()
            running.cancel()
            await running.value
            await own.shutdown()
            #expect(read.withLock { $0 } == ["m1", "m6"])
            #expect(try await fixture.dead().count == 3)
        }
    }
}
