import Core
import Platform
import Storage

extension ReservationStore {
    func find(_ id: String) async throws -> Reservation? {
        try await postgres.withConnection { try Reservation.find(id, on: $0) }
    }

    func tickets(of reservation: String) async throws -> [Ticket] {
        try await postgres.withConnection { try Ticket.of(reservation: reservation, on: $0) }
    }

    func ticket(_ id: String) async throws -> Ticket? {
        try await postgres.withConnection { try Ticket.find(id, on: $0) }
    }

    /// The last reservation of a page: the next one begins behind it.
    struct Cursor: Sendable, Equatable {
        var createdAt: Int64
        var id: String

        init(_ reservation: Reservation) {
            createdAt = reservation.createdAt
            id = reservation.id
        }

        /// As `text` writes it.
        init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, (1...15).contains(parts[0].utf8.count),
                parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let createdAt = Int64(parts[0]),
                isUUID(String(parts[1]))
            else { return nil }
            self.createdAt = createdAt
            id = String(parts[1])
        }

        var text: String { "\(createdAt).\(id)" }
    }

    /// A user's reservations, the latest first.
    func page(
        of user: String, after cursor: Cursor?, limit: Int
    ) async throws -> (reservations: [Reservation], next: Cursor?) {
        try await postgres.withConnection { connection in
            var found = try connection.query(Self.pageStatement(of: user, after: cursor, limit: limit))
                .map(Reservation.init)
            guard found.count > limit else { return (found, nil) }
            found.removeLast()
            return (found, found.last.map { Cursor($0) })
        }
    }

    static func pageStatement(of user: String, after cursor: Cursor?, limit: Int) -> SQL {
        let later: SQL =
            cursor.map { "AND (r.created_at, r.id) < (\(PostgresTimestamp(ms: $0.createdAt)), \($0.id))" } ?? ""
        return """
            \(sql: Reservation.select) WHERE r.user_id = \(user) \(sql: later)
            ORDER BY r.created_at DESC, r.id DESC LIMIT \(limit + 1)
            """
    }
}
