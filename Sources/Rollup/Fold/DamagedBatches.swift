import Core
import Storage

/// Batches set aside because they can't be folded.
enum DamagedBatches {
    /// A batch and why it can't be folded.
    struct Finding: Sendable, Equatable {
        var key: BatchKey
        var reason: String
    }

    /// Takes batches out of the pending ledger; returns those that were still there.
    @discardableResult
    static func setAside(_ findings: [Finding], on connection: PostgresConnection) throws -> [BatchKey] {
        guard !findings.isEmpty else { return [] }
        return try connection.query(
            """
            WITH gone AS (
                DELETE FROM rollup_pending p
                USING unnest(\(findings.map(\.key.day)), \(findings.map(\.key.node)), \(findings.map(\.key.seq)),
                    \(findings.map(\.reason))) AS k (received_day, node, seq, reason)
                WHERE (p.received_day, p.node, p.seq) = (k.received_day, k.node, k.seq)
                RETURNING p.received_day, p.node, p.seq, p.beacons, p.received_at, k.reason
            )
            INSERT INTO damaged_batches (received_day, node, seq, beacons, received_at, reason) TABLE gone
            ON CONFLICT (received_day, node, seq) DO UPDATE SET reason = EXCLUDED.reason, found_at = now()
            RETURNING received_day, node, seq
            """
        ).map { BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)) }
    }

    static func all(on connection: PostgresConnection) throws -> [Finding] {
        try connection.query(
            "SELECT received_day, node, seq, reason FROM damaged_batches ORDER BY received_day, node, seq"
        ).map {
            Finding(key: BatchKey(day: try $0.get(0), node: try $0.get(1), seq: try $0.get(2)), reason: try $0.get(3))
        }
    }

    /// Puts those back into the pending ledger that can be read again; returns how many there were.
    static func retry(on connection: PostgresConnection) throws -> Int {
        var retried = 0
        for finding in try all(on: connection) {
            do {
                _ = try RawBatches.load(finding.key, columns: Claim.columns, on: connection)
            } catch is RawBatches.Unreadable {
                continue
            }
            retried += try connection.execute(
                """
                WITH gone AS (
                    DELETE FROM damaged_batches WHERE received_day = \(finding.key.day)
                        AND node = \(finding.key.node) AND seq = \(finding.key.seq)
                    RETURNING received_day, node, seq, beacons, received_at
                )
                INSERT INTO rollup_pending (received_day, node, seq, beacons, received_at) TABLE gone
                """)
        }
        return retried
    }
}
