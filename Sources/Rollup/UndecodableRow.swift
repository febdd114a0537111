import Core
import Storage

/// A row of a rollup or of a ledger whose bytes are not what they should be. Raw beacons hold what it held: a rebuild
/// of its days replaces it.
struct UndecodableRow: Error, Sendable {
    var table: String
    var entity: String
    /// As `Verify.Finding` writes it.
    var bucket: String
    /// The reporting days whose rebuild replaces it.
    var days: ClosedRange<Day>
    /// The beacons that it can't be without, in milliseconds since 1970.
    var instants: Range<Int64>
    var reason: String

    static func hour(
        _ family: TrafficFamily, _ entity: String, _ hour: Int64, _ calendar: ReportingCalendar, reason: String
    ) -> UndecodableRow {
        let day = calendar.day(of: hour)
        return UndecodableRow(
            table: family.table(.hour), entity: entity, bucket: calendar.hourLabel(hour), days: day...day,
            instants: hour..<hour + ReportingCalendar.hourMs, reason: reason)
    }

    /// A day or a month, by its first day.
    static func bucket(
        _ family: TrafficFamily, _ grain: Grain, _ entity: String, _ bucket: Day, _ calendar: ReportingCalendar,
        reason: String
    ) -> UndecodableRow {
        let last = grain == .month ? bucket.firstOfNextMonth - 1 : bucket
        return UndecodableRow(
            table: family.table(grain), entity: entity, bucket: "\(bucket)", days: bucket...last,
            instants: calendar.start(of: bucket)..<calendar.start(of: last + 1), reason: reason)
    }

    /// A minute of `message_ids`.
    static func ids(ofMinute minute: Int32, _ calendar: ReportingCalendar, reason: String) -> UndecodableRow {
        let instant = Int64(minute) * 60_000
        let day = calendar.day(of: instant)
        return UndecodableRow(
            table: "message_ids", entity: "minute", bucket: Instant.iso8601(instant), days: day...day,
            instants: instant..<instant + 60_000, reason: reason)
    }

    /// A half hour of `session_slots`, which those before and after it need too.
    static func sessions(ofSlot slot: Int32, _ calendar: ReportingCalendar, reason: String) -> UndecodableRow {
        let start = SessionPiece.start(ofSlot: slot)
        let day = calendar.day(of: start)
        return UndecodableRow(
            table: "session_slots", entity: "slot", bucket: Instant.iso8601(start), days: day...day,
            instants: start - SessionPiece.gapMs..<start + 2 * SessionPiece.gapMs, reason: reason)
    }
}

extension UndecodableRow: CustomStringConvertible {
    var description: String {
        "\(table) \(entity) \(bucket) can't be decoded, \(reason): "
            + "'tiketi rollup rebuild --from \(days.lowerBound) --to \(days.upperBound)' makes it anew"
    }
}
