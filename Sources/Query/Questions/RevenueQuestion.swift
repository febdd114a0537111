package import Platform

/// What was earned, bucket by bucket, in one currency.
package struct RevenueQuestion: Equatable, Sendable {
    package var period: Period
    package var currency: String
    package var artistID: String?
    package var compare: EarlierRange?

    package init(
        period: Period = Period(), currency: String = "KRW", artistID: String? = nil, compare: EarlierRange? = nil
    ) {
        self.period = period
        self.currency = currency
        self.artistID = artistID
        self.compare = compare
    }
}

extension RevenueQuestion {
    package static let granularities: [Granularity] = [.daily, .weekly, .monthly]
    package static let parameterNames = Period.parameterNames + ["period", "currency", "artistId", "compare"]

    /// - Parameter granularity: where the address fixes it; else parameter `period` says.
    package init(_ parameters: QueryParameters, granularity: Granularity? = nil) throws(InvalidParameter) {
        var chosen = granularity
        if chosen == nil { chosen = try parameters.choice("period", of: Self.granularities, default: .daily) }
        self.init(
            period: try Period(parameters, granularity: chosen!), currency: try parameters.currency(),
            artistID: try parameters.identifier("artistId"), compare: try EarlierRange.parse(parameters))
    }
}
