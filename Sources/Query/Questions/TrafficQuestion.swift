package import Platform

/// How many looked, bucket by bucket.
package struct TrafficQuestion: Equatable, Sendable {
    package var subject: TrafficSubject
    package var period: Period
    package var compare: EarlierRange?

    package init(subject: TrafficSubject, period: Period = Period(), compare: EarlierRange? = nil) {
        self.subject = subject
        self.period = period
        self.compare = compare
    }
}

extension TrafficQuestion {
    package static let parameterNames = Period.parameterNames + ["granularity", "compare"]

    package init(subject: TrafficSubject, _ parameters: QueryParameters) throws(InvalidParameter) {
        let granularity = try parameters.choice("granularity", of: Granularity.allCases, default: .daily)
        self.init(
            subject: subject, period: try Period(parameters, granularity: granularity),
            compare: try EarlierRange.parse(parameters))
    }
}
