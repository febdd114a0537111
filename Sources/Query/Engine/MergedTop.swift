import Core
import Storage

/// Ranks the values of stored breakdowns together with those that were counted from raw beacons.
struct MergedTop {
    private let question: TopQuestion
    private var scanned: ScannedTop
    private var list: TopList<TopKey>
    private var missing: Int64 = 0
    private var remainder: Int64 = 0
    /// Page views, or for visitors beacons, of all values and of none.
    private var counted: Int64 = 0
    /// What a value that has no row on any day may have.
    private var hidden: Int64 = 0
    /// Visitors in remainders, and in all rows.
    private var others = VisitorSketch()
    private var all = VisitorSketch()

    init(_ question: TopQuestion, _ scanned: ScannedTop) {
        self.question = question
        self.scanned = scanned
        list = TopList(maxCount: question.limit)
    }

    /// Adds the stored rows; each value comes once, or its rows one after the other.
    mutating func add(_ days: [ClosedRange<Day>], on connection: PostgresConnection) throws {
        guard !days.isEmpty else { return }
        let (artistID, dimension) = (question.artistID, question.dimension)
        if question.metric == .uniqueVisitors {
            var last: (kind: String, value: ExactText, visitors: VisitorSketch)?
            try connection.stream(BreakdownQueries.sketches(artistID, dimension, days)) { row in
                let (kind, value) = (try row.get(0, as: String.self), ExactText(try row.get(1)))
                counted += try row.get(2, as: Int64.self)
                let visitors = try row.withBytes(3) { try VisitorSketch(bytes: $0) }
                if last?.kind == kind, last?.value == value {
                    last!.visitors.merge(visitors)
                } else {
                    if let last { add(last.kind, last.value, visitors: last.visitors) }
                    last = (kind, value, visitors)
                }
            }
            if let last { add(last.kind, last.value, visitors: last.visitors) }
        } else {
            try connection.stream(BreakdownQueries.pageViews(artistID, dimension, days)) { row in
                add(
                    try row.get(0), ExactText(try row.get(1)), pageViews: try row.get(2), excluded: try row.get(3))
            }
        }
    }

    private mutating func add(_ kind: String, _ value: ExactText, pageViews: Int64, excluded: Int64) {
        counted += pageViews
        switch kind {
        case "remainder":
            remainder += pageViews
            hidden += excluded
        case "missing": rank(TopKey(text: nil), pageViews + scanned.remove(nil).count)
        default: rank(TopKey(text: value, excluded: excluded), pageViews + scanned.remove(value).count)
        }
    }

    private mutating func add(_ kind: String, _ value: ExactText, visitors: VisitorSketch) {
        all.merge(visitors)
        if kind == "remainder" {
            others.merge(visitors)
            return
        }
        let text = kind == "missing" ? nil : value
        var visitors = visitors
        visitors.merge(scanned.remove(text).visitors)
        rank(TopKey(text: text), Int64(visitors.value))
    }

    private mutating func rank(_ key: TopKey, _ value: Int64) {
        if key.text == nil { missing = value }
        if value > 0 { list.add(key, value) }
    }

    /// - Parameter total: of the whole range, as the traffic tables have it.
    mutating func finish(total: TrafficCell) -> (rows: [TopAnswer.Row], coverage: TopCoverage) {
        let isOfVisitors = question.metric == .uniqueVisitors
        counted += isOfVisitors ? scanned.beacons : scanned.pageViews
        for (text, value) in scanned.values { rank(TopKey(text: text), value) }
        // What a day without a breakdown has, or one whose raw beacons were gone when more of it came.
        let unexplained = max(0, (isOfVisitors ? total.beacons : total.pageViews) - counted)
        if isOfVisitors {
            all.merge(scanned.visitors)
            let unseen = unexplained > 0 ? max(0, Int64(total.visitors.value) - Int64(all.value)) : 0
            return (
                list.items.map { .init(key: $0.key.text?.string, value: $0.value) },
                TopCoverage(
                    isExact: others.isEmpty && unexplained == 0, total: total.numbers.uniqueVisitors,
                    missing: missing, remainder: Int64(others.value) + unseen)
            )
        }
        let rest = remainder + unexplained
        let rows = list.items.map { key, value in
            let more = (key.text == nil ? 0 : hidden - key.excluded) + unexplained
            return TopAnswer.Row(key: key.text?.string, value: value, atMost: value + min(more, rest))
        }
        return (rows, TopCoverage(isExact: rest == 0, total: counted + unexplained, missing: missing, remainder: rest))
    }
}
