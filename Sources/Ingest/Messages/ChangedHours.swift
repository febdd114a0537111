import Core
import Storage

/// Hours to derive again, since messages changed what they are derived from.
struct ChangedHours {
    /// Named as in `rollup_dirty`.
    enum Family: String {
        case booking, revenue
    }

    private var hours: [Family: Set<Int64>] = [:]

    mutating func mark(_ family: Family, _ instant: Int64) {
        hours[family, default: []].insert(ReportingCalendar.startOfHour(instant))
    }

    /// An update where an hour is marked already, so that it waits for a run that is deriving just that hour, and marks
    /// it anew.
    func write(on connection: PostgresConnection) throws {
        // As every other transaction does: by family, then by time.
        let marks = hours.sorted { $0.key.rawValue < $1.key.rawValue }
            .flatMap { family, hours in hours.sorted().map { (family.rawValue, PostgresTimestamp(ms: $0)) } }
        guard !marks.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO rollup_dirty (grain, family, entity, bucket)
            SELECT 'hour', family, '', bucket FROM unnest(\(marks.map(\.0)), \(marks.map(\.1))) AS k (family, bucket)
            ON CONFLICT (grain, family, entity, bucket) DO UPDATE SET marked_at = now()
            """)
    }
}
