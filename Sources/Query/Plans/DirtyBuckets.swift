import Core

/// Stored buckets whose inputs have changed since they were derived.
///
/// A month with a dirty day in it is as stale as a dirty month, a day with a dirty hour as a dirty day: `init` sees to it.
struct DirtyBuckets: Equatable, Sendable {
    private(set) var months: Set<Day> = []
    private(set) var days: Set<Day> = []
    /// Their first instants. Only revenue has hours that are derived.
    private(set) var hours: Set<Int64> = []
    /// Those of `days` whose hours hold only what came since they were pruned: it adds to the stored day.
    private(set) var pruned: Set<Day> = []

    init() {}

    init(
        months: Set<Day>, days: Set<Day>, hours: Set<Int64>, pruned: Set<Day> = [], _ calendar: ReportingCalendar
    ) {
        self.hours = hours
        self.pruned = pruned
        self.days = days.union(hours.map { calendar.day(of: $0) })
        self.months = months.union(self.days.map(\.firstOfMonth))
    }
}
