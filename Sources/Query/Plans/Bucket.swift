package import Core

/// One row of an answer: an hour, or the days of a day, week or month that lie inside the range.
package struct Bucket: Equatable, Sendable {
    /// `2025-12-01T13:00+09:00`, `2025-12-01`, `2025-W49` or `2025-12`.
    package let label: String
    package let days: ClosedRange<Day>
    package let instants: Range<Int64>
    /// False where the edge of the range cuts off some of its days.
    package let isWhole: Bool
}

extension Bucket {
    static func hours(of days: ClosedRange<Day>, _ calendar: ReportingCalendar) -> [Bucket] {
        var buckets: [Bucket] = []
        for day in sequence(first: days.lowerBound, next: { $0 < days.upperBound ? $0 + 1 : nil }) {
            let range = calendar.range(of: day)
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(ReportingCalendar.hourMs)) {
                buckets.append(
                    Bucket(
                        label: calendar.hourLabel(start), days: day...day,
                        instants: start..<start + ReportingCalendar.hourMs, isWhole: true))
            }
        }
        return buckets
    }

    /// Days, weeks or months that cover `days`, the first and last cut to it.
    static func spans(of granularity: Granularity, in days: ClosedRange<Day>, _ calendar: ReportingCalendar) -> [Bucket]
    {
        var buckets: [Bucket] = []
        var first = days.lowerBound
        var start = calendar.start(of: first)
        while first <= days.upperBound {
            let label: String
            let wholeFirst: Day
            let next: Day
            switch granularity {
            case .hourly, .daily: (label, wholeFirst, next) = (first.description, first, first + 1)
            case .weekly: (label, wholeFirst, next) = (first.yearWeek, first.mondayOfWeek, first.mondayOfWeek + 7)
            case .monthly: (label, wholeFirst, next) = (first.yearMonth, first.firstOfMonth, first.firstOfNextMonth)
            }
            let last = min(next - 1, days.upperBound)
            let end = calendar.start(of: last + 1)
            buckets.append(
                Bucket(
                    label: label, days: first...last, instants: start..<end,
                    isWhole: first == wholeFirst && last == next - 1))
            first = last + 1
            start = end
        }
        return buckets
    }
}
