package import Platform

/// Which were most: artists, events, or what raw beacons tell about pages, referrers, countries and devices.
package struct TopQuestion: Equatable, Sendable {
    package enum Dimension: String, CaseIterable, Sendable {
        case artist, event, path, referrer, country, device

        /// Answered from the rollups; the others need a scan of raw batches.
        package var isRolledUp: Bool { self == .artist || self == .event }
    }

    package enum Metric: String, CaseIterable, Sendable {
        case pageViews, uniqueVisitors, sessions, revenue
    }

    package static let maxLimit = 100
    /// In an export, and there unless another is asked for.
    package static let maxExportLimit = 10_000
    /// The longest range for which raw batches are scanned.
    package static let maxScanDays = 31

    package var dimension: Dimension
    package var metric: Metric
    package var limit: Int
    /// Only the beacons of this artist; not for `by=artist` and `by=event`.
    package var artistID: String?
    /// For the metric revenue.
    package var currency: String
    package var period: Period

    package init(
        by dimension: Dimension, metric: Metric = .pageViews, limit: Int = 10, artistID: String? = nil,
        currency: String = "KRW", period: Period = Period()
    ) {
        self.dimension = dimension
        self.metric = metric
        self.limit = limit
        self.artistID = artistID
        self.currency = currency
        self.period = period
    }
}

extension TopQuestion {
    package static let parameterNames = Period.parameterNames + ["by", "metric", "limit", "artistId", "currency"]

    /// - Parameter maxLimit: more than the standard one for an export, whose standard it is, too.
    package init(_ parameters: QueryParameters, maxLimit: Int = maxLimit) throws(InvalidParameter) {
        guard parameters["by"] != nil else {
            throw InvalidParameter(
                field: "by",
                detail: "by is missing; it must be one of "
                    + Dimension.allCases.map(\.rawValue).joined(separator: ", "),
                allowed: Dimension.allCases.map(\.rawValue))
        }
        let dimension = try parameters.choice("by", of: Dimension.allCases, default: .artist)
        let metrics: [Metric] = dimension.isRolledUp ? Metric.allCases : [.pageViews, .uniqueVisitors]
        let artistID = try parameters.identifier("artistId")
        if artistID != nil && dimension.isRolledUp {
            throw InvalidParameter(
                field: "artistId", detail: "artistId narrows only by=path, referrer, country and device")
        }
        self.init(
            by: dimension, metric: try parameters.choice("metric", of: metrics, default: .pageViews),
            limit: try parameters.integer(
                "limit", in: 1...maxLimit, default: maxLimit == Self.maxLimit ? 10 : maxLimit), artistID: artistID,
            currency: try parameters.currency(), period: try Period(parameters, granularity: .daily))
    }
}
