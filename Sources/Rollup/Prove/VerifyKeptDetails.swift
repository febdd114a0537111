import Core
import Storage

/// Compares breakdowns of days whose raw beacons are gone with the days of their artists and of the site: no longer can
/// anything be counted again.
enum VerifyKeptDetails {
    private static let table = "traffic_breakdown_daily"

    private struct List: Hashable {
        var artist: ExactText
        var day: Day
    }

    private struct Sums: Equatable {
        var pageViews: Int64
        var beacons: Int64
    }

    /// - Parameter days: those that are not compared with raw beacons.
    static func compare(
        _ days: ClosedRange<Day>, dirty: DirtyBuckets, into report: inout Verify.Report,
        on connection: PostgresConnection
    ) throws {
        let waiting = try VerifyDetails.dirty(days, on: connection)
        var current: (list: List, sums: [String: Sums])?
        var findings = report
        try connection.stream(
            """
            SELECT b.artist_id, b.day, b.dimension, b.page_views::text, b.beacons::text,
                coalesce(a.page_views, s.page_views), coalesce(a.beacons, s.beacons)
            FROM (
                SELECT artist_id, day, dimension, sum(page_views) AS page_views, sum(beacons) AS beacons
                FROM traffic_breakdown_daily WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound)
                GROUP BY artist_id, day, dimension
            ) b
            LEFT JOIN artist_traffic_daily a ON b.artist_id <> \(Breakdown.siteEntity.string)
                AND a.artist_id = b.artist_id AND a.day = b.day
            LEFT JOIN site_traffic_daily s ON b.artist_id = \(Breakdown.siteEntity.string) AND s.day = b.day
            ORDER BY b.day, b.artist_id, b.dimension
            """
        ) { row in
            let list = List(artist: ExactText(try row.get(0)), day: try row.get(1))
            guard findings.hasRoom, !waiting.contains(list.day), !isWaiting(list, dirty) else { return }
            let dimension = try row.get(2, as: String.self)
            func add(_ difference: String) {
                findings.add(table, "\(list.artist) \(dimension)", "\(list.day)", difference)
            }
            // Sums of numerics, which may be more than any number of ours.
            guard let views = Int64(try row.get(3, as: String.self)),
                let beacons = Int64(try row.get(4, as: String.self))
            else { return add("its sums are more than there can be") }
            let sums = Sums(pageViews: views, beacons: beacons)
            guard let dayViews = try row.get(5, as: Int64?.self), let dayBeacons = try row.get(6, as: Int64?.self)
            else { return add("its day has no row") }
            // Beacons that came once raw was gone are in the day, and in no breakdown.
            if sums.pageViews > dayViews || sums.beacons > dayBeacons {
                add(
                    "page_views \(sums.pageViews) and beacons \(sums.beacons), its day has \(dayViews) and \(dayBeacons)"
                )
            }
            if current?.list != list { current = (list, [:]) }
            if let other = current!.sums.first(where: { $0.value != sums }) {
                add("page_views \(sums.pageViews) and beacons \(sums.beacons), those by \(other.key) add up to others")
            }
            current!.sums[dimension] = sums
        }
        report = findings
    }

    private static func isWaiting(_ list: List, _ dirty: DirtyBuckets) -> Bool {
        list.artist == Breakdown.siteEntity
            ? dirty.contains(.site, .day, TrafficFamily.siteEntity, list.day)
            : dirty.contains(.artist, .day, list.artist, list.day)
    }
}
