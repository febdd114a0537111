import Core
import Storage

/// How far the rollups and the ledger of money reach.
enum FreshnessQueries {
    /// A drained node, at infinity, holds nothing back; one that has stopped without draining does, which is honest, and
    /// so does a batch that was set aside: its beacons are in no number.
    static let frontier: SQL = """
        SELECT (SELECT min(shipped_through) FROM spool_positions WHERE shipped_through <> 'infinity'),
               (SELECT min(received_at) FROM rollup_pending),
               (SELECT min(received_at) FROM damaged_batches)
        """

    /// Messages are in the ledger as soon as they are handled. Where none was ever read there is none to wait for.
    static let messages: SQL = "SELECT min(handled_through) FROM message_progress"

    /// One step more: how many batches wait.
    static let backlog: SQL = "SELECT count(*) FROM rollup_pending"

    /// Of money: revenue comes as messages.
    static func ofMessages(on connection: PostgresConnection, now: Int64) throws -> Freshness {
        let handled = try connection.query(messages)[0].get(0, as: PostgresTimestamp?.self)?.ms
        return Freshness(asOf: min(now, handled ?? now))
    }

    static func read(on connection: PostgresConnection, now: Int64, withBacklog: Bool = false) throws -> Freshness {
        let rows = try connection.query(frontier)
        let shipped = try rows[0].get(0, as: PostgresTimestamp?.self)?.ms
        let pending = try rows[0].get(1, as: PostgresTimestamp?.self)?.ms
        let damaged = try rows[0].get(2, as: PostgresTimestamp?.self)?.ms
        var freshness = Freshness(
            asOf: min(now, shipped ?? now, pending ?? now, damaged ?? now), oldestPending: pending)
        if withBacklog { freshness.pendingBatches = try connection.query(backlog)[0].get(0) }
        return freshness
    }

    /// Of beacons and money together, with the backlog.
    static func ofEverything(on connection: PostgresConnection, now: Int64) throws -> Freshness {
        var freshness = try read(on: connection, now: now, withBacklog: true)
        freshness.asOf = try min(freshness.asOf, ofMessages(on: connection, now: now).asOf)
        return freshness
    }
}
