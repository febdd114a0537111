import Core
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

    /// - Throws: `InvalidQuestion` where there are too many groups.
    mutating func add(_ batch: BeaconBatch) throws(InvalidQuestion) {
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
        case .referrer: text.flatMap(ReferrerHost.host(of:))
        case .path, .country, .artist, .event: text
        }
    }

    private mutating func group(of key: String?) throws(InvalidQuestion) -> Int {
        let text = key.map { ExactText($0) }
        if let place = places[text] { return place }
        keyBytes += key?.utf8.count ?? 0
        guard places.count < maxGroups, keyBytes <= Self.maxKeyBytes else {
            throw InvalidQuestion(
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

    var rows: [TopAnswer.Row] {
        var list = TopList<OptionalKey>(maxCount: question.limit)
        for (key, place) in places {
            let value = question.metric == .uniqueVisitors ? Int64(sketches[place].value) : counts[place]
            list.add(OptionalKey(text: key), value)
        }
        return list.items.map { TopAnswer.Row(key: $0.key.text?.string, name: nil, value: $0.value) }
    }

    /// No value comes after every value.
    private struct OptionalKey: Comparable, Sendable {
        let text: ExactText?

        static func < (left: OptionalKey, right: OptionalKey) -> Bool {
            guard let leftText = left.text else { return false }
            guard let rightText = right.text else { return true }
            return leftText < rightText
        }
    }
}
