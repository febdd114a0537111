package import Core
package import Platform

/// The "when" of a question, as asked: days are inclusive, and what is missing is filled in by `PeriodPlan`.
package struct Period: Equatable, Sendable {
    package var startDate: Day?
    package var endDate: Day?
    package var granularity: Granularity
    /// An IANA name; nil is the reporting time zone.
    package var timeZone: String?

    package init(
        startDate: Day? = nil, endDate: Day? = nil, granularity: Granularity = .daily, timeZone: String? = nil
    ) {
        self.startDate = startDate
        self.endDate = endDate
        self.granularity = granularity
        self.timeZone = timeZone
    }
}

extension Period {
    package static let parameterNames = ["startDate", "endDate", "timezone"]

    package init(_ parameters: QueryParameters, granularity: Granularity) throws(InvalidParameter) {
        self.init(
            startDate: try parameters.day("startDate"), endDate: try parameters.day("endDate"),
            granularity: granularity, timeZone: parameters["timezone"])
    }
}
