import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import PaymentService

@Suite(.timeLimit(.minutes(5))) struct PaymentServiceTests {
    @Test func itIsReadyOnceItsDatabaseIsUpToDate() async throws {
        try await withDatabase(of: .payments) { configuration, pool in
            try await withRedis { redis in
                let service = try await PaymentService(
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
}
