import Core
import Storage

/// Steps of the funnel that are not in the traffic rollups.
enum FunnelQueries {
    static func reservations(_ instants: Range<Int64>) -> SQL {
        """
        SELECT count(*) FROM reservation_states
        WHERE confirmed_at >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND confirmed_at < \(PostgresTimestamp(ms: instants.upperBound))
        """
    }

    /// Columns: bucket, reservations of the event. Buckets without any are left out.
    static func reservations(_ buckets: [(bucket: Int32, instants: Range<Int64>)], eventID: String) -> SQL {
        """
        SELECT r.bucket, count(*) FROM \(sql: .table(buckets))
        JOIN reservation_states s ON s.confirmed_at >= r.first AND s.confirmed_at < r.next AND s.event_id = \(eventID)
        GROUP BY r.bucket
        """
    }
}
