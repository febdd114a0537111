import Dispatch
import Storage
import TestSupport

/// Runs `body` while another connection has executed `statements` in a transaction that is still open; then commits it.
func holding<R>(_ statements: [SQL], on pool: PostgresPool, _ body: () async throws -> R) async throws -> R {
    let (held, isHeld) = AsyncStream.makeStream(of: Void.self)
    let release = DispatchSemaphore(value: 0)
    let holder = Task {
        defer { isHeld.finish() }
        try await pool.withConnection { connection in
            try connection.transaction { connection in
                for statement in statements { _ = try connection.query(statement) }
                isHeld.yield()
                // On the connection's own thread.
                release.wait()
            }
        }
    }
    for await _ in held { break }
    do {
        let result = try await body()
        release.signal()
        try await holder.value
        return result
    } catch {
        release.signal()
        try? await holder.value
        throw error
    }
}

extension PostgresPool {
    /// Returns once this many of the database's connections wait for a lock.
    func untilWaiting(_ count: Int64 = 1) async throws {
        try await eventually {
            guard try await self.count(Self.waiting) == count else { throw NotWaitingYet() }
        }
    }

    /// Ends the connection that waits for a lock, as when its process dies.
    func terminateWhoWaits() async throws {
        try await untilWaiting()
        try await withConnection { connection in
            _ = try connection.query(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'
                """)
        }
    }

    private static var waiting: SQL {
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    }
}

private struct NotWaitingYet: Error {}
