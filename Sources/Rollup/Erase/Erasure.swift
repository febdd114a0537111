package import Core
import Storage

/// Removes a visitor from raw batches, and from all rollups that raw batches can still make anew.
///
/// Batch by batch, each with what it owes in one transaction; then the days that are owed are counted again, like a
/// rebuild. Interrupted anywhere and run again, it goes on. Reads one batch at a time.
package enum Erasure {
    package struct Result: Sendable, Equatable {
        /// Of the audit row; nil where nothing was changed.
        package var id: Int64?
        package var batches = 0
        package var beacons = 0
        /// Reservations and payments that say no more who it was.
        package var bookings = 0
        /// Reporting days counted again.
        package var days: [Day] = []
        /// Those that raw batches don't make any more: their sums and sketches hold the visitor for ever.
        package var unreachableDays: [Day] = []
        /// Raw batches received up to this day are gone.
        package var rawGoneThrough: Day?
        /// Batches that can't be read.
        package var unsearched = 0
        /// Erasures, of others, that were interrupted before they had searched everything.
        package var unfinished = 0
    }

    /// Everything that can be read was searched; these days could not be counted again yet.
    package struct Incomplete: Error, CustomStringConvertible {
        package var days: [Day]
        package var reason: String

        package var description: String {
            "\(DayList(days)) can't be counted again: \(reason). Restore its row from a backup and run this again"
        }
    }

    /// Beacons received on these days are in no query and may come back: nothing can be erased from them now.
    package struct HalfDropped: Error, CustomStringConvertible {
        package var days: [Day]

        package var description: String {
            "the raw batches received on \(DayList(days)) are being dropped, or their dropping was interrupted, "
                + "and may hold the visitor: 'tiketi rollup partitions' finishes it, then run this again"
        }
    }

    static func refuseHalfDropped(on connection: PostgresConnection) throws {
        let days = try Partitions.halfDropped(on: connection)
        if !days.isEmpty { throw HalfDropped(days: days) }
    }

    /// Days counted again in one transaction, for which folding waits.
    static let maxDaysAtOnce = 7
    /// Names of batches read at once.
    static let maxKeys = 1000

    /// Calls `body` with every raw batch that holds the visitor, in the order of receipt; returns how many could not be
    /// read.
    ///
    /// - Parameter progress: called with the number of batches looked at.
    static func search(
        for visitor: ExactText, on connection: PostgresConnection, progress: (Int) -> Void,
        _ body: (BatchKey) throws -> Void
    ) throws -> Int {
        var after = BatchKey(day: .first, node: "", seq: -1)
        var searched = 0
        var unreadable = 0
        while true {
            let keys = try connection.query(
                """
                SELECT received_day, node, seq FROM analytics_events
                WHERE received_day >= \(after.day) AND (received_day, node, seq) > (\(after.day), \(after.node), \(after.seq))
                ORDER BY received_day, node, seq LIMIT \(Int64(maxKeys))
                """
            ).map { BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)) }
            guard let last = keys.last else { return unreadable }
            for key in keys {
                do {
                    if try holds(visitor, key, on: connection) { try body(key) }
                } catch is RawBatches.Unreadable {
                    unreadable += 1
                }
            }
            searched += keys.count
            progress(searched)
            after = last
        }
    }

    private static func holds(
        _ visitor: ExactText, _ key: BatchKey, on connection: PostgresConnection
    ) throws -> Bool {
        // A day that was dropped meanwhile has no row.
        guard
            let row = try connection.query(
                """
                SELECT payload FROM analytics_events
                WHERE received_day = \(key.day) AND node = \(key.node) AND seq = \(key.seq)
                """
            ).first
        else { return false }
        let batch = try row.withBytes(0) {
            try RawBatches.decode($0, of: key, columns: [.visitorId, .sessionId])
        }
        return !VisitorRows(of: visitor, in: batch).rows.isEmpty
    }

    /// The days that raw batches can make anew, in stretches of at most `maxDaysAtOnce`, and those that they can't.
    static func plan(
        _ days: [Day], droppedThrough dropped: Day?
    ) -> (reachable: [ClosedRange<Day>], unreachable: [ClosedRange<Day>]) {
        // As a rebuild refuses: a beacon is received on its own day or later, which in UTC may be the day before.
        let first = dropped.map { $0 + 2 } ?? .first
        var reachable: [ClosedRange<Day>] = []
        for stretch in DayList(days.filter { $0 >= first }).stretches {
            var day = stretch.lowerBound
            while day <= stretch.upperBound {
                let last = min(day + (maxDaysAtOnce - 1), stretch.upperBound)
                reachable.append(day...last)
                day = last + 1
            }
        }
        return (reachable, DayList(days.filter { $0 < first }).stretches)
    }
}
