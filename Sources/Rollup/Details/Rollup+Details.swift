import Core
import Logging
import Platform
import Storage

extension Rollup {
    /// How long `follow` lets a day wait for its details after the first fold that touched it: each time takes a look at
    /// all of its beacons.
    static let detailsWaitMs: Int64 = 600_000
    /// How often it looks whether some day has waited for so long.
    static let detailsEveryMs: Int64 = 60_000

    /// Derives the details of the days that have waited for so long.
    ///
    /// A day that fails, as one with a batch that can't be read, keeps its mark, and what it had; the others go on.
    ///
    /// - Throws: what concerns all of them.
    func deriveDetails(olderThanMs age: Int64 = 0) async throws {
        let days = try await postgres.withConnection { try DeriveDetails.due(olderThanMs: age, on: $0) }
        for day in days {
            do {
                let isMine = try await postgres.withConnection { [calendar] connection in
                    try connection.withStatementTimeout(.zero) {
                        try DeriveDetails.run(day, calendar: calendar, on: connection)
                    }
                }
                if !isMine { return }
            } catch {
                if Self.concernsAllDays(error) { throw error }
                metrics.failures.increment()
                logger.error(
                    "a day's breakdown can't be derived", metadata: ["day": "\(day)", "reason": "\(error)"])
            }
        }
    }

    private static func concernsAllDays(_ error: any Error) -> Bool {
        switch (error as? PostgresError)?.kind {
        case .overloaded, .unavailable, .canceled: true
        case .server, .decoding: false
        case nil: error is CancellationError
        }
    }

    /// Runs until the task is cancelled, beside folding, which must not wait for it.
    func followDetails() async {
        while !Task.isCancelled {
            do {
                try await deriveDetails(olderThanMs: Self.detailsWaitMs)
            } catch {
                if Task.isCancelled { return }
                metrics.failures.increment()
                logger.warning("deriving breakdowns failed; trying again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .milliseconds(Self.detailsEveryMs))
        }
    }
}
