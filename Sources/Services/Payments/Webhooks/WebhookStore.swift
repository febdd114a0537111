import Crypto
import Storage

/// Webhooks as they come. Nothing in them is believed, since anybody can send one: each is a hint to ask Toss.
enum WebhookStore {
    static let maxBodyBytes = 64 * 1024
    /// That wait to be looked at; further ones are told to come back.
    static let maxWaiting = 10_000
    /// Rows that are kept at all.
    static let maxStored = 100_000
    static let maxBatch = 100

    /// Those whose `data` names a payment. Others are kept and mean nothing (trap 5): there is no PAYMENT_CANCELED.
    static let known: Set<String> = ["PAYMENT_STATUS_CHANGED", "CANCEL_STATUS_CHANGED", "DEPOSIT_CALLBACK"]

    /// One that is sent again is looked at again: the answer to the question that it led to may have been lost.
    ///
    /// - Returns: whether it was stored.
    static func store(_ body: [UInt8], now: Int64, maxWaiting: Int, on connection: PostgresConnection) throws -> Bool {
        let hash = Array(SHA256.hash(data: body))
        return try connection.execute(
            """
            INSERT INTO webhooks (body_hash, body, state, received_at)
            SELECT \(hash), \(body), 'waiting', \(PostgresTimestamp(ms: now))
            WHERE (SELECT count(*) FROM (SELECT FROM webhooks WHERE state = 'waiting' LIMIT \(maxWaiting)) waiting)
                < \(maxWaiting)
            ON CONFLICT (body_hash) DO UPDATE SET state = 'waiting', body = EXCLUDED.body,
                times = least(webhooks.times, 1000000) + 1
            """) == 1
    }

    /// Those that wait, the oldest first. What is in them is read outside any transaction, since anybody may have written
    /// it; whoever else reads the same at the same time does no harm.
    static func waiting(on connection: PostgresConnection) throws -> [(seq: Int64, body: [UInt8])] {
        try connection.query(waiting).map { (try $0.get(0), try $0.get(1)) }
    }

    static let waiting: SQL = "SELECT seq, body FROM webhooks WHERE state = 'waiting' ORDER BY seq LIMIT \(maxBatch)"

    /// Does what they hint at: payments that they name are asked about.
    ///
    /// - Returns: how many still waited.
    static func take(
        _ hints: [(seq: Int64, hint: WebhookHint)], now: Int64, on connection: PostgresConnection
    ) throws -> Int {
        let locked = Set(
            try connection.query(
                """
                SELECT seq FROM webhooks WHERE seq = ANY(\(hints.map(\.seq))) AND state = 'waiting'
                ORDER BY seq FOR UPDATE SKIP LOCKED
                """
            ).map { try $0.get(0, as: Int64.self) })
        let rows = hints.filter { locked.contains($0.seq) }
        let hints = rows.map(\.hint).filter { known.contains($0.type ?? "") }
        let found = try PaymentStore.hint(
            orders: hints.compactMap(\.order), keys: hints.compactMap(\.key), now: now, on: connection)
        for row in rows {
            let isOurs =
                known.contains(row.hint.type ?? "")
                && [row.hint.order, row.hint.key].contains { $0.map(found.contains) ?? false }
            try connection.execute(
                """
                UPDATE webhooks SET state = \(isOurs ? "taken" : "ignored"), event_type = \(row.hint.type),
                    body = CASE WHEN \(isOurs) THEN body END
                WHERE seq = \(row.seq)
                """)
        }
        return rows.count
    }

    /// Removes the oldest beyond the bound.
    static func trim(maxStored: Int, on connection: PostgresConnection) throws {
        try connection.execute(
            """
            DELETE FROM webhooks WHERE state <> 'waiting'
                AND seq <= (SELECT seq FROM webhooks ORDER BY seq DESC OFFSET \(maxStored) LIMIT 1)
            """)
    }

}
