import Foundation
import Platform
import Storage
import Synchronization

/// The Postgres and Redis that this process's tests share: those of `TIKETI_TEST_POSTGRES` and `TIKETI_TEST_REDIS`
/// (URLs; the Postgres user must be able to create databases), else private ones that end with the process.
package final class TestServers: Sendable {
    package static let shared = TestServers()

    private let state = Mutex(State())

    private struct State {
        var isStarted = false
        var failure: String?
        var postgres: PrivatePostgres?
        var redis: PrivateRedis?
        var postgresURL = ""
        var redisURL = ""
    }

    package struct StartFailed: Error, CustomStringConvertible {
        package let description: String
    }

    /// A libpq URI or keyword string of a database from which others can be made.
    package func postgresURL() async throws -> String {
        try await started { $0.postgresURL }
    }

    package func redisURL() async throws -> String {
        try await started { $0.redisURL }
    }

    private func started<R: Sendable>(_ body: @escaping @Sendable (borrowing State) -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            // Not on a cooperative thread: the first one starts servers, and the others wait for it.
            Thread {
                continuation.resume(
                    with: Result {
                        try self.state.withLock { state in
                            if !state.isStarted {
                                state.isStarted = true
                                do { try Self.start(&state) } catch { state.failure = "\(error)" }
                            }
                            if let failure = state.failure { throw StartFailed(description: failure) }
                            return body(state)
                        }
                    })
            }.start()
        }
    }

    private static func start(_ state: inout State) throws {
        let environment = ProcessInfo.processInfo.environment
        if let postgres = environment["TIKETI_TEST_POSTGRES"], let redis = environment["TIKETI_TEST_REDIS"] {
            (state.postgresURL, state.redisURL) = (postgres, redis)
            return
        }
        StaleServers.remove()
        let folder = StaleServers.folder(of: getpid())
        atexit { TestServers.shared.stop() }
        if let postgres = environment["TIKETI_TEST_POSTGRES"] {
            state.postgresURL = postgres
        } else {
            let server = try PrivatePostgres(folder: folder.appending(path: "postgres"), isDurable: false)
            state.postgres = server
            try server.startBlocking()
            state.postgresURL = server.url(database: "postgres")
        }
        if let redis = environment["TIKETI_TEST_REDIS"] {
            state.redisURL = redis
        } else {
            let server = try PrivateRedis(folder: folder.appending(path: "redis"), isPersistent: false)
            state.redis = server
            try server.startBlocking()
            state.redisURL = server.url()
        }
    }

    private func stop() {
        // Never waits: a test that hangs may hold the lock.
        _ = state.withLockIfAvailable { state in
            state.postgres?.stopBlocking()
            state.redis?.stopBlocking()
        }
        try? FileManager.default.removeItem(at: StaleServers.folder(of: getpid()))
    }
}
