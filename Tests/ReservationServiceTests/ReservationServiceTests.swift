import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

@Suite(.timeLimit(.minutes(5))) struct ReservationServiceTests {
    @Test func itIsReadyOnceItsDatabaseIsUpToDate() async throws {
        try await ServiceUnderTest.run { test in
            #expect(await test.service.isReady())
            try await test.pool.withConnection { _ = try $0.execute("DELETE FROM schema_migrations") }
            #expect(await !test.service.isReady())
        }
    }
}
