package import Core
import Platform

/// The range beside which an answer's total is set.
package enum EarlierRange: String, CaseIterable, Sendable {
    /// As many days, just before.
    case previous
    /// The same days a year before; 29 February is set beside the 28th.
    case year

    /// Nil where no year comes before.
    package func days(before days: ClosedRange<Day>) -> ClosedRange<Day>? {
        switch self {
        case .previous: return (days.lowerBound - days.dayCount)...(days.lowerBound - 1)
        case .year:
            guard let first = Self.yearBefore(days.lowerBound), let last = Self.yearBefore(days.upperBound) else {
                return nil
            }
            return first...last
        }
    }

    private static func yearBefore(_ day: Day) -> Day? {
        let (year, month, dayOfMonth) = day.civil
        return Day(year: year - 1, month: month, day: dayOfMonth) ?? Day(year: year - 1, month: month, day: 28)
    }
}

extension EarlierRange {
    static func parse(_ parameters: QueryParameters) throws(InvalidParameter) -> EarlierRange? {
        guard parameters["compare"] != nil else { return nil }
        return try parameters.choice("compare", of: allCases, default: .previous)
    }
}

extension PeriodPlan {
    /// Of the range that this one is set beside, in the same calendar.
    func earlier(
        _ earlier: EarlierRange, _ period: Period, _ context: PlanContext
    ) throws(InvalidParameter) -> PeriodPlan {
        guard let days = earlier.days(before: days) else {
            throw InvalidParameter(
                field: "compare", detail: "no year comes before that of startDate: ask without compare=year")
        }
        var period = period
        (period.startDate, period.endDate) = (days.lowerBound, days.upperBound)
        // Of the same days a year before, one more may be a 29 February.
        return try PeriodPlan(period, context, spareDays: 1)
    }
}
