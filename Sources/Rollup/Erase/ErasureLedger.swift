import Core
import Crypto
import Storage

/// The audit rows of erasures, and what unfinished ones still owe.
enum ErasureLedger {
    /// The salted hash by which a row is found again: whoever has the id can tell that it was erased, nobody else who.
    private static func hash(_ visitor: ExactText, salt: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(visitor.string.utf8), using: SymmetricKey(data: salt)))
    }

    /// The visitor's erasure that was interrupted, or a new one.
    static func begin(_ visitor: ExactText, by person: String, on connection: PostgresConnection) throws -> Int64 {
        for row in try connection.query(
            "SELECT id, salt, visitor_hash FROM erasures WHERE finished_at IS NULL ORDER BY id")
        where try row.get(2, as: [UInt8].self) == hash(visitor, salt: try row.get(1)) {
            let erasure = try row.get(0, as: Int64.self)
            // It searches again, since more may have come.
            try connection.execute("UPDATE erasures SET searched_at = NULL WHERE id = \(erasure)")
            return erasure
        }
        let salt = SymmetricKey(size: .bits256).withUnsafeBytes { [UInt8]($0) }
        return try connection.query(
            """
            INSERT INTO erasures (requested_by, salt, visitor_hash)
            VALUES (\(person), \(salt), \(hash(visitor, salt: salt))) RETURNING id
            """)[0].get(0)
    }

    static func add(
        _ effect: ErasureEffect, beacons: Int, to erasure: Int64, on connection: PostgresConnection
    ) throws {
        try connection.execute(
            "UPDATE erasures SET batches = batches + 1, beacons = beacons + \(beacons) WHERE id = \(erasure)")
        try connection.execute(
            """
            INSERT INTO erasure_days (erasure, day) SELECT \(erasure), day FROM unnest(\(effect.days.sorted())) AS k (day)
            ON CONFLICT DO NOTHING
            """)
        let counters = Array(effect.counters)
        try connection.execute(
            """
            INSERT INTO erasure_counters (erasure, family, entity, day)
            SELECT \(erasure), family, entity, day FROM unnest(\(counters.map(\.family.rawValue)),
                \(counters.map(\.entity.string)), \(counters.map(\.day))) AS k (family, entity, day)
            ON CONFLICT DO NOTHING
            """)
    }

    static func didSearch(_ erasure: Int64, unsearched: Int, on connection: PostgresConnection) throws {
        try connection.execute(
            "UPDATE erasures SET searched_at = now(), unsearched = \(unsearched) WHERE id = \(erasure)")
    }

    /// The days that any erasure owes.
    static func owedDays(on connection: PostgresConnection) throws -> [Day] {
        try connection.query("SELECT DISTINCT day FROM erasure_days ORDER BY day").map { try $0.get(0) }
    }

    /// These days are counted again, or can't be.
    static func settle(_ days: ClosedRange<Day>, isReachable: Bool, on connection: PostgresConnection) throws {
        let column = isReachable ? "days" : "unreachable_days"
        try connection.execute(
            """
            WITH settled AS (
                DELETE FROM erasure_days WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
                RETURNING erasure, day
            ), days AS (SELECT erasure, array_agg(day) AS days FROM settled GROUP BY erasure)
            UPDATE erasures e
            SET \(unescaped: column) = ARRAY(SELECT DISTINCT unnest(e.\(unescaped: column) || d.days) ORDER BY 1)
            FROM days d WHERE e.id = d.erasure
            """)
    }

    static func owedCounters(on connection: PostgresConnection) throws -> Set<ErasureEffect.CounterName> {
        Set(
            try connection.query("SELECT family, entity, day FROM erasure_counters").compactMap { row in
                guard let family = TrafficFamily(rawValue: try row.get(0)) else { return nil }
                return .init(family: family, entity: ExactText(try row.get(1)), day: try row.get(2))
            })
    }

    /// Finishes those that have searched everything and owe nothing more.
    static func finish(on connection: PostgresConnection) throws {
        try connection.transaction { connection in
            try connection.execute(
                """
                UPDATE erasures e SET finished_at = now(), raw_gone_through = (SELECT max(day) FROM dropped_event_days)
                WHERE finished_at IS NULL AND searched_at IS NOT NULL
                    AND NOT EXISTS (SELECT FROM erasure_days d WHERE d.erasure = e.id)
                """)
            try connection.execute(
                """
                DELETE FROM erasure_counters
                WHERE erasure IN (SELECT id FROM erasures WHERE finished_at IS NOT NULL)
                """)
        }
    }

    static func result(of erasure: Int64, on connection: PostgresConnection) throws -> Erasure.Result {
        let row = try connection.query(
            """
            SELECT batches, beacons, bookings, days, unreachable_days, raw_gone_through, unsearched,
                (SELECT count(*) FROM erasures WHERE finished_at IS NULL)
            FROM erasures WHERE id = \(erasure)
            """)[0]
        return Erasure.Result(
            id: erasure, batches: try row.get(0), beacons: try row.get(1), bookings: try row.get(2),
            days: try row.get(3), unreachableDays: try row.get(4), rawGoneThrough: try row.get(5),
            unsearched: try row.get(6), unfinished: try row.get(7))
    }
}
