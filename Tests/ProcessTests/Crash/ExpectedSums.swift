import Core
import Storage

/// The sums that the counted beacons must give, added up one by one.
struct ExpectedSums {
    struct Bucket: Hashable {
        /// `artist`, `event` or `site`.
        var family: String
        var entity: String
        /// `hourly`, `daily` or `monthly`.
        var grain: String
        /// `2025-12-05 10`, UTC; or the reporting day; or the first of the reporting month.
        var start: String
    }

    struct Sum: Equatable {
        var pageViews: Int64 = 0
        var seatViews: Int64 = 0
        var beacons: Int64 = 0
    }

    private(set) var sums: [Bucket: Sum] = [:]
    /// By the Redis counter's name.
    private var counters: [String: Int64] = [:]
    private let calendar: ReportingCalendar

    init(calendar: ReportingCalendar) {
        self.calendar = calendar
    }

    /// Adds a beacon that counts.
    mutating func add(_ position: StoredBeacons.Position, of load: BeaconLoad) {
        let instant = load.instant(ofRequest: position.request)
        let beacon = load.beacons.beacon(position.request, position.row)
        let day = calendar.day(of: instant)
        let starts = [
            ("hourly", Instant.iso8601(ReportingCalendar.startOfHour(instant))), ("daily", "\(day)"),
            ("monthly", "\(day.firstOfMonth)"),
        ]
        var entities = [("artist", beacon.artist), ("site", "all")]
        if let event = beacon.event { entities.append(("event", event)) }
        for (family, entity) in entities {
            for (grain, start) in starts {
                let bucket = Bucket(family: family, entity: entity, grain: grain, start: start)
                var sum = sums[bucket] ?? Sum()
                sum.beacons += 1
                if beacon.isPageView { sum.pageViews += 1 } else { sum.seatViews += 1 }
                sums[bucket] = sum
            }
        }
        guard beacon.isPageView else { return }
        counters[CounterKey.artistViews(beacon.artist, on: day), default: 0] += 1
        if let event = beacon.event { counters[CounterKey.eventViews(event, on: day), default: 0] += 1 }
    }

    /// Those of days that are long over expire.
    func livingCounters(at now: Int64) -> [String: Int64] {
        let oldest = (calendar.day(of: now) - CounterKey.daysKept).compact
        return counters.filter { $0.key.suffix(8) >= oldest }
    }

    /// What the rollup tables say.
    static func stored(on connection: PostgresConnection) throws -> [Bucket: Sum] {
        var sums: [Bucket: Sum] = [:]
        for family in ["artist", "event", "site"] {
            for (grain, column) in [("hourly", "hour"), ("daily", "day"), ("monthly", "month")] {
                let start =
                    grain == "hourly" ? #"to_char(hour, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"# : "\(column)::text"
                for row in try connection.query(
                    """
                    SELECT \(unescaped: family)_id, \(unescaped: start), page_views, seat_views, beacons
                    FROM \(unescaped: family)_traffic_\(unescaped: grain)
                    """)
                {
                    let bucket = Bucket(
                        family: family, entity: try row.get(0), grain: grain, start: try row.get(1))
                    sums[bucket] = Sum(
                        pageViews: try row.get(2), seatViews: try row.get(3), beacons: try row.get(4))
                }
            }
        }
        return sums
    }
}
