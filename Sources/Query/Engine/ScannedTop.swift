import Core
import Platform
import Storage

/// Adds up raw beacons by what they say of page, referrer, country or device. Exact, in bounded memory.
struct ScannedTop {
    static let maxGroups = 100_000
    static let maxKeyBytes = 32 * 1024 * 1024
    /// With a sketch each.
    static let maxSketchedGroups = 5_000

    private let question: TopQuestion
    private let maxGroups: Int
    private var places: [ExactText?: Int] = [:]
    private var keyBytes = 0
    private var counts: [Int64] = []
    private var sketches: [VisitorSketch] = []
    /// All, those of nobody too.
    private(set) var beacons: Int64 = 0

    init(_ question: TopQuestion, maxGroups: Int? = nil) {
        self.question = question
        self.maxGroups = maxGroups ?? (question.metric == .uniqueVisitors ? Self.maxSketchedGroups : Self.maxGroups)
    }

    static func column(_ dimension: TopQuestion.Dimension) -> BeaconBatch.Text {
        switch dimension {
        case .path: .path
        case .referrer: .referrer
        case .country: .country
        case .device: .userAgent
        case .artist: .artistId
        case .event: .eventId
        }
    }

    static func columns(_ question: TopQuestion) -> ColumnSet {
        let key = ColumnSet(column(question.dimension))
        return question.metric == .uniqueVisitors
            ? key.union([.visitorId, .sessionId, .clientHash]) : key.union(.eventType)
    }

    /// - Throws: `InvalidParameter` where there are too many groups.
    mutating func add(_ batch: BeaconBatch) throws(InvalidParameter) {
        beacons += Int64(batch.count)
        let keys = batch[Self.column(question.dimension)]
        // Each distinct text is turned into a group once a batch, and only if one of its rows counts.
        var groups = [Int?](repeating: nil, count: keys.valueCount + 1)
        let pageView = batch[.eventType].code(of: "page_view")
        for row in 0..<batch.count {
            let code = Int(keys.codes[row])
            let visitor: UInt64?
            if question.metric == .uniqueVisitors {
                visitor = batch.visitorHash(at: row)
                if visitor == nil { continue }
            } else {
                visitor = nil
                if batch[.eventType].codes[row] != pageView { continue }
            }
            let group: Int
            if let known = groups[code] {
                group = known
            } else {
                group = try self.group(of: key(code == 0 ? nil : keys.string(ofValue: code - 1)))
                groups[code] = group
            }
            if let visitor { sketches[group].add(hash: visitor) } else { counts[group] += 1 }
        }
    }

    private func key(_ text: String?) -> String? {
        switch question.dimension {
        case .device: DeviceClass(userAgent: text).rawValue
        case .referrer: text.flatMap(ReferrerHost.host(of:)).map(BreakdownValue.of)
        case .path, .country: text.map(BreakdownValue.of)
        case .artist, .event: text
        }
    }

    private mutating func group(of key: String?) throws(InvalidParameter) -> Int {
        let text = key.map { ExactText($0) }
        if let place = places[text] { return place }
        keyBytes += key?.utf8.count ?? 0
        guard places.count < maxGroups, keyBytes <= Self.maxKeyBytes else {
            throw InvalidParameter(
                field: "by",
                detail:
                    "more than \(places.count) different values of \(question.dimension.rawValue) are in this range; "
                    + "narrow startDate to endDate, or give artistId")
        }
        let place = places.count
        places[text] = place
        if question.metric == .uniqueVisitors { sketches.append(VisitorSketch()) } else { counts.append(0) }
        return place
    }

    /// What was counted of a value, which is then no longer among `values`.
    mutating func remove(_ key: ExactText?) -> (count: Int64, visitors: VisitorSketch) {
        guard let place = places.removeValue(forKey: key) else { return (0, VisitorSketch()) }
        if question.metric == .uniqueVisitors { return (0, sketches[place]) }
        return (counts[place], VisitorSketch())
    }

    /// Nil stands for beacons that carry none.
    var values: [(key: ExactText?, value: Int64)] {
        places.map { key, place in
            (key, question.metric == .uniqueVisitors ? Int64(sketches[place].value) : counts[place])
        }
    }

    /// Of removed values too.
    var pageViews: Int64 { counts.reduce(0, +) }
    var visitors: VisitorSketch { sketches.reduce(into: VisitorSketch()) { $0.merge($1) } }

    var rows: [TopAnswer.Row] {
        var list = TopList<TopKey>(maxCount: question.limit)
        for (key, value) in values { list.add(TopKey(text: key), value) }
        return list.items.map { key, value in
            TopAnswer.Row(
                key: key.text?.string, value: value, atMost: question.metric == .uniqueVisitors ? nil : value)
        }
    }

    var coverage: TopCoverage {
        let missing = values.first { $0.key == nil }?.value ?? 0
        return TopCoverage(
            isExact: true, total: question.metric == .uniqueVisitors ? Int64(visitors.value) : pageViews,
            missing: missing, remainder: 0)
    }
}
