import Core

/// Which stored rows make up a stretch of days, each beacon exactly once. Neighbours are joined.
struct Cover: Equatable, Sendable {
    /// First days of months.
    private(set) var months: [ClosedRange<Day>] = []
    private(set) var days: [ClosedRange<Day>] = []
    private(set) var hours: [Range<Int64>] = []
    /// Hours to be read from what they are derived from.
    private(set) var sources: [Range<Int64>] = []

    init() {}

    /// - Parameter tailDay: a day that has to be told apart, so its month is not read whole.
    init(
        _ bucket: Bucket, from source: PeriodPlan.Source, isMonthly: Bool, tailDay: Day?, dirty: DirtyBuckets,
        _ calendar: ReportingCalendar
    ) {
        guard source == .calendarTables else {
            appendHours(bucket.instants, dirty)
            return
        }
        let month = bucket.days.lowerBound.firstOfMonth
        if isMonthly && bucket.isWhole && !dirty.months.contains(month)
            && tailDay.map({ !bucket.days.contains($0) }) ?? true
        {
            months.append(month...month)
            return
        }
        for day in sequence(first: bucket.days.lowerBound, next: { $0 < bucket.days.upperBound ? $0 + 1 : nil }) {
            if dirty.days.contains(day) {
                appendHours(calendar.range(of: day), dirty)
                if dirty.pruned.contains(day) { append(day) }
            } else {
                append(day)
            }
        }
    }

    init(_ plan: PeriodPlan, dirty: DirtyBuckets) {
        for bucket in plan.buckets {
            append(
                Cover(
                    bucket, from: plan.source, isMonthly: plan.granularity == .monthly, tailDay: plan.tailDay,
                    dirty: dirty, plan.calendar))
        }
    }

    mutating func append(_ other: Cover) {
        for range in other.months {
            if let last = months.last, last.upperBound.firstOfNextMonth == range.lowerBound {
                months[months.count - 1] = last.lowerBound...range.upperBound
            } else {
                months.append(range)
            }
        }
        for range in other.days {
            if let last = days.last, last.upperBound + 1 == range.lowerBound {
                days[days.count - 1] = last.lowerBound...range.upperBound
            } else {
                days.append(range)
            }
        }
        for range in other.hours { Self.append(range, to: &hours) }
        for range in other.sources { Self.append(range, to: &sources) }
    }

    private mutating func append(_ day: Day) {
        if let last = days.last, last.upperBound + 1 == day {
            days[days.count - 1] = last.lowerBound...day
        } else {
            days.append(day...day)
        }
    }

    private mutating func appendHours(_ range: Range<Int64>, _ dirty: DirtyBuckets) {
        guard !dirty.hours.isEmpty else {
            Self.append(range, to: &hours)
            return
        }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(ReportingCalendar.hourMs)) {
            let hour = start..<start + ReportingCalendar.hourMs
            if dirty.hours.contains(start) {
                Self.append(hour, to: &sources)
            } else {
                Self.append(hour, to: &hours)
            }
        }
    }

    private static func append(_ range: Range<Int64>, to ranges: inout [Range<Int64>]) {
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
}
