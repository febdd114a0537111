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
}
