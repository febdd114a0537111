import Core
import Storage

/// What payments and refunds add up to, held against the revenue tables: an hour's and a day's once the day is over, a
/// month's once the month is. In memory are the sums of one day and one month.
struct MoneySums {
    private struct Bucket: Hashable, Comparable {
        /// Of the hour's beginning; of days and months their midnight in UTC.
        var instant: Int64
        var currency: ExactText
        var artist: ExactText
        var event: ExactText

        static func < (left: Bucket, right: Bucket) -> Bool {
            (left.instant, left.currency, left.artist, left.event)
                < (right.instant, right.currency, right.artist, right.event)
        }
    }

    private struct Sums: Equatable {
        var gross: Int64 = 0
        var refunds: Int64 = 0
        var orders: Int64 = 0
        var tickets: Int64 = 0
        var refundedTickets: Int64 = 0

        mutating func add(_ row: MoneyRow) {
            orders += row.orders
            if row.isRefund {
                refunds -= row.amount
                refundedTickets -= row.tickets
            } else {
                gross += row.amount
                tickets += row.tickets
            }
        }

        func differences(from wanted: Sums) -> String {
            var differences: [String] = []
            func compare(_ name: String, _ own: Int64, _ other: Int64) {
                if own != other { differences.append("\(name) \(own), payments gives \(other)") }
            }
            compare("gross", gross, wanted.gross)
            compare("refunds", refunds, wanted.refunds)
            compare("orders", orders, wanted.orders)
            compare("tickets", tickets, wanted.tickets)
            compare("refunded_tickets", refundedTickets, wanted.refundedTickets)
            return differences.joined(separator: "; ")
        }
    }

    private static let dayMs: Int64 = 86_400_000

    private let range: ClosedRange<Day>?
    private let calendar: ReportingCalendar
    private let connection: PostgresConnection
    private var hours: [Bucket: Sums] = [:]
    private var days: [Bucket: Sums] = [:]
    private var months: [Bucket: Sums] = [:]
    /// The day whose rows come now; nil before the first.
    private var day: Day?
    /// From here on days and months were not compared.
    private var nextDay: Day
    private var nextMonth: Day
    private var dirtyHours: Set<Int64> = []
    private var dirtyDays: Set<Day> = []
    private var dirtyMonths: Set<Day> = []

    init(_ range: ClosedRange<Day>?, calendar: ReportingCalendar, on connection: PostgresConnection) throws {
        self.range = range
        self.calendar = calendar
        self.connection = connection
        nextDay = range?.lowerBound ?? Day.first
        nextMonth = nextDay == nextDay.firstOfMonth ? nextDay : nextDay.firstOfNextMonth
        for row in try connection.query(
            """
            SELECT grain, bucket, (bucket AT TIME ZONE 'UTC')::date FROM rollup_dirty
            WHERE family = \(DeriveRevenue.family)
            """)
        {
            let midnight = try row.get(2, as: Day.self)
            switch try row.get(0, as: String.self) {
            case Grain.hour.rawValue:
                let hour = try row.get(1, as: PostgresTimestamp.self).ms
                dirtyHours.insert(hour)
                dirtyDays.insert(calendar.day(of: hour))
                dirtyMonths.insert(calendar.day(of: hour).firstOfMonth)
            case Grain.day.rawValue:
                dirtyDays.insert(midnight)
                dirtyMonths.insert(midnight.firstOfMonth)
            default: dirtyMonths.insert(midnight)
            }
        }
    }

    mutating func add(_ row: MoneyRow) {
        func bucket(_ instant: Int64) -> Bucket {
            Bucket(
                instant: instant, currency: ExactText(row.currency), artist: ExactText(row.artistId),
                event: ExactText(row.eventId))
        }
        hours[bucket(ReportingCalendar.startOfHour(row.occurredAt)), default: Sums()].add(row)
        days[bucket(Self.midnight(row.key.day)), default: Sums()].add(row)
        months[bucket(Self.midnight(row.key.day.firstOfMonth)), default: Sums()].add(row)
    }

    /// Rows of this day come next: what lies before it is whole.
    mutating func enter(_ day: Day, _ report: inout VerifyPayments.Report) throws {
        guard day != self.day else { return }
        try compareDays(before: day, &report)
        if day.firstOfMonth > nextMonth { try compareMonths(before: day.firstOfMonth, &report) }
        self.day = day
    }

    mutating func finish(_ report: inout VerifyPayments.Report) throws {
        let end = range.map { $0.upperBound + 1 } ?? Day.last
        try compareDays(before: end, &report)
        // Of a month that is cut off only a part was added up.
        try compareMonths(before: range == nil ? Day.last : end.firstOfMonth, &report)
    }

    private static func midnight(_ day: Day) -> Int64 { Int64(day.daysSince1970) * dayMs }

    private static func day(_ midnight: Int64) -> Day { Day(daysSince1970: Int(floorDiv(midnight, dayMs))) }

    // MARK: Comparing

    private mutating func compareDays(before end: Day, _ report: inout VerifyPayments.Report) throws {
        guard nextDay < end else { return }
        let (dirtyHours, dirtyDays) = (dirtyHours, dirtyDays)
        try compare(
            "revenue_hourly", &hours,
            """
            SELECT hour, \(unescaped: Self.columns) FROM revenue_hourly
            WHERE hour >= \(PostgresTimestamp(ms: calendar.start(of: nextDay)))
                AND hour < \(PostgresTimestamp(ms: calendar.start(of: end)))
            """, &report, isDirty: dirtyHours.contains, label: Instant.iso8601)
        try compare(
            "revenue_daily", &days,
            """
            SELECT day::timestamp AT TIME ZONE 'UTC', \(unescaped: Self.columns) FROM revenue_daily
            WHERE day >= \(nextDay) AND day < \(end)
            """, &report, isDirty: { dirtyDays.contains(Self.day($0)) }, label: { "\(Self.day($0))" })
        nextDay = end
    }

    private mutating func compareMonths(before end: Day, _ report: inout VerifyPayments.Report) throws {
        guard nextMonth < end else { return }
        // The first and the last may be cut off.
        let whole = Self.midnight(nextMonth)..<Self.midnight(end)
        months = months.filter { whole.contains($0.key.instant) }
        let dirtyMonths = dirtyMonths
        try compare(
            "revenue_monthly", &months,
            """
            SELECT month::timestamp AT TIME ZONE 'UTC', \(unescaped: Self.columns) FROM revenue_monthly
            WHERE month >= \(nextMonth) AND month < \(end)
            """, &report, isDirty: { dirtyMonths.contains(Self.day($0)) }, label: { "\(Self.day($0))" })
        nextMonth = end
    }

    private static let columns = "currency, artist_id, event_id, gross, refunds, orders, tickets, refunded_tickets"

    /// Empties `wanted`.
    private func compare(
        _ table: String, _ wanted: inout [Bucket: Sums], _ stored: SQL, _ report: inout VerifyPayments.Report,
        isDirty: (Int64) -> Bool, label: (Int64) -> String
    ) throws {
        var skipped: Set<Int64> = []
        func name(_ bucket: Bucket) -> String { "\(bucket.currency) \(bucket.artist) \(bucket.event)" }
        try connection.stream(stored) { row in
            let bucket = Bucket(
                instant: try row.get(0, as: PostgresTimestamp.self).ms, currency: ExactText(try row.get(1)),
                artist: ExactText(try row.get(2)), event: ExactText(try row.get(3)))
            let sums = Sums(
                gross: try row.get(4), refunds: try row.get(5), orders: try row.get(6), tickets: try row.get(7),
                refundedTickets: try row.get(8))
            let expected = wanted.removeValue(forKey: bucket)
            if isDirty(bucket.instant) {
                skipped.insert(bucket.instant)
            } else if let expected {
                let differences = sums.differences(from: expected)
                if !differences.isEmpty { report.add(table, name(bucket), label(bucket.instant), differences) }
            } else {
                report.add(table, name(bucket), label(bucket.instant), "should not be there")
            }
        }
        for bucket in wanted.keys.sorted() {
            if isDirty(bucket.instant) {
                skipped.insert(bucket.instant)
            } else {
                report.add(table, name(bucket), label(bucket.instant), "missing")
            }
        }
        report.dirty += skipped.count
        wanted.removeAll(keepingCapacity: true)
    }
}
