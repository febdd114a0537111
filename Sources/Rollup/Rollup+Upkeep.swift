import Core
import Platform
import Storage

/// What `follow` still has to do of its hourly upkeep.
struct Upkeep {
    /// How often coming partitions are made and quiet nights compacted.
    static let everyMs: Int64 = 3_600_000
    /// Days of receipt looked at each time, of those that may be compacted: `rollup partitions` looks at all of them.
    static let maxDaysBack = 14

    var lastStarted: Int64 = 0
    /// Those to compact, the first of them in part.
    var days: [Day] = []
    var position: Compaction.Position?
}

extension Rollup {
    var today: Day { Day(daysSince1970: Int(floorDiv(clock(), 86_400_000))) }

    /// A little of the upkeep at a time, at most one merged row: folding doesn't wait for more.
    ///
    /// - Returns: false where nothing is to be done now.
    @discardableResult
    func keepUp(_ upkeep: inout Upkeep) async throws -> Bool {
        let now = clock()
        if let day = upkeep.days.first {
            let position = upkeep.position
            // Where it fails the day is left until the next hour: folding must not wait for it again and again.
            upkeep.days.removeFirst()
            upkeep.position = nil
            let (next, result) = try await postgres.withConnection { connection in
                try connection.withStatementTimeout(Self.maxStatementTime) {
                    var result = Compaction.Result()
                    let next = try Compaction.step(day, after: position, into: &result, on: connection)
                    return (next, result)
                }
            }
            metrics.compacted.increment(by: result.batches)
            if let next {
                upkeep.days.insert(day, at: 0)
                upkeep.position = next
            }
            return true
        }
        guard now - upkeep.lastStarted >= Upkeep.everyMs else { return false }
        // Also where it fails: it is tried again in an hour, and folding goes on.
        upkeep.lastStarted = now
        upkeep.position = nil
        let today = today
        upkeep.days = try await postgres.withConnection { connection in
            _ = try Partitions.make(today: today, on: connection)
            try Compaction.forgetParts(on: connection)
            return try Compaction.days(
                from: today - Compaction.minAgeDays - Upkeep.maxDaysBack, today: today, on: connection)
        }
        return true
    }

    /// Compacts every day that is old enough.
    package func compact() async throws -> Compaction.Result {
        let today = today
        let days = try await postgres.withConnection { connection in
            try Compaction.forgetParts(on: connection)
            return try Compaction.days(today: today, on: connection)
        }
        var result = Compaction.Result()
        for day in days {
            let compacted = try await postgres.withConnection { connection in
                try connection.withStatementTimeout(Self.maxStatementTime) {
                    try Compaction.run(day, on: connection)
                }
            }
            result.batches += compacted.batches
            result.merged += compacted.merged
        }
        metrics.compacted.increment(by: result.batches)
        return result
    }

    /// Drops hours of months long past; days and months stay.
    package func pruneHours(keepMonths: Int) async throws -> HourlyRetention.Result {
        let today = calendar.day(of: clock())
        return try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(Self.maxStatementTime) {
                try HourlyRetention.run(today: today, keepMonths: keepMonths, calendar: calendar, on: connection)
            }
        }
    }

    /// Forgets sessions that nothing can continue; returns how many intervals there were.
    package func forgetSessions() async throws -> Int {
        let now = clock()
        return try await postgres.withConnection { [calendar] connection in
            try connection.withStatementTimeout(Self.maxStatementTime) {
                try SessionRetention.run(now: now, calendar: calendar, on: connection)
            }
        }
    }
}
