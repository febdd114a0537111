import Synchronization

/// Statements of several callers, committed together: a commit waits for the disk, and wakes whoever waits for it, once for
/// all of them.
///
/// Whoever comes while a group is being committed is of the next one, so there are groups only under load. Nobody is
/// answered before his commit. What one statement meets, another doesn't: where any of a group fails, or has to wait for
/// somebody's lock, nothing of the group has happened, and each is done by itself.
///
/// It is for single statements on rows that are each caller's own.
package final class CommitGroups: Sendable {
    /// Callers of one group.
    package static let maxGroup = 16
    /// Groups under way. Another than the first begins where those before it take longer than `patience`, or where a `crowd`
    /// waits behind each of them: then one at a time would leave processors idle.
    static let maxLanes = 4
    package static let patience = Duration.milliseconds(25)
    package static let crowd = 4
    /// Nobody waits for another's lock for longer than this.
    package static let maxLockWait = Duration.milliseconds(100)

    private struct Work: Sendable {
        /// What is locked: groups lock in one order, so that they don't wait for each other in a circle.
        let key: String
        /// Does it, and returns how to answer once that is for good.
        let attempt: @Sendable (PostgresConnection) throws -> @Sendable () -> Void
        let alone: @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct State {
        var waiting = WaitingLine<Work>()
        /// When each group that is under way has begun.
        var lanes: [Int: ContinuousClock.Instant] = [:]
        var laneCount = 0
    }

    private let pool: PostgresPool
    private let maxWaiting: Int
    private let patience: Duration
    private let crowd: Int
    private let state = Mutex(State())

    /// - Parameter maxWaiting: work beyond it is refused as overloaded.
    package init(
        _ pool: PostgresPool, maxWaiting: Int = PostgresPool.defaultMaxWaiting,
        patience: Duration = CommitGroups.patience, crowd: Int = CommitGroups.crowd
    ) {
        self.pool = pool
        self.maxWaiting = maxWaiting
        self.patience = patience
        self.crowd = crowd
    }

    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `body` in a transaction, or by itself. It is not interrupted where the task is cancelled.
    ///
    /// - Parameters:
    ///   - key: of the rows that it locks.
    ///   - body: of statements alone: where the group fails it is called a second time, and opens no transaction.
    package func run<R: Sendable>(
        _ key: String, _ body: @escaping @Sendable (PostgresConnection) throws -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit(
                Work(
                    key: key,
                    attempt: { connection in
                        let result = try body(connection)
                        return { continuation.resume(returning: result) }
                    },
                    alone: { [pool] in
                        Task {
                            do {
                                continuation.resume(returning: try await pool.withConnection(body))
                            } catch {
                                continuation.resume(throwing: error)
                            }
                        }
                    },
                    refuse: { continuation.resume(throwing: $0) }))
        }
    }

    private func submit(_ work: Work) {
        enum Next { case wait, begin(Int), refuse }
        let now = ContinuousClock.now
        let next: Next = state.withLock { state in
            guard state.waiting.count < maxWaiting else { return .refuse }
            state.waiting.append(work)
            if state.lanes.values.contains(where: { now - $0 < patience }) {
                guard state.waiting.count / state.lanes.count >= crowd else { return .wait }
            }
            guard state.lanes.count < Self.maxLanes else { return .wait }
            state.laneCount += 1
            state.lanes[state.laneCount] = now
            return .begin(state.laneCount)
        }
        switch next {
        case .wait: break
        case .refuse: work.refuse(PostgresConnection.error(for: .overloaded(maxWaiting: maxWaiting)))
        case .begin(let lane): Task { await serve(lane) }
        }
    }

    /// Commits what waits, group by group.
    private func serve(_ lane: Int) async {
        do {
            // Again where a group has cost the connection.
            while state.withLock({ $0.lanes[lane] != nil }) {
                try await pool.withConnection { [self] connection in
                    while connection.isIdle, let group = next(lane) { commit(group, on: connection) }
                }
            }
        } catch {
            // It got no connection: neither would they, unless another has one.
            let refused = state.withLock { state in
                state.lanes[lane] = nil
                return state.lanes.isEmpty ? state.waiting.removeAll() : []
            }
            for work in refused { work.refuse(error) }
        }
    }

    private func next(_ lane: Int) -> [Work]? {
        let now = ContinuousClock.now
        return state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.lanes[lane] = nil
                return nil
            }
            state.lanes[lane] = now
            var group: [Work] = []
            while group.count < Self.maxGroup, let work = state.waiting.next() { group.append(work) }
            return group
        }
    }

    private func commit(_ group: [Work], on connection: PostgresConnection) {
        if group.count == 1 {
            do {
                try group[0].attempt(connection)()
            } catch {
                group[0].refuse(error)
            }
            return
        }
        let answers: [@Sendable () -> Void]
        do {
            answers = try connection.transaction(maxLockWait: Self.maxLockWait) { connection in
                try group.sorted { $0.key < $1.key }.map { try $0.attempt(connection) }
            }
        } catch let error as PostgresError where error.kind == .unavailable {
            // It may have been committed: nothing is repeated.
            for work in group { work.refuse(error) }
            return
        } catch {
            for work in group { work.alone() }
            return
        }
        for answer in answers { answer() }
    }
}
