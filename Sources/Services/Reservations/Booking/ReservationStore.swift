import Core
import Foundation
import HTTPTypes
import Platform
import Storage

/// Carries out what happens to reservations, each in a transaction of its own.
///
/// Locks in one order everywhere: the buyer's (holding only), reservations by id, claims by seat. Claims change only
/// under their reservation's lock, or by whoever has just ended it.
struct ReservationStore: Sendable {
    static let confirmingMs: Int64 = 15 * 60_000
    /// A deadlock can't be ruled out: whoever takes over holds that are over locks claims of others' while it has some of
    /// its own, and an operator's statements lock as they like. It is tried again.
    static let maxAttempts = 3

    let postgres: PostgresPool
    /// For what a buyer does on his own reservation alone.
    let commits: CommitGroups
    /// Milliseconds since 1970.
    let clock: @Sendable () -> Int64
    let holdMs: Int64
    /// That a buyer has and has not paid, over all events.
    let maxLiveReservations: Int
    /// That a buyer gets within an hour, whatever became of them.
    let maxHoldsPerHour: Int

    static func newId() -> String { UUID().uuidString.lowercased() }

    /// A transaction, once more where it lost against another.
    func transaction<R: Sendable>(
        _ body: @escaping @Sendable (PostgresConnection) throws -> R
    ) async throws -> R {
        try await retrying { connection in try connection.transaction { try body($0) } }
    }

    func retrying<R: Sendable>(_ body: @escaping @Sendable (PostgresConnection) throws -> R) async throws -> R {
        try await retrying { try await postgres.withConnection(body) }
    }

    /// One statement on a reservation of its own, committed together with others'.
    func grouped<R: Sendable>(
        _ id: String, _ body: @escaping @Sendable (PostgresConnection) throws -> R
    ) async throws -> R {
        try await retrying { try await commits.run(id, body) }
    }

    private func retrying<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        var attempt = 1
        while true {
            do {
                return try await body()
            } catch let error as PostgresError
                where ["40P01", "40001"].contains(error.sqlState) && attempt < Self.maxAttempts
            {
                attempt += 1
            }
        }
    }

    static let notFound = Problem(.notFound, "not_found", detail: "there is no such reservation")
    /// Our own word on it, for Payments: a path that nobody serves is answered `not_found`, too.
    static let unknownReservation = Problem(
        .notFound, "reservation_not_found", detail: "there is no such reservation")
}
