package import Core

/// The range beside which an answer's total is set.
package enum EarlierRange: String, CaseIterable, Sendable {
    /// As many days, just before.
    case previous
    /// The same days a year before; 29 February is set beside the 28th.
    case year

    package func days(before days: ClosedRange<Day>) -> ClosedRange<Day> {
        switch self {
        case .previous: (days.lowerBound - days.dayCount)...(days.lowerBound - 1)
        case .year: Self.yearBefore(days.lowerBound)...Self.yearBefore(days.upperBound)
        }
    }

    private static func yearBefore(_ day: Day) -> Day {
        let (year, month, dayOfMonth) = day.civil
        return Day(year: year - 1, month: month, day: dayOfMonth) ?? Day(year: year - 1, month: month, day: 28)!
    }
}

extension EarlierRange {
    static func parse(_ parameters: Parameters) throws(InvalidQuestion) -> EarlierRange? {
        guard parameters["compare"] != nil else { return nil }
        return try parameters.choice("compare", of: allCases, default: .previous)
    }
}

extension Period {
    /// The range that the plan's is set beside, in the same calendar.
    func shifted(_ earlier: EarlierRange, _ plan: PeriodPlan) -> Period {
        let days = earlier.days(before: plan.days)
        return Period(
            startDate: days.lowerBound, endDate: days.upperBound, granularity: granularity, timeZone: timeZone)
    }
}
