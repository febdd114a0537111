import Core
import Storage

/// Money, bucket by bucket.
enum RevenueQueries {
    /// Which stored rows make up each bucket.
    struct Parts {
        var months: [(bucket: Int32, days: ClosedRange<Day>)] = []
        var days: [(bucket: Int32, days: ClosedRange<Day>)] = []
        var hours: [(bucket: Int32, instants: Range<Int64>)] = []
        var ledger: [(bucket: Int32, instants: Range<Int64>)] = []

        /// All of it, without regard to buckets.
        private(set) var cover = Cover()

        var explanation: Explanation {
            var explanation = Explanation()
            explanation.say(cover, table: { "revenue_\($0.suffix)" }, source: "revenue_ledger")
            return explanation
        }

        mutating func append(_ cover: Cover, to bucket: Int) {
            self.cover.append(cover)
            let bucket = Int32(bucket)
            months += cover.months.map { (bucket, $0) }
            days += cover.days.map { (bucket, $0) }
            hours += cover.hours.map { (bucket, $0) }
            ledger += cover.sources.map { (bucket, $0) }
        }
    }

    /// Columns: bucket, five sums, top artist's id, name and revenue. Buckets without rows are left out.
    static func buckets(_ parts: Parts, currency: String, artistID: String?) -> SQL {
        """
        WITH parts AS (
        \(sql: rows(parts, .one(currency), artistID: artistID))
        ), by_artist AS (
            SELECT bucket, artist_id, \(sql: sums) FROM parts GROUP BY bucket, artist_id
        ), by_bucket AS (
            SELECT bucket, \(sql: sums),
                   (array_agg(artist_id ORDER BY gross - refunds DESC, artist_id COLLATE "C")
                    FILTER (WHERE gross > refunds))[1] AS top_artist,
                   max(gross - refunds) AS top_revenue
            FROM by_artist GROUP BY bucket
        )
        SELECT bucket, gross, refunds, orders, tickets, refunded_tickets, top_artist,
               (SELECT name FROM artist_names WHERE artist_id = top_artist), top_revenue
        FROM by_bucket
        """
    }

    /// Columns: bucket, currency, five sums.
    ///
    /// - Parameter currencies: those of the rollups. The ledger is read in all of its.
    static func totals(_ parts: Parts, currencies: [String], eventID: String? = nil) -> SQL {
        """
        WITH parts AS (
        \(sql: rows(parts, .all(currencies), artistID: nil, eventID: eventID))
        )
        SELECT bucket, currency, \(sql: sums) FROM parts GROUP BY bucket, currency
        """
    }

    /// The few currencies there are, each found by one descent of an index: no index begins with the day.
    static let currencies: SQL = """
        WITH RECURSIVE known AS (
            (SELECT currency FROM revenue_hourly ORDER BY currency LIMIT 1)
            UNION ALL
            SELECT (SELECT h.currency FROM revenue_hourly h WHERE h.currency > k.currency ORDER BY h.currency LIMIT 1)
            FROM known k WHERE k.currency IS NOT NULL
        )
        SELECT currency FROM known WHERE currency IS NOT NULL
        """

    /// Columns: id, revenue; the best first.
    static func top(_ parts: Parts, by dimension: TopQuestion.Dimension, currency: String, limit: Int) -> SQL {
        let id = dimension == .event ? "event_id" : "artist_id"
        return """
            WITH parts AS (
            \(sql: rows(parts, .one(currency), artistID: nil))
            )
            SELECT \(unescaped: id), sum(gross - refunds)::bigint AS revenue FROM parts
            GROUP BY \(unescaped: id) HAVING sum(gross - refunds) <> 0
            ORDER BY revenue DESC, \(unescaped: id) COLLATE "C" LIMIT \(Int64(limit))
            """
    }

    private static let sums: SQL = """
        sum(gross)::bigint AS gross, sum(refunds)::bigint AS refunds, sum(orders)::bigint AS orders, \
        sum(tickets)::bigint AS tickets, sum(refunded_tickets)::bigint AS refunded_tickets
        """

    private enum Currency {
        case one(String)
        case all([String])
    }

    private static func rows(
        _ parts: Parts, _ currency: Currency, artistID: String?, eventID: String? = nil
    ) -> SQL {
        let ofArtist: SQL = artistID.map { " AND t.artist_id = \($0)" } ?? ""
        let ofEvent: SQL = eventID.map { " AND t.event_id = \($0)" } ?? ""
        let narrowed: SQL = "\(sql: ofArtist)\(sql: ofEvent)"
        let ofCurrency: SQL
        let inLedger: SQL
        switch currency {
        case .one(let currency):
            ofCurrency = "t.currency = \(currency)"
            inLedger = " AND t.currency = \(currency)"
        case .all(let currencies):
            ofCurrency = "t.currency = ANY(\(currencies))"
            inLedger = ""
        }
        let columns: SQL =
            "r.bucket, t.currency, t.artist_id, t.event_id, t.gross, t.refunds, t.orders, t.tickets, t.refunded_tickets"
        var arms: [SQL] = []
        for (grain, ranges) in [(Grain.month, parts.months), (.day, parts.days)] where !ranges.isEmpty {
            arms.append(
                """
                SELECT \(sql: columns) FROM \(sql: .table(ranges))
                JOIN revenue_\(unescaped: grain.suffix) t ON \(sql: ofCurrency)
                  AND t.\(unescaped: grain.column) BETWEEN r.first AND r.last\(sql: narrowed)
                """)
        }
        if !parts.hours.isEmpty {
            arms.append(
                """
                SELECT \(sql: columns) FROM \(sql: .table(parts.hours))
                JOIN revenue_hourly t ON \(sql: ofCurrency) AND t.hour >= r.first AND t.hour < r.next\(sql: narrowed)
                """)
        }
        if !parts.ledger.isEmpty {
            arms.append(
                """
                SELECT r.bucket, t.currency, t.artist_id, t.event_id, greatest(t.amount, 0), greatest(-t.amount, 0),
                       t.orders, greatest(t.tickets, 0), greatest(-t.tickets, 0)
                FROM \(sql: .table(parts.ledger))
                JOIN revenue_ledger t ON t.occurred_at >= r.first AND t.occurred_at < r.next\(sql: inLedger)\(sql: narrowed)
                """)
        }
        return .unionAll(arms)
    }
}
