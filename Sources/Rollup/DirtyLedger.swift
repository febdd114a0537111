import Core
import Storage

/// The buckets whose inputs changed since they were derived.
enum DirtyLedger {
    struct Key: Hashable, Comparable, Sendable {
        var family: String
        var entity: ExactText
        /// The reporting day, or the first of the month.
        var bucket: Day

        static func < (left: Key, right: Key) -> Bool {
            (left.family, left.entity, left.bucket) < (right.family, right.entity, right.bucket)
        }
    }

    static func mark(_ keys: [Key], _ grain: Grain, on connection: PostgresConnection) throws {
        guard !keys.isEmpty else { return }
        let keys = keys.sorted()
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT \(grain.rawValue), family, entity, bucket
            FROM unnest(\(keys.map(\.family)), \(keys.map(\.entity.string)), \(keys.map(\.bucket)))
                AS k (family, entity, bucket)
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
    }

    /// Takes up to `limit` hours of a family, the first ones, that no other transaction holds.
    static func takeHours(
        of family: String, limit: Int, on connection: PostgresConnection
    ) throws -> [PostgresTimestamp] {
        try connection.query(
            """
            DELETE FROM rollup_dirty WHERE (grain, family, entity, bucket) IN (
                SELECT grain, family, entity, bucket FROM rollup_dirty
                WHERE grain = 'hour' AND family = \(family)
                ORDER BY bucket LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            RETURNING bucket
            """
        ).map { try $0.get(0) }
    }

    /// Takes up to `limit` marks that no other transaction holds; of months only those that have no day to wait for.
    static func take(_ grain: Grain, limit: Int, on connection: PostgresConnection) throws -> [Key] {
        try connection.query(
            """
            DELETE FROM rollup_dirty WHERE (grain, family, entity, bucket) IN (
                SELECT grain, family, entity, bucket FROM rollup_dirty d WHERE grain = \(grain.rawValue)
                    AND NOT (grain = 'month' AND EXISTS (
                        SELECT 1 FROM rollup_dirty part
                        WHERE part.grain = 'day' AND part.family = d.family AND part.entity = d.entity
                            AND part.bucket >= d.bucket AND part.bucket < d.bucket + interval '1 month'))
                ORDER BY family, entity, bucket LIMIT \(limit) FOR UPDATE SKIP LOCKED)
            RETURNING family, entity, (bucket AT TIME ZONE 'UTC')::date
            """
        ).map { Key(family: try $0.get(0), entity: ExactText(try $0.get(1)), bucket: try $0.get(2)) }
    }
}
