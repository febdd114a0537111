import Storage
import TestSupport
import Testing

@testable import UserService

/// Each statement that is asked often uses its index.
@Suite(.timeLimit(.minutes(5))) struct UserQueryPlanTests {
    @Test(arguments: [
        ("SELECT id FROM users WHERE email_key = 'a'", "users_email_key_key"),
        ("SELECT id FROM users WHERE id = 'a'", "users_pkey"),
        ("SELECT user_id FROM sessions WHERE family_id = '\\x00'", "sessions_pkey"),
        (
            "SELECT family_id FROM sessions WHERE user_id = 'a' AND ended_at IS NULL ORDER BY created_at DESC",
            "sessions_live"
        ),
        ("SELECT 1 FROM known_devices WHERE user_id = 'a' AND device_hash = '\\x00'", "known_devices_pkey"),
        ("DELETE FROM one_time_codes WHERE code_hash = '\\x00'", "one_time_codes_pkey"),
        ("DELETE FROM one_time_codes WHERE user_id = 'a' AND kind = 'email'", "one_time_codes_of_user"),
        ("DELETE FROM oauth_transactions WHERE binding_hash = '\\x00'", "oauth_transactions_pkey"),
        ("DELETE FROM oauth_transactions WHERE link_user_id = 'a'", "oauth_transactions_linking"),
        ("DELETE FROM oauth_providers WHERE user_id = 'a'", "oauth_providers_user_id_provider_key"),
        ("SELECT user_id FROM oauth_providers WHERE provider = 'google' AND subject = '1'", "oauth_providers_pkey"),
        ("SELECT 1 FROM throttles WHERE key = ANY(ARRAY['\\x00'::bytea])", "throttles_pkey"),
        ("SELECT ctid FROM sessions WHERE expires_at <= now() LIMIT 1000", "sessions_expiring"),
        ("SELECT ctid FROM sessions WHERE ended_at <= now() LIMIT 1000", "sessions_ended"),
        ("SELECT ctid FROM throttles ORDER BY last_at LIMIT 1000", "throttles_last"),
        ("SELECT ctid FROM throttles WHERE last_at <= now() LIMIT 1000", "throttles_last"),
    ])
    func itsIndexIsUsed(statement: String, index: String) async throws {
        try await withDatabase(of: .users) { _, pool in
            let plan = try await pool.withConnection { connection in
                // The tables are empty: a scan of all would be as good.
                _ = try connection.execute("SET enable_seqscan = off")
                return try connection.query("EXPLAIN \(unescaped: statement)").map { try $0.get(0, as: String.self) }
            }
            #expect(plan.contains { $0.contains(index) }, "\(plan)")
        }
    }
}
