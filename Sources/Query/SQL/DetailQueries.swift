import Core
import Storage

/// Days whose breakdowns and funnels are older than their hours.
enum DetailQueries {
    /// What days are without: batches folded since.
    struct Behind: Equatable {
        /// The first of the days to the last.
        var days: ClosedRange<Day>
        var firstFold: Int64
        var markedAt: PostgresTimestamp
    }

    struct Stale: Equatable {
        var behind: Behind?
        /// Ascending: they may be without anything, or wrong.
        var unknown: [Day] = []
        /// Ascending: all of them.
        var days: [Day] = []
    }

    /// Columns: day, first fold, instant of the mark, whether it is a day old at most.
    static func marks(_ days: ClosedRange<Day>) -> SQL {
        """
        SELECT day, first_fold, marked_at, marked_at >= now() - interval '1 day' FROM detail_dirty
        WHERE day >= \(days.lowerBound) AND day <= \(days.upperBound) ORDER BY day
        """
    }

    static func stale(_ days: ClosedRange<Day>, on connection: PostgresConnection) throws -> Stale {
        var stale = Stale()
        for row in try connection.query(marks(days)) {
            let day = try row.get(0, as: Day.self)
            stale.days.append(day)
            // After a day a merged batch doesn't say any more when it was merged, and may have taken an earlier number.
            guard try row.get(3, as: Bool.self), let fold = try row.get(1, as: Int64?.self) else {
                stale.unknown.append(day)
                continue
            }
            let marked = try row.get(2, as: PostgresTimestamp.self)
            if let behind = stale.behind {
                stale.behind = Behind(
                    days: behind.days.lowerBound...day, firstFold: min(behind.firstFold, fold),
                    markedAt: PostgresTimestamp(ms: min(behind.markedAt.ms, marked.ms)))
            } else {
                stale.behind = Behind(days: day...day, firstFold: fold, markedAt: marked)
            }
        }
        return stale
    }

    /// Columns: payload, positions that repeat an earlier messageId.
    static func batchesSince(_ behind: Behind, _ instants: Range<Int64>) -> SQL {
        "SELECT e.payload, f.duplicates \(sql: since(behind, instants))"
    }

    /// One row: how many beacons the batches have, and the earliest receipt.
    static func addedSince(_ behind: Behind, _ instants: Range<Int64>) -> SQL {
        "SELECT coalesce(sum(e.beacons), 0)::bigint, min(e.received_at) \(sql: since(behind, instants))"
    }

    private static func since(_ behind: Behind, _ instants: Range<Int64>) -> SQL {
        """
        FROM rollup_folded f JOIN analytics_events e USING (received_day, node, seq)
        WHERE (f.fold_seq >= \(behind.firstFold) OR f.compacted_at >= \(behind.markedAt))
          AND e.received_day >= \(Day(midnightUTC: instants.lowerBound) - 1)
          AND e.max_time >= \(PostgresTimestamp(ms: instants.lowerBound))
          AND e.min_time < \(PostgresTimestamp(ms: instants.upperBound))
        """
    }
}
