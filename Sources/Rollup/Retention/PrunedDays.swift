import Core
import Storage

/// Reporting days whose hours are gone: what their hours hold now came later, and belongs on top of the stored day.
enum PrunedDays {
    static func among(_ days: [Day], on connection: PostgresConnection) throws -> Set<Day> {
        guard !days.isEmpty else { return [] }
        return Set(
            try connection.query("SELECT day FROM pruned_days WHERE day = ANY(\(days))").map { try $0.get(0) })
    }

    static func all(on connection: PostgresConnection) throws -> Set<Day> {
        Set(try connection.query("SELECT day FROM pruned_days").map { try $0.get(0) })
    }

    /// Their hours are all there again, counted from raw beacons; nil for every day.
    static func restore(_ days: ClosedRange<Day>?, on connection: PostgresConnection) throws {
        let days = days ?? Day.first...Day.last
        try connection.execute(
            "DELETE FROM pruned_days WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)")
    }
}
