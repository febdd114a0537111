package import Platform

/// Raw beacons, one by one, as far as they are folded: what is here agrees with the rollups.
package struct EventsQuestion: Equatable, Sendable {
    package var period: Period
    package var artistID: String?
    package var eventID: String?
    /// Nil is all of them.
    package var limit: Int?

    package init(period: Period = Period(), artistID: String? = nil, eventID: String? = nil, limit: Int? = nil) {
        self.period = period
        self.artistID = artistID
        self.eventID = eventID
        self.limit = limit
    }
}

extension EventsQuestion {
    package static let parameterNames = Period.parameterNames + ["artistId", "eventId", "limit"]

    package init(_ parameters: QueryParameters) throws(InvalidParameter) {
        self.init(
            period: try Period(parameters, granularity: .daily), artistID: try parameters.identifier("artistId"),
            eventID: try parameters.identifier("eventId"),
            limit: parameters["limit"] == nil
                ? nil : try parameters.integer("limit", in: 1...1_000_000_000, default: 1))
    }
}
