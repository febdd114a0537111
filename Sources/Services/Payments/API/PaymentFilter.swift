import Core
import Foundation
import Platform
import Storage

/// Which payments a list has; newest first.
struct PaymentFilter: Sendable {
    var userId: String?
    var reservationId: String?
    var state: PaymentSaga.State?
    var isStuck = false
    var hasRefusedRefund = false

    static func statement(_ filter: PaymentFilter, after cursor: PaymentCursor?, limit: Int) -> SQL {
        var sql: SQL = "SELECT \(sql: PaymentRow.columns) FROM payments WHERE true"
        if let userId = filter.userId { sql = sql + " AND user_id = \(userId)" }
        if let reservationId = filter.reservationId { sql = sql + " AND reservation_id = \(reservationId)" }
        if let state = filter.state { sql = sql + " AND state = ANY (\(state.stored))" }
        if filter.isStuck { sql = sql + " AND stuck_reason IS NOT NULL" }
        if filter.hasRefusedRefund {
            sql = sql + " AND payment_id IN (SELECT payment_id FROM refunds WHERE state = 'refused')"
        }
        if let cursor {
            sql =
                sql
                + " AND (created_at, payment_id) < (\(PostgresTimestamp(ms: cursor.createdAt)), \(cursor.paymentId))"
        }
        return sql + " ORDER BY created_at DESC, payment_id DESC LIMIT \(limit)"
    }

    static func page(
        _ filter: PaymentFilter, after cursor: PaymentCursor?, limit: Int, on connection: PostgresConnection
    ) throws -> [PaymentRow] {
        try connection.query(statement(filter, after: cursor, limit: limit)).map(PaymentRow.init)
    }
}

/// Where the next page begins: `1767225600000.UUID`.
struct PaymentCursor: Equatable, Sendable {
    var createdAt: Int64
    var paymentId: String

    init(_ row: PaymentRow) {
        createdAt = row.createdAt
        paymentId = row.paymentId
    }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let instant = Int64(parts[0]), (0..<4_102_444_800_000).contains(instant),
            isUUID(String(parts[1]))
        else { return nil }
        createdAt = instant
        paymentId = String(parts[1])
    }

    var text: String { "\(createdAt).\(paymentId)" }
}
