import Core
import Storage

/// The ledgers of raw batches: each batch is in exactly one of them, pending, folded or damaged.
enum BatchLedgers {
    private static let joined: SQL = """
        FROM analytics_events a
        LEFT JOIN rollup_pending p USING (received_day, node, seq)
        LEFT JOIN rollup_folded f USING (received_day, node, seq)
        LEFT JOIN damaged_batches d USING (received_day, node, seq)
        """

    /// Lets those wait to be folded that are in no ledger, so that nothing would ever have counted them; returns how
    /// many there were. Under the apply lock.
    static func putBackForgotten(on connection: PostgresConnection) throws -> Int {
        try connection.execute(
            """
            INSERT INTO rollup_pending (received_day, node, seq, beacons, received_at)
            SELECT received_day, node, seq, a.beacons, a.received_at \(sql: joined)
            WHERE num_nonnulls(p.beacons, f.fold_seq, d.beacons) = 0 ORDER BY 1, 2, 3
            """)
    }

    static func verify(into report: inout Verify.Report, on connection: PostgresConnection) throws {
        for row in try connection.query(
            """
            SELECT received_day, node, seq, p.beacons IS NOT NULL, f.fold_seq IS NOT NULL, d.beacons IS NOT NULL
            \(sql: joined) WHERE num_nonnulls(p.beacons, f.fold_seq, d.beacons) <> 1
            ORDER BY 1, 2, 3 LIMIT \(Verify.maxFindings)
            """)
        {
            let ledgers = try zip(3..., ["rollup_pending", "rollup_folded", "damaged_batches"])
                .filter { try row.get($0.0) }.map(\.1)
            report.add(
                "analytics_events", "\(try row.get(1, as: String.self)) \(try row.get(2, as: Int64.self))",
                "\(try row.get(0, as: Day.self))",
                ledgers.isEmpty
                    ? "neither folded nor waiting: a rebuild lets it wait" : "in " + ledgers.joined(separator: " and "))
        }
        for row in try connection.query(
            """
            SELECT received_day, node, seq FROM rollup_pending p WHERE NOT EXISTS (
                SELECT 1 FROM analytics_events a
                WHERE (a.received_day, a.node, a.seq) = (p.received_day, p.node, p.seq))
            ORDER BY 1, 2, 3 LIMIT \(Verify.maxFindings)
            """)
        {
            report.add(
                "rollup_pending", "\(try row.get(1, as: String.self)) \(try row.get(2, as: Int64.self))",
                "\(try row.get(0, as: Day.self))", "its raw batch is gone")
        }
    }
}
