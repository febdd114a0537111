import Storage
import TestSupport
import Testing

/// What the pipeline says of itself.
enum CrashProofs {
    /// `verify` finds nothing.
    static func checkVerify(_ stage: CrashStage) async throws {
        let verify = try await stage.tiketi(["rollup", "verify"])
        #expect(verify.ending == .exited(0))
        #expect(verify.output == "" && verify.error == "", "\(verify.output)\(verify.error)")
    }

    /// `verify` finds nothing, and `rebuild` changes nothing.
    static func check(_ stage: CrashStage, _ pool: PostgresPool) async throws {
        try await checkVerify(stage)
        let before = try await Self.digests(pool)
        let rebuild = try await stage.tiketi(["rollup", "rebuild"])
        #expect(rebuild.ending == .exited(0), "\(rebuild.error)")
        #expect(rebuild.output.hasSuffix("; 0 hourly rows changed\n"), "\(rebuild.output)")
        #expect(try await Self.digests(pool) == before)
    }

    private static func digests(_ pool: PostgresPool) async throws -> [String: String] {
        try await pool.withConnection { connection in
            var digests: [String: String] = [:]
            for family in ["artist_traffic", "event_traffic", "site_traffic", "revenue"] {
                for grain in ["hourly", "daily", "monthly"] {
                    let table = "\(family)_\(grain)"
                    digests[table] = try connection.query(
                        """
                        SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))
                        FROM \(unescaped: table) t
                        """)[0].get(0)
                }
            }
            return digests
        }
    }
}
