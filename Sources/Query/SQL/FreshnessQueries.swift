import Core
import Storage

/// How far the rollups reach.
enum FreshnessQueries {
    /// A drained node, at infinity, holds nothing back; one that has stopped without draining does, which is honest.
    static let frontier: SQL = """
        SELECT (SELECT min(shipped_through) FROM spool_positions WHERE shipped_through <> 'infinity'),
               (SELECT min(received_at) FROM rollup_pending)
        """

    /// One step more: how many batches wait.
    static let backlog: SQL = "SELECT count(*) FROM rollup_pending"

    static func read(on connection: PostgresConnection, now: Int64, withBacklog: Bool = false) throws -> Freshness {
        let rows = try connection.query(frontier)
        let shipped = try rows[0].get(0, as: PostgresTimestamp?.self)?.ms
        let pending = try rows[0].get(1, as: PostgresTimestamp?.self)?.ms
        var freshness = Freshness(asOf: min(now, shipped ?? now, pending ?? now), oldestPending: pending)
        if withBacklog { freshness.pendingBatches = try connection.query(backlog)[0].get(0) }
        return freshness
    }
}
