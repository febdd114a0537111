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
    /// waits behind each of them: then one at a time would leave processors idle. Where all of them take longer, what waits
    /// is done by itself.
    package static let maxLanes = 4
    package static let patience = Duration.milliseconds(25)
    package static let crowd = 4
    /// No statement of a group waits for a lock for longer than this.
    package static let maxLockWait = Duration.milliseconds(100)

    private struct Work: Sendable {
        /// What is locked first: groups do so in one order, and seldom wait for each other in a circle.
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
        /// Whether what waits is looked at again after `patience`.
        var isTimed = false
    }

    private enum Next { case wait, begin(Int), alone }

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
        let next = state.withLock { state -> Next? in
            guard state.waiting.count < maxWaiting else { return nil }
            state.waiting.append(work)
            return self.next(&state)
        }
        guard let next else { return work.refuse(PostgresConnection.error(for: .overloaded(maxWaiting: maxWaiting))) }
        go(next)
    }

    /// What is to be done for those who wait.
    private func next(_ state: inout State) -> Next {
        let now = ContinuousClock.now
        if state.lanes.values.contains(where: { now - $0 < patience }) {
            guard state.waiting.count / state.lanes.count >= crowd, state.lanes.count < Self.maxLanes else {
                return .wait
            }
        }
        guard state.lanes.count < Self.maxLanes else { return .alone }
        state.laneCount += 1
        state.lanes[state.laneCount] = now
        return .begin(state.laneCount)
    }

    private func go(_ next: Next) {
        switch next {
        case .wait:
            let isTimed = state.withLock { state in
                defer { state.isTimed = true }
                return state.isTimed
            }
            if !isTimed { Task { await lookAgain() } }
        case .begin(let lane): Task { await serve(lane) }
        case .alone:
            for work in state.withLock({ $0.waiting.removeAll() }) { work.alone() }
        }
    }

    /// Those before may be stuck, and nobody else come.
    private func lookAgain() async {
        try? await Task.sleep(for: patience)
        let next = state.withLock { state -> Next? in
            state.isTimed = false
            return state.waiting.isEmpty ? nil : self.next(&state)
        }
        if let next { go(next) }
    }

    /// Commits what waits, group by group.
    private func serve(_ lane: Int) async {
        do {
            // Again where a group has cost the connection.
            while state.withLock({ $0.lanes[lane] != nil }) {
                try await pool.withConnection { [self] connection in
                    while connection.isHealthy, let group = next(lane) { commit(group, on: connection) }
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
        var isComplete = false
        do {
            answers = try connection.transaction(maxLockWait: Self.maxLockWait) { connection in
                let answers = try group.sorted { $0.key < $1.key }.map { try $0.attempt(connection) }
                isComplete = true
                return answers
            }
        } catch {
            // What was lost while it was committed may be for good: nothing of it is repeated.
            let isInDoubt = isComplete && !connection.isIdle
            for work in group { isInDoubt ? work.refuse(error) : work.alone() }
            return
        }
        for answer in answers { answer() }
    }
}
