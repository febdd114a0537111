package import Core
package import Platform

/// How the "when" of a question will be answered: settled in `init` by ordered steps, each a pure rewrite.
package struct PeriodPlan: Equatable, Sendable {
    package enum Source: Equatable, Sendable {
        /// Days where they are clean (whole clean months for monthly buckets), hours where they are not.
        case calendarTables
        /// Hours alone: they fit any zone with whole-hour offset.
        case hours
    }

    /// The longest range outside the reporting zone, where every hour is a row to read.
    package static let maxDaysFromHours = 400
    package static let standardDays = 30
    package static let standardMonths = 12

    package var calendar: ReportingCalendar
    /// The zone's name as it was asked for: it may have several.
    package var timeZone: String
    package var granularity: Granularity
    package var days: ClosedRange<Day>
    package var buckets: [Bucket] = []
    package var source = Source.calendarTables
    /// The reporting day for which Redis may know more than the rollups; nil where the range is without it.
    package var tailDay: Day?

    /// - Parameter spareDays: by so many the range may be longer than one that is asked for.
    package init(_ period: Period, _ context: PlanContext, spareDays: Int = 0) throws(InvalidParameter) {
        calendar = context.reporting
        timeZone = period.timeZone ?? context.reporting.identifier
        granularity = period.granularity
        days = context.today...context.today
        try chooseCalendar(period, context)
        try fillRange(period, context)
        try boundRange(period, context, spareDays: spareDays)
        cutBuckets()
        chooseSource(context)
        chooseTail(context)
    }

    /// The range alone, however long it is.
    static func days(of period: Period, _ context: PlanContext) throws(InvalidParameter) -> ClosedRange<Day> {
        try PeriodPlan(unbounded: period, context).days
    }

    static func calendar(of period: Period, _ context: PlanContext) throws(InvalidParameter) -> ReportingCalendar {
        try PeriodPlan(unbounded: period, context).calendar
    }

    /// A range without buckets.
    private init(unbounded period: Period, _ context: PlanContext) throws(InvalidParameter) {
        calendar = context.reporting
        timeZone = period.timeZone ?? context.reporting.identifier
        granularity = period.granularity
        days = context.today...context.today
        try chooseCalendar(period, context)
        try fillRange(period, context)
    }

    var start: Int64 { buckets[0].instants.lowerBound }
    /// The first instant after the range.
    package var end: Int64 { buckets[buckets.count - 1].instants.upperBound }
}

extension PeriodPlan {
    private mutating func chooseCalendar(_ period: Period, _ context: PlanContext) throws(InvalidParameter) {
        guard let name = period.timeZone, name != context.reporting.identifier else { return }
        do throws(ReportingCalendar.InvalidTimeZone) {
            calendar = try ReportingCalendar(identifier: name)
        } catch {
            switch error {
            case .unknown:
                throw InvalidParameter(
                    field: "timezone", detail: "timezone must be an IANA name such as Asia/Seoul or Europe/Berlin")
            case .fractionalOffset:
                throw InvalidParameter(
                    field: "timezone",
                    detail: "timezone must be one whose offset is whole hours: traffic is kept by the hour")
            }
        }
    }

    private mutating func fillRange(_ period: Period, _ context: PlanContext) throws(InvalidParameter) {
        let last = period.endDate ?? calendar.day(of: context.now)
        let standardFirst =
            granularity == .monthly
            ? last.firstOfMonth(monthsBefore: Self.standardMonths - 1) : last - (Self.standardDays - 1)
        let first = period.startDate ?? standardFirst
        guard first <= last else {
            if period.endDate == nil {
                throw InvalidParameter(
                    field: "startDate", detail: "startDate must not be after endDate, which is \(last) unless given")
            }
            throw InvalidParameter(field: "startDate", detail: "startDate must not be after endDate")
        }
        days = first...last
    }

    private mutating func boundRange(
        _ period: Period, _ context: PlanContext, spareDays: Int
    ) throws(InvalidParameter) {
        let inReportingZone = calendar == context.reporting
        let maxDays =
            inReportingZone
            ? granularity.maxDays : min(granularity.maxDays, Self.maxDaysFromHours)
        let asked = days.dayCount
        guard asked <= maxDays + spareDays else {
            throw InvalidParameter(
                field: "startDate",
                detail: "startDate to endDate may span at most \(maxDays) days for \(granularity.rawValue) answers"
                    + (inReportingZone ? "" : " outside \(context.reporting.identifier)") + "; these are \(asked)")
        }
        // So a plan has buckets, and something to read.
        guard calendar.start(of: days.lowerBound) < calendar.start(of: days.upperBound + 1) else {
            throw InvalidParameter(
                field: "startDate", detail: "\(calendar.identifier) left out \(days.lowerBound): ask for other days")
        }
    }

    private mutating func cutBuckets() {
        buckets =
            granularity == .hourly
            ? Bucket.hours(of: days, calendar)
            : Bucket.spans(of: granularity, in: days, calendar)
    }

    private mutating func chooseSource(_ context: PlanContext) {
        if granularity == .hourly || calendar != context.reporting { source = .hours }
    }

    private mutating func chooseTail(_ context: PlanContext) {
        if calendar == context.reporting && days.contains(context.today) { tailDay = context.today }
    }
}

extension Day {
    /// The first day of the month that lies this many months before this day's.
    func firstOfMonth(monthsBefore months: Int) -> Day {
        var day = firstOfMonth
        for _ in 0..<months { day = (day - 1).firstOfMonth }
        return day
    }
}
