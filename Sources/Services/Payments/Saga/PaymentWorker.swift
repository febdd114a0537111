import Core
import Foundation
import Logging
import Platform
import Storage

/// Takes payments from step to step: each is leased, asked about, and stored with what it yields. Every step may be done
/// again, by this process or another, from what is stored.
struct PaymentWorker: Sendable {
    /// Leased at a time.
    static let maxBatch = 16
    /// Steps of one payment in a row.
    static let maxSteps = 8
    /// The other side must be really gone: from the wish to confirm to the tickets three calls to Toss take up to 35 s each,
    /// and two to Reservations 5 s. A second worker would do no harm, since what it is refused counts only once Toss has
    /// said that nothing was taken.
    static let defaultLeaseMs: Int64 = 120_000

    let postgres: PostgresPool
    let commits: CommitGroups
    let toss: TossClient
    let reservations: ReservationClient
    let leaseMs: Int64
    let clock: @Sendable () -> Int64
    let handMade: HandMadeCancels
    let metrics: PaymentMetrics
    let logger: Logger

    /// Does what is due.
    ///
    /// - Returns: how many payments that were.
    @discardableResult
    func runDue() async throws -> Int {
        let lease = Self.newLease()
        let now = clock()
        let due = try await postgres.withConnection { [leaseMs] in
            try PaymentStore.takeDue(limit: Self.maxBatch, lease: lease, now: now, leaseUntil: now + leaseMs, on: $0)
        }
        await withTaskGroup { group in
            for row in due { group.addTask { await drive(row, lease: lease, isFresh: false) } }
        }
        return due.count
    }

    static func newLease() -> String { "\(UInt64.random(in: 0 ... .max))" }

    /// Takes one payment as far as it goes now. Its lease has just been taken; each step that is stored renews it, and
    /// the last one gives it back.
    ///
    /// - Parameter isFresh: whether it is certain that nobody was asked anything for it before: only whoever has just stored
    ///   the wish to confirm knows that.
    /// - Returns: the payment as it was stored last.
    @discardableResult
    func drive(_ row: PaymentRow, lease: String, isFresh: Bool) async -> PaymentRow {
        var row = row
        var isFresh = isFresh
        do {
            for _ in 0..<Self.maxSteps {
                guard let next = try await step(row, lease: lease, isFresh: isFresh) else { break }
                isFresh = false
                row = next
                if !PaymentSaga.isWorking(row.state), !row.isRecheck { return row }
            }
            try await settle(row.paymentId, lease: lease)
        } catch {
            // The lease ends by itself, and the step is done again.
            logger.warning(
                "a step of a payment failed", metadata: ["payment": "\(row.paymentId)", "error": "\(error)"])
        }
        return row
    }

    /// Gives the lease back, with when to go on.
    private func settle(_ id: String, lease: String) async throws {
        let now = clock()
        let stuck = try await postgres.withConnection { connection in
            try connection.transaction { connection -> String? in
                guard let row = try PaymentStore.lock(id, on: connection) else { return nil }
                var until: Int64?
                var stuck = row.stuckReason
                if PaymentSaga.isWorking(row.state) {
                    if now >= row.deadlineAt { stuck = stuck ?? row.state.rawValue }
                    until = now + (stuck == nil ? PaymentTimes.backoff(row.attempt) : PaymentTimes.stuckBackoff)
                } else if row.state == .ready {
                    until = max(now + PaymentTimes.backoff.upperBound, row.createdAt + PaymentTimes.abandoned)
                }
                try PaymentStore.postpone(row, lease: lease, until: until, stuck: stuck, now: now, on: connection)
                return row.stuckReason == nil ? stuck : nil
            }
        }
        if let stuck {
            logger.critical(
                "a payment is stuck: it is tried on, and somebody must look",
                metadata: ["payment": "\(id)", "reason": "\(stuck)"])
        }
    }

    func store(
        _ event: PaymentSaga.Event, _ row: PaymentRow, lease: String, facts: PaymentStore.Facts = .init()
    ) async throws -> PaymentRow? {
        let now = clock()
        let leaseUntil = now + leaseMs
        var stored = try await commits.run(row.paymentId) { connection in
            try PaymentStore.advance(
                row, event, lease: lease, leaseUntil: leaseUntil, facts: facts, now: now, on: connection)
        }
        if stored == nil {
            // It isn't as it was read, or there is more to store than the row.
            stored = try await postgres.withConnection { connection in
                try connection.transaction { connection in
                    let stored = try PaymentStore.apply(
                        event, to: row.paymentId, lease: lease, facts: facts, now: now, on: connection)
                    if let stored { try PaymentStore.renew(stored, lease: lease, until: leaseUntil, on: connection) }
                    return stored
                }
            }
        }
        guard let stored else { return nil }
        PaymentCrashPoint.afterCommit(of: event)?.reached()
        switch event {
        case .approved, .approvedAndSold, .approvedAndCanceled: metrics.approved.increment()
        case .refused, .guardRefused: metrics.refused.increment()
        default: break
        }
        logger.info(
            "payment", metadata: ["payment": "\(row.paymentId)", "state": "\(stored.state.rawValue)"])
        return stored
    }
}
