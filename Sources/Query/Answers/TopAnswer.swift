package import Core
package import Platform

package struct TopAnswer: Answer, Equatable {
    package struct Row: Equatable, Sendable {
        /// Nil stands for beacons that carry none.
        package var key: String?
        package var name: String?
        package var value: Int64
        /// Page views that it may have where remainders hold some of them; nil where nothing is known of that.
        package var atMost: Int64?
    }

    package var dimension: TopQuestion.Dimension
    package var metric: TopQuestion.Metric
    package var currency: String
    package var days: ClosedRange<Day>
    package var timeZone: String
    package var rows: [Row]
    /// Nil for artists and events: each has a row of its own.
    package var coverage: TopCoverage?
    package var freshness: Freshness
    package var complete: Bool
    package var explanation = Explanation()

    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("by", dimension.rawValue)
            json.member("metric", metric.rawValue)
            if metric == .revenue { json.member("currency", currency) }
            json.member("period") { json in
                json.member("start", days.lowerBound.description)
                json.member("end", days.upperBound.description)
            }
            json.member("items", array: rows.enumerated()) { json, item in
                write(item.element, rank: item.offset + 1, to: &json)
            }
            coverage?.write(to: &json)
            freshness.write(to: &json, complete: complete)
        }
    }

    private var hasBounds: Bool { coverage != nil && metric == .pageViews }

    func write(_ row: Row, rank: Int, to json: inout JSONWriter) {
        json.object { json in
            json.member("rank", Int64(rank))
            json.member(dimension.isRolledUp ? "id" : dimension.rawValue, row.key)
            if dimension.isRolledUp { json.member("name", row.name) }
            json.member(metric.rawValue, row.value)
            if hasBounds { json.member("atMost", row.atMost) }
        }
    }

    package var sheet: Sheet {
        var columns: [Sheet.Column] = [.number("rank", "#")]
        columns.append(.text(dimension.isRolledUp ? "id" : dimension.rawValue, dimension.rawValue))
        if dimension.isRolledUp { columns.append(.text("name", "name")) }
        columns.append(.number(metric.rawValue, metric.heading))
        if hasBounds { columns.append(.number("atMost", "at most")) }
        return Sheet(
            title: "top by \(dimension.rawValue), \(days.lowerBound) to \(days.upperBound), \(timeZone)"
                + (metric == .revenue ? ", \(currency)" : ""),
            columns: columns,
            rows: rows.enumerated().map { index, row in
                [.count(Int64(index + 1)), .text(row.key)] + (dimension.isRolledUp ? [.text(row.name)] : [])
                    + [metric == .revenue ? .money(row.value, currency: currency) : .count(row.value)]
                    + (hasBounds ? [.count(row.atMost)] : [])
            },
            notes: notes)
    }

    private var notes: [String] {
        guard let coverage, !coverage.isExact else { return [freshness.note(complete: complete)] }
        let what = "of \(dimension.rawValue) values that are not kept apart"
        return [
            metric == .uniqueVisitors
                ? "\(coverage.remainder) visitors came with beacons \(what): each number is a lower bound"
                : "\(coverage.remainder) of \(coverage.total) page views are \(what): each number is a lower bound",
            freshness.note(complete: complete),
        ]
    }
}

extension TopQuestion.Metric {
    var heading: String {
        switch self {
        case .pageViews: "page views"
        case .uniqueVisitors: "unique visitors"
        case .sessions: "sessions"
        case .revenue: "revenue"
        }
    }
}
