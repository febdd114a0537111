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

    /// Columns: day, sketches of viewers and seat viewers.
    static func viewers(_ days: ClosedRange<Day>, eventID: String) -> SQL {
        """
        SELECT day, viewers, seat_viewers FROM event_funnel_daily
        WHERE event_id = \(eventID) AND day >= \(days.lowerBound) AND day <= \(days.upperBound)
        """
    }

    /// Columns: day, sketches of reservers and payers, reservations and payments without a visitor.
    static func bookers(_ days: ClosedRange<Day>, except changed: [Day], eventID: String) -> SQL {
        """
        SELECT day, reservers, payers, reservations_without_visitor, payments_without_visitor FROM event_booking_daily
        WHERE event_id = \(eventID) AND day >= \(days.lowerBound) AND day <= \(days.upperBound)
          AND day <> ALL (\(changed))
        """
    }

    /// Columns: bucket, whether it is a payment, visitor's hash or null, how many; as `bookers` is derived.
    static func bookings(_ buckets: [(bucket: Int32, instants: Range<Int64>)], eventID: String) -> SQL {
        """
        SELECT r.bucket, false, s.visitor, count(*) FROM \(sql: .table(buckets))
        JOIN reservation_states s ON s.confirmed_at >= r.first AND s.confirmed_at < r.next AND s.event_id = \(eventID)
        GROUP BY r.bucket, s.visitor
        UNION ALL
        SELECT r.bucket, true, l.visitor, count(*) FROM \(sql: .table(buckets))
        JOIN revenue_ledger l ON l.occurred_at >= r.first AND l.occurred_at < r.next AND l.event_id = \(eventID)
            AND l.kind = 'payment'
        GROUP BY r.bucket, l.visitor
        """
    }
}
