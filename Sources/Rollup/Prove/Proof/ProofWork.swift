import Core
import Dispatch
import Storage
import Synchronization

/// The days to prove, shared by connections that work side by side in one snapshot.
final class ProofWork: Sendable {
    private struct State {
        var ground: DayProof.Ground?
        var snapshot = ""
        var left: ArraySlice<Day> = []
        var outcomes: [Day: DayProof.Outcome] = [:]
        var stampedCount = 0
        var failure: (any Error)?
        /// Nothing is left to do, or nobody wants it any more.
        var isClosed = false
        /// Those that may still be at work on a day.
        var joined = 0

        mutating func keep(_ outcome: DayProof.Outcome, of day: Day, maxStamped: Int) {
            outcomes[day] = outcome
            stampedCount += outcome.stampedCount
            guard stampedCount > maxStamped else { return }
            for day in outcomes.keys { outcomes[day]!.stamped = [] }
        }
    }

    private let maxStamped: Int
    private let state = Mutex(State())
    private let began = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let helpers: Int

    /// - Parameters:
    ///   - helpers: how many connections call `help`.
    ///   - maxStamped: where all days have more stamped ids than this, they are counted and not kept.
    init(helpers: Int, maxStamped: Int = StampedProof.maxStamped) {
        self.helpers = helpers
        self.maxStamped = maxStamped
    }

    /// Proves the days, together with whoever helps by then. In a transaction that reads repeatably.
    func prove(
        _ days: [Day], _ ground: DayProof.Ground, on connection: PostgresConnection
    ) throws -> [Day: DayProof.Outcome] {
        let snapshot =
            helpers > 0 && days.count > 1
            ? try connection.query("SELECT pg_export_snapshot()")[0].get(0, as: String.self) : ""
        state.withLock { state in
            state.ground = ground
            state.snapshot = snapshot
            state.left = days[...]
        }
        if !snapshot.isEmpty { for _ in 0..<helpers { began.signal() } }
        work(ground, on: connection)
        _ = try? connection.execute(Recount.maxIdleBesideOthers)
        // Nobody begins any more; who has begun is waited for: their snapshot is this transaction's.
        let joined = state.withLock { state in
            state.isClosed = true
            return state.joined
        }
        for _ in 0..<joined { ended.wait() }
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.outcomes
        }
    }

    /// Nobody waits any longer for days to prove.
    func close() {
        state.withLock { $0.isClosed = true }
        for _ in 0..<helpers { began.signal() }
    }

    /// Takes days as long as there are some, on a connection of its own.
    func help(on connection: PostgresConnection) throws {
        began.wait()
        let joined = state.withLock { state -> (DayProof.Ground, String)? in
            guard !state.isClosed, !state.left.isEmpty, let ground = state.ground else { return nil }
            state.joined += 1
            return (ground, state.snapshot)
        }
        guard let (ground, snapshot) = joined else { return }
        defer { ended.signal() }
        do {
            try connection.transaction(isolation: .repeatableRead) { connection in
                // Names come from Postgres: hex digits and dashes.
                try connection.execute("SET TRANSACTION SNAPSHOT '\(unescaped: snapshot)'")
                try connection.execute(Recount.maxIdle)
                try connection.execute(.planForValues)
                work(ground, on: connection)
            }
        } catch {
            state.withLock { $0.failure = $0.failure ?? error }
        }
    }

    private func work(_ ground: DayProof.Ground, on connection: PostgresConnection) {
        var records = VisitRecords()
        while let day = state.withLock({ $0.failure == nil && !$0.isClosed ? $0.left.popFirst() : nil }) {
            do {
                let outcome = try DayProof.run(day, ground, &records, on: connection)
                state.withLock { $0.keep(outcome, of: day, maxStamped: maxStamped) }
            } catch {
                state.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }
}
