import Core
import Storage

/// Stored breakdowns of an artist's days, or the site's.
enum BreakdownQueries {
    /// What the site's rows have for an artist's id: no artist has it.
    static let siteEntity = ""

    /// Columns: day.
    static func cutDays(
        _ artistID: String?, _ dimension: TopQuestion.Dimension, _ metric: TopQuestion.Metric, _ days: ClosedRange<Day>
    ) -> SQL {
        """
        SELECT day FROM traffic_breakdown_daily
        WHERE artist_id = \(artistID ?? siteEntity) AND dimension = \(dimension.rawValue)
          AND day >= \(days.lowerBound) AND day <= \(days.upperBound) AND kind = 'remainder'
          AND \(unescaped: metric == .uniqueVisitors ? "beacons" : "page_views") > 0
        """
    }

    /// One row: the last day of receipt of which raw batches are gone.
    static let lastDropped: SQL = "SELECT max(day) FROM dropped_event_days"

    /// Columns: kind, value, page views, and how many more there may be on the days on which the value has its row; of the
    /// remainder on all days. A value without a row has no more page views than the last one that has a row, nor than the
    /// remainder.
    static func pageViews(
        _ artistID: String?, _ dimension: TopQuestion.Dimension, _ days: [ClosedRange<Day>]
    ) -> SQL {
        """
        WITH parts AS (
            SELECT t.day, t.kind, t.value, t.page_views FROM \(sql: rows(artistID, dimension, days))
        ), hidden AS (
            SELECT day, least(min(page_views) FILTER (WHERE kind = 'value'),
                              max(page_views) FILTER (WHERE kind = 'remainder')) AS page_views
            FROM parts GROUP BY day HAVING max(page_views) FILTER (WHERE kind = 'remainder') > 0
        )
        SELECT p.kind, p.value, sum(p.page_views)::bigint, coalesce(sum(h.page_views), 0)::bigint
        FROM parts p LEFT JOIN hidden h USING (day) GROUP BY p.kind, p.value
        """
    }

    /// Columns: kind, value, beacons, sketch; the rows of one value next to each other.
    static func sketches(
        _ artistID: String?, _ dimension: TopQuestion.Dimension, _ days: [ClosedRange<Day>]
    ) -> SQL {
        """
        SELECT t.kind, t.value, t.beacons, t.visitors FROM \(sql: rows(artistID, dimension, days))
        ORDER BY t.kind, t.value
        """
    }

    private static func rows(
        _ artistID: String?, _ dimension: TopQuestion.Dimension, _ days: [ClosedRange<Day>]
    ) -> SQL {
        """
        \(sql: .table(days))
        JOIN traffic_breakdown_daily t ON t.artist_id = \(artistID ?? siteEntity)
          AND t.dimension = \(dimension.rawValue) AND t.day BETWEEN r.first AND r.last
        """
    }
}
