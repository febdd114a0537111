import Foundation
import Hummingbird
import Platform
import Storage
import TestSupport
import Testing

@testable import EventService

@Suite(.timeLimit(.minutes(5))) struct EventServiceTests {
    @Test func itIsReadyOnceItsDatabaseIsUpToDate() async throws {
        try await withDatabase(of: .events) { configuration, pool in
            try await withRedis { redis in
                let service = try await EventService(
                    .init(
                        database: configuration, redis: redis.configuration,
                        keys: .fixed(try await VerifyingKeys(SigningKey.generate())),
                        clock: { Int64(Date().timeIntervalSince1970 * 1000) }),
                    metrics: Metrics(), logger: testLogger)
                #expect(await service.isReady())
                try await pool.withConnection { _ = try $0.execute("DELETE FROM schema_migrations") }
                #expect(await !service.isReady())
                await service.shutdown()
            }
        }
    }

    /// Trap 15: a path that no ingress knows is reached by nobody. These are the ones of docs/booking.md.
    @Test func everyPathIsBelowThoseThatAreRouted() async throws {
        try await Lab.with { lab in
            let router = Router(context: ServiceContext.self)
            lab.service.addRoutes(to: router)
            let heads = router.routes.map { route in
                route.path.description.split(separator: "/").prefix(2).joined(separator: "/")
            }
            #expect(
                Set(heads) == ["api/events", "api/artists", "api/venues", "api/categories", "internal/events"])
        }
    }
}
