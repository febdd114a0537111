import Core
import Storage

/// Folds blocks with all that a rollup does to them except Postgres: decode, repeats, cells and sessions.
///
/// For measuring: it keeps the ids and sessions of everything in memory.
package struct MemoryFold {
    /// The artists' hours, summed.
    package struct Result: Equatable, Sendable {
        package var beacons: Int64
        package var sessions: Int64
        package var sessionMs: Int64
        package var artistHours: Int64

        package init(beacons: Int64, sessions: Int64, sessionMs: Int64, artistHours: Int64) {
            self.beacons = beacons
            self.sessions = sessions
            self.sessionMs = sessionMs
            self.artistHours = artistHours
        }
    }

    private var claimed: [BeaconBatch] = []
    private var claimedBeacons = 0
    private var fold = Fold()
    private var seen: [Int32: [UInt64]] = [:]
    private var stamped: [UInt64: Int64] = [:]

    package init() {}

    package mutating func add(_ block: [UInt8]) throws {
        let batch = try BatchBlock.decode(block, columns: Fold.columns)
        claimed.append(batch)
        claimedBeacons += batch.count
        if claimedBeacons >= Claim.maxBeacons { foldClaimed() }
    }

    private mutating func foldClaimed() {
        var messages = RepeatedMessages()
        for (number, batch) in claimed.enumerated() { messages.add(batch, number: number) }
        let decision = messages.decide(seen: { seen[$0] ?? [] }, stampedBefore: stamped)
        for (minute, new) in decision.newIds {
            var ids = seen[minute] ?? []
            MessageIds.union(&ids, new)
            seen[minute] = ids
        }
        stamped.merge(decision.stamped) { $1 }
        for (number, batch) in claimed.enumerated() {
            let isRepeat = RowSet(decision.repeats[number] ?? [], of: batch.count)
            fold.add(batch) { !isRepeat.contains($0) }
        }
        claimed = []
        claimedBeacons = 0
    }

    package mutating func finish() -> Result {
        foldClaimed()
        _ = SessionLedger.join(fold.takeSessions(), with: [:], in: &fold)
        var result = Result(beacons: 0, sessions: 0, sessionMs: 0, artistHours: 0)
        for (key, index) in fold.cells where fold.entities[key.entity].family == .artist {
            let cell = fold.values[index]
            result.beacons += cell.beacons
            result.sessions += cell.sessions
            result.sessionMs += cell.sessionMs
            result.artistHours += 1
        }
        return result
    }
}
