package import Platform

/// How many of those who looked at an event came how far, bucket by bucket.
package struct FunnelQuestion: Equatable, Sendable {
    package var eventID: String
    package var period: Period

    package init(eventID: String, period: Period = Period()) {
        self.eventID = eventID
        self.period = period
    }
}

extension FunnelQuestion {
    package static let parameterNames = Period.parameterNames + ["granularity"]

    package init(eventID: String, _ parameters: QueryParameters) throws(InvalidParameter) {
        let granularity = try parameters.choice("granularity", of: Granularity.allCases, default: .daily)
        self.init(eventID: eventID, period: try Period(parameters, granularity: granularity))
    }
}
