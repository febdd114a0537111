import Core
import Storage

/// The buckets that wait to be derived, as one snapshot has them: no comparison of theirs says anything.
struct DirtyBuckets: Sendable {
    private var days: Set<DirtyLedger.Key> = []
    /// A month waits for its days too.
    private var months: Set<DirtyLedger.Key> = []
    private var datesOfDays: Set<Day> = []
    /// Hours of money and of bookings with them.
    private(set) var count = 0

    /// None.
    init() {}

    init(on connection: PostgresConnection) throws {
        count = try connection.query("SELECT count(*) FROM rollup_dirty WHERE grain = 'hour'")[0].get(0)
        try connection.stream(
            "SELECT grain, family, entity, (bucket AT TIME ZONE 'UTC')::date FROM rollup_dirty WHERE grain <> 'hour'"
        ) { row in
            var key = DirtyLedger.Key(
                family: try row.get(1), entity: ExactText(try row.get(2)), bucket: try row.get(3))
            count += 1
            if try row.get(0) == Grain.day.rawValue {
                days.insert(key)
                datesOfDays.insert(key.bucket)
                key.bucket = key.bucket.firstOfMonth
            }
            months.insert(key)
        }
    }

    /// Whether no day and no month waits.
    var isEmpty: Bool { days.isEmpty && months.isEmpty }

    /// Whether the day of anything waits.
    func hasDay(_ day: Day) -> Bool { datesOfDays.contains(day) }

    /// Marks are taken within minutes; one that was made so long ago may be one that nothing takes.
    static let longAgo = "1 hour"
    /// Of marks that are named, these are the first.
    static let maxNamed = 20

    /// The oldest of those that were marked long ago, as people read them.
    static func waitingForLong(on connection: PostgresConnection) throws -> [String] {
        try connection.query(
            """
            SELECT name, marked_at FROM (
                SELECT concat_ws(' ', grain, family, nullif(entity, ''),
                    to_char(bucket AT TIME ZONE 'UTC', CASE grain WHEN 'hour' THEN 'YYYY-MM-DD"T"HH24:MI"Z"' ELSE 'YYYY-MM-DD' END)),
                    marked_at
                FROM rollup_dirty UNION ALL SELECT 'details ' || day, marked_at FROM detail_dirty
            ) marks (name, marked_at)
            WHERE marked_at < now() - \(longAgo)::text::interval ORDER BY marked_at, name LIMIT \(Int64(maxNamed))
            """
        ).map {
            "\(try $0.get(0, as: String.self)), marked \(Instant.iso8601(try $0.get(1, as: PostgresTimestamp.self).ms))"
        }
    }

    func contains(_ family: TrafficFamily, _ grain: Grain, _ entity: ExactText, _ bucket: Day) -> Bool {
        (grain == .day ? days : months)
            .contains(DirtyLedger.Key(family: family.rawValue, entity: entity, bucket: bucket))
    }
}
