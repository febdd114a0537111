import Core
import Storage

/// The days and months that wait to be derived, as one snapshot has them: no comparison of theirs says anything.
struct DirtyBuckets: Sendable {
    private var days: Set<DirtyLedger.Key> = []
    /// A month waits for its days too.
    private var months: Set<DirtyLedger.Key> = []
    private(set) var count = 0

    init(on connection: PostgresConnection) throws {
        try connection.stream(
            "SELECT grain, family, entity, (bucket AT TIME ZONE 'UTC')::date FROM rollup_dirty WHERE grain <> 'hour'"
        ) { row in
            var key = DirtyLedger.Key(
                family: try row.get(1), entity: ExactText(try row.get(2)), bucket: try row.get(3))
            count += 1
            if try row.get(0) == Grain.day.rawValue {
                days.insert(key)
                key.bucket = key.bucket.firstOfMonth
            }
            months.insert(key)
        }
    }

    var isEmpty: Bool { count == 0 }

    func contains(_ family: TrafficFamily, _ grain: Grain, _ entity: ExactText, _ bucket: Day) -> Bool {
        (grain == .day ? days : months)
            .contains(DirtyLedger.Key(family: family.rawValue, entity: entity, bucket: bucket))
    }
}
