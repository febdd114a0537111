import Core
import Storage

/// Folds blocks with all that a rollup does to them except Postgres: decode, repeats, cells and sessions.
///
/// For measuring: it keeps the ids and sessions of everything in memory, in runs as the ledgers do.
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

    /// What a rollup does, or only the part of it that others do.
    package enum Work: Sendable {
        /// Hours of artists, events and the site, each message once.
        case everything
        /// Hours of artists, of every beacon: page views, sketches and sessions.
        case artists
    }

    private let work: Work
    private var claimed: [BeaconBatch] = []
    private var claimedBeacons = 0
    private var fold: Fold
    private var seen: [Int32: [[UInt64]]] = [:]
    private var stamped: [UInt64: Int64] = [:]
    private var slots: [Int32: [[SessionPiece]]] = [:]

    package init(_ work: Work) {
        self.work = work
        fold = Fold(work == .artists ? [.artist] : TrafficFamily.allCases)
    }

    package mutating func add(_ block: [UInt8]) throws {
        let columns = work == .artists ? Fold.columns.subtracting(.eventId) : Claim.columns
        let batch = try BatchBlock.decode(block, columns: columns)
        claimed.append(batch)
        claimedBeacons += batch.count
        if claimedBeacons >= Claim.maxBeacons { foldClaimed() }
    }

    private mutating func foldClaimed() {
        let repeats = work == .everything ? decideRepeats() : [:]
        for (number, batch) in claimed.enumerated() {
            fold.add(batch, except: RowSet(repeats[number] ?? [], of: batch.count))
        }
        joinSessions()
        claimed = []
        claimedBeacons = 0
    }

    private mutating func decideRepeats() -> [Int: [Int32]] {
        var messages = RepeatedMessages()
        for (number, batch) in claimed.enumerated() { messages.add(batch, number: number) }
        for minute in messages.minutes {
            var ids = messages.takeMinute(minute)
            for run in seen[minute] ?? [] { ids.see(run) }
            let new = messages.decide(ids)
            if !new.isEmpty { seen[minute, default: []].append(new) }
        }
        messages.decideStamped(before: stamped)
        stamped.merge(messages.decision.stamped) { $1 }
        return messages.decision.repeats
    }

    private mutating func joinSessions() {
        var join = SessionJoin(fold.takeSessions())
        while !join.wanted.isEmpty {
            for slot in join.wanted.keys {
                for run in slots[slot] ?? [] { join.add(run, slot: slot) }
            }
            join.settle(in: &fold)
        }
        for (slot, pieces) in join.written {
            slots[slot, default: []].append(pieces.sorted { $0.session < $1.session })
        }
    }

    package mutating func finish() -> Result {
        foldClaimed()
        var result = Result(beacons: 0, sessions: 0, sessionMs: 0, artistHours: 0)
        for (_, _, cell) in fold.sortedCells(of: .artist) {
            result.beacons += cell.beacons
            result.sessions += cell.sessions
            result.sessionMs += cell.sessionMs
            result.artistHours += 1
        }
        return result
    }
}
