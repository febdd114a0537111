import Core
import Storage

extension Rollup {
    /// What an erasure would remove; changes nothing.
    package func findVisitor(
        _ visitor: String, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> Erasure.Result {
        let visitor = ExactText(visitor)
        return try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(.zero) {
                try CompactionPause.hold(on: connection) {
                    var result = Erasure.Result()
                    var days: Set<Day> = []
                    result.unsearched = try Erasure.search(for: visitor, on: connection, progress: progress) { key in
                        let found = try EraseBatch.preview(key, visitor: visitor, calendar: calendar, on: connection)
                        result.batches += 1
                        result.beacons += found.beacons
                        days.formUnion(found.days)
                    }
                    result.bookings = try EraseBookings.count(of: visitor, on: connection)
                    result.rawGoneThrough = try Self.rawGoneThrough(on: connection)
                    let plan = Erasure.plan(days.sorted(), droppedThrough: result.rawGoneThrough)
                    let unreachable = Set(days.filter { day in plan.unreachable.contains { $0.contains(day) } })
                    result.days = days.subtracting(unreachable).sorted()
                    result.unreachableDays = unreachable.sorted()
                    return result
                }
            }
        }
    }

    /// Erases a visitor, and finishes what interrupted erasures still owe.
    ///
    /// - Parameters:
    ///   - visitor: a `visitorId`, or a `sessionId` of beacons without one.
    ///   - person: who asked for it, for the audit row.
    package func erase(
        visitor: String, by person: String, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> Erasure.Result {
        let visitor = ExactText(visitor)
        let oldestCounters = calendar.day(of: clock()) - CounterKey.daysKept
        let erasure = try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(.zero) {
                try CompactionPause.hold(on: connection) {
                    try Erasure.refuseHalfDropped(on: connection)
                    let erasure = try ErasureLedger.begin(visitor, by: person, on: connection)
                    try EraseBookings.run(visitor, erasure: erasure, on: connection)
                    let unsearched = try Erasure.search(for: visitor, on: connection, progress: progress) { key in
                        _ = try EraseBatch.run(
                            key, visitor: visitor, erasure: erasure, oldestCounters: oldestCounters,
                            calendar: calendar, on: connection)
                    }
                    // One that was detached meanwhile was passed over.
                    try Erasure.refuseHalfDropped(on: connection)
                    try ErasureLedger.didSearch(erasure, unsearched: unsearched, on: connection)
                    return erasure
                }
            }
        }
        try await settleErasures()
        return try await postgres.withConnection { try ErasureLedger.result(of: erasure, on: $0) }
    }

    private static func rawGoneThrough(on connection: PostgresConnection) throws -> Day? {
        try connection.query("SELECT max(day) FROM dropped_event_days WHERE dropped_at < 'infinity'")[0].get(0)
    }

    /// Counts the owed days again, derives what follows from them, and sets the counters right.
    ///
    /// - Throws: `Erasure.Incomplete` once all that can be counted is.
    private func settleErasures() async throws {
        var incomplete: Erasure.Incomplete?
        /// Counted one by one, since a batch of their stretch can't be read.
        var singly: Set<Day> = []
        while true {
            let skipped = Set(incomplete?.days ?? [])
            let (owed, dropped) = try await postgres.withConnection { connection in
                // Which a rebuild refuses, and which may not stay gone.
                try Erasure.refuseHalfDropped(on: connection)
                return (try ErasureLedger.owedDays(on: connection), try Self.rawGoneThrough(on: connection))
            }
            let plan = Erasure.plan(owed.filter { !skipped.contains($0) }, droppedThrough: dropped)
            for days in plan.unreachable {
                try await postgres.withConnection { try ErasureLedger.settle(days, isReachable: false, on: $0) }
            }
            guard var days = plan.reachable.first else { break }
            if singly.contains(days.lowerBound) { days = days.lowerBound...days.lowerBound }
            do {
                try await countAgain(days)
            } catch let error as RawBatches.Unreadable {
                if days.lowerBound < days.upperBound {
                    for offset in 0...(days.upperBound - days.lowerBound) { singly.insert(days.lowerBound + offset) }
                } else {
                    incomplete = Erasure.Incomplete(
                        days: (incomplete?.days ?? []) + [days.lowerBound], reason: "\(error)")
                }
            } catch is Rebuild.Refusal {
                // A day of receipt was dropped meanwhile: the next plan knows.
                continue
            }
        }
        _ = try await deriveAll()
        try await deriveAllDetails()
        let counters = try await postgres.withConnection { try ErasureLedger.owedCounters(on: $0) }
        try await heal(alsoZero: counters)
        try await postgres.withConnection { try ErasureLedger.finish(on: $0) }
        if let incomplete { throw incomplete }
    }

    /// Details hold the visitor, too: an erasure ends no sooner than those that others are deriving of what they had read
    /// before.
    private func deriveAllDetails() async throws {
        let days = try await postgres.withConnection { try DeriveDetails.due(olderThanMs: 0, on: $0) }
        for day in days {
            var isDone = false
            while !isDone {
                isDone = try await postgres.withConnection { [calendar] connection in
                    try connection.withStatementTimeout(.zero) {
                        do {
                            if try DeriveDetails.run(day, calendar: calendar, on: connection) { return true }
                        } catch is RawBatches.Unreadable {
                            // It could not be counted again either, and keeps its mark.
                            return true
                        }
                        // Until the other has ended.
                        try connection.transaction { connection in
                            _ = try connection.query("SELECT pg_advisory_xact_lock(\(DeriveDetails.lock))")
                        }
                        return false
                    }
                }
            }
        }
    }

    private func countAgain(_ days: ClosedRange<Day>) async throws {
        try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(.zero) {
                // In one transaction: another erasure may owe the same days for a batch that this has not seen.
                _ = try Rebuild.run(days, calendar: calendar, on: connection) {
                    try ErasureLedger.settle(days, isReachable: true, on: $0)
                }
            }
        }
    }
}
