import Core

/// Which stored rows a ranking of all artists or events adds up.
struct TopPlan: Equatable, Sendable {
    /// First days of whole clean months.
    var months: [ClosedRange<Day>] = []
    var days: [ClosedRange<Day>] = []
    var hours: [Range<Int64>] = []
    /// Those of `days` on which some artist or event is stale: its own hours are read instead, or on top where the
    /// day was pruned.
    var dirtyDays: [Day] = []

    init(_ plan: PeriodPlan, dirty: DirtyBuckets) {
        guard plan.source == .calendarTables else {
            hours = [plan.start..<plan.end]
            return
        }
        for month in Bucket.spans(of: .monthly, in: plan.days, plan.calendar) {
            let first = month.days.lowerBound
            if month.isWhole && !dirty.months.contains(first) {
                months.append(first...first)
            } else {
                days.append(month.days)
                dirtyDays += dirty.days.filter(month.days.contains).sorted()
            }
        }
    }
}
