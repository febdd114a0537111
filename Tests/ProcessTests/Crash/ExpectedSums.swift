import Core
import Storage

/// The sums that the counted beacons must give, added up one by one.
struct ExpectedSums: Equatable {
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
    private(set) var counters: [String: Int64] = [:]

    private init() {}

    init(_ stored: StoredBeacons, _ load: BeaconLoad, calendar: ReportingCalendar) {
        var days = DayLookup(calendar)
        for request in stored.batches.indices {
            let instant = load.instant(ofRequest: request)
            let hour = ReportingCalendar.startOfHour(instant)
            let day = days.day(of: instant)
            let starts = [
                ("hourly", Instant.iso8601(hour)), ("daily", "\(day)"), ("monthly", "\(day.firstOfMonth)"),
            ]
            for row in 0..<CrashScale.beaconsPerRequest {
                let count = Int64(stored.counts[request * CrashScale.beaconsPerRequest + row])
                guard count > 0 else { continue }
                let beacon = load.beacons.beacon(request, row)
                var entities = [("artist", beacon.artist), ("site", "all")]
                if let event = beacon.event { entities.append(("event", event)) }
                for (family, entity) in entities {
                    for (grain, start) in starts {
                        let bucket = Bucket(family: family, entity: entity, grain: grain, start: start)
                        sums[bucket, default: Sum()].beacons += count
                        if beacon.isPageView {
                            sums[bucket]!.pageViews += count
                        } else {
                            sums[bucket]!.seatViews += count
                        }
                    }
                }
                guard beacon.isPageView else { continue }
                counters[CounterKey.artistViews(beacon.artist, on: day), default: 0] += count
                if let event = beacon.event { counters[CounterKey.eventViews(event, on: day), default: 0] += count }
            }
        }
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
