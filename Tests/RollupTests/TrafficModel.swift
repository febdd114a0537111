import Core
import Rollup

/// What the hours should hold, added up the slow and obvious way from single beacons.
struct TrafficModel {
    struct Bucket: Hashable, Comparable {
        var family: String
        var entity: ExactText
        var hour: Int64

        static func < (left: Bucket, right: Bucket) -> Bool {
            (left.family, left.entity, left.hour) < (right.family, right.entity, right.hour)
        }
    }

    struct Numbers: Equatable {
        var pageViews: Int64 = 0
        var beacons: Int64 = 0
        var visitors: Set<ExactText> = []
        var sessions: Int64 = 0
        var sessionMs: Int64 = 0
    }

    private(set) var counted: [Beacon] = []
    private var seen: Set<ExactText> = []

    /// Counts a beacon unless its id came before.
    mutating func add(_ beacon: Beacon) {
        if let id = beacon[.messageId] {
            let minute = floorDiv(beacon.claimed, 60_000)
            let key: ExactText = beacon.flags.contains(.stamped) ? "stamped \(id)" : "\(minute) \(id)"
            guard seen.insert(key).inserted else { return }
        }
        counted.append(beacon)
    }

    func entities(of beacon: Beacon) -> [(family: String, entity: ExactText)] {
        var entities: [(String, ExactText)] = [("site", "all")]
        if let artist = beacon[.artistId] { entities.append(("artist", ExactText(artist))) }
        if let event = beacon[.eventId] { entities.append(("event", ExactText(event))) }
        return entities
    }

    func hours() -> [Bucket: Numbers] {
        var hours: [Bucket: Numbers] = [:]
        var sessions: [ExactText: (family: String, entity: ExactText, instants: [Int64])] = [:]
        for beacon in counted {
            let hour = floorDiv(beacon.timestamp, 3_600_000) * 3_600_000
            let visitor = beacon[.visitorId] ?? beacon[.sessionId] ?? beacon[.clientHash]
            for (family, entity) in entities(of: beacon) {
                let bucket = Bucket(family: family, entity: entity, hour: hour)
                hours[bucket, default: Numbers()].beacons += 1
                if beacon[.eventType] == "page_view" { hours[bucket]!.pageViews += 1 }
                if let visitor { hours[bucket]!.visitors.insert(ExactText(visitor)) }
                if let key = beacon[.sessionId] ?? visitor {
                    sessions["\(family) \(entity) \(key)", default: (family, entity, [])].instants
                        .append(beacon.timestamp)
                }
            }
        }
        for (family, entity, instants) in sessions.values {
            var start: Int64?
            var last: Int64 = 0
            func close() {
                guard let start else { return }
                let bucket = Bucket(family: family, entity: entity, hour: floorDiv(start, 3_600_000) * 3_600_000)
                hours[bucket]!.sessions += 1
                hours[bucket]!.sessionMs += last - start
            }
            for instant in instants.sorted() {
                if start == nil || instant - last >= 30 * 60_000 {
                    close()
                    start = instant
                }
                last = instant
            }
            close()
        }
        return hours
    }
}
