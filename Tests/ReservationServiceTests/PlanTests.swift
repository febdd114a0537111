import Core
import Platform
import Storage
import TestSupport
import Testing

@testable import ReservationService

/// Each hot question finds its rows by an index, with as many rows as there would be.
@Suite(.timeLimit(.minutes(5))) struct PlanTests {
    @Test func hotQuestionsUseTheirIndexes() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event()
            try await test.pool.withConnection { connection in
                try connection.execute(
                    """
                    INSERT INTO reservations (id, event_id, artist_id, user_id, state, seat_ids, prices, amount, currency,
                        expires_at, payment_id, paid_at, policy, created_at, changed_at)
                    SELECT 'r' || n, \(event.id), 'a', 'u' || n % 5000, CASE WHEN n % 50 = 0 THEN 'held' ELSE 'paid' END,
                        ARRAY['s' || n], ARRAY[1], 1, 'KRW', now() + n * interval '1 second', 'p', now(), '{}',
                        now() - n * interval '1 second', now()
                    FROM generate_series(1, 20000) AS n
                    """)
                try connection.execute(
                    """
                    INSERT INTO seat_claims (event_id, seat_id, reservation_id, user_id, state, expires_at)
                    SELECT CASE WHEN n % 4 = 0 THEN \(event.id) ELSE 'e' || n % 4 END, 's' || n, 'r' || n,
                        'u' || n % 5000, 'sold', now()
                    FROM generate_series(1, 20000) AS n
                    """)
                try connection.execute(
                    """
                    INSERT INTO tickets (id, reservation_id, event_id, seat_id, price, state)
                    SELECT 't' || n, 'r' || n, \(event.id), 's' || n, 1, 'valid' FROM generate_series(1, 20000) AS n
                    """)
                try connection.execute(
                    """
                    INSERT INTO events (event_id, title, artist_id, status, sales_open_at, sales_close_at, starts_at,
                        currency, max_seats, needs_admission, version, copied_at, stale_since, availability_due)
                    SELECT 'e' || n, 't', 'a', 'scheduled', now(), now(), now(), 'KRW', 4, false, 1, now(),
                        CASE WHEN n % 1000 = 0 THEN now() END, n % 1000 = 0
                    FROM generate_series(1, 20000) AS n
                    """)
                try connection.execute(
                    """
                    INSERT INTO seats (event_id, seat_id, position, section, "row", number, price)
                    SELECT 'e' || 1 + n % 40, 's' || n, n, 'A', '1', '1', 1 FROM generate_series(1, 20000) AS n
                    """)
                try connection.execute(
                    "INSERT INTO announced_events SELECT 'a' || n FROM generate_series(1, 20000) AS n")
                try connection.execute(
                    "INSERT INTO released_payments SELECT 'p' || n, now() FROM generate_series(1, 20000) AS n")
                for table in [
                    "events", "seats", "announced_events", "released_payments", "reservations", "seat_claims",
                    "tickets",
                ] {
                    try connection.execute("ANALYZE \(unescaped: table)")
                }
                let questions: [(SQL, String)] = [
                    (ReservationStore.pageStatement(of: "u7", after: nil, limit: 20), "reservations_of_user"),
                    (Sweeper.overdue(test.clock.now), "reservations_held"),
                    ("\(sql: Reservation.select) WHERE r.id = \("r7")", "reservations_pkey"),
                    ("\(sql: Ticket.select) WHERE t.reservation_id = \("r7")", "tickets_of_reservation"),
                    (SeatMaps.liveClaims(event.id, nowMs: test.clock.now), "seat_claims_"),
                    (OrganizerCancellation.live(event.id), "reservations_"),
                    // The statements of keep_seats and sell_seats.
                    ("SELECT FROM reservations WHERE id = \("r7") FOR UPDATE", "reservations_pkey"),
                    ("SELECT FROM released_payments WHERE payment_id = \("p7")", "released_payments_pkey"),
                    (
                        "UPDATE seat_claims SET state = 'confirming' WHERE reservation_id = \("r7")",
                        "seat_claims_of_reservation"
                    ),
                    (
                        """
                        UPDATE reservations SET state = 'paid' WHERE id = \("r7") AND state = \("confirming")
                            AND payment_id = \("p")
                        """, "reservations_pkey"
                    ),
                    // The statements of take_hold and claim_seats.
                    (
                        """
                        SELECT count(*) FROM seat_claims c
                        WHERE c.event_id = \(event.id) AND c.user_id = \("u7") AND c.state <> 'held'
                        """, "seat_claims_of_buyer"
                    ),
                    (
                        """
                        SELECT seat_id FROM seat_claims WHERE event_id = \(event.id) AND seat_id = \("s1")
                            AND state IN ('held', 'confirming', 'sold') LIMIT 1
                        """, "seat_claims_live"
                    ),
                    (
                        """
                        SELECT count(*) FILTER (WHERE state = 'confirming') FROM reservations
                        WHERE user_id = \("u7") AND created_at > now() - interval '2 days'
                        """, "reservations_of_user"
                    ),
                    (
                        """
                        SELECT created_at FROM reservations
                        WHERE user_id = \("u7") AND created_at > now() - interval '1 hour'
                        ORDER BY created_at DESC, id DESC OFFSET 29 LIMIT 1
                        """, "reservations_of_user"
                    ),
                    (AvailabilityFeed.due, "events_availability_due"),
                    (AvailabilityFeed.soldOut(among: ["e2", "e7"], now: test.clock.now), "seat_claims_"),
                    (EventCopies.stale(test.clock.now), "events_stale"),
                    (EventCopies.lookup(event.id), "announced_events_pkey"),
                    ("SELECT FROM seat_claims WHERE reservation_id = \("r7")", "seat_claims_of_reservation"),
                    ("SELECT FROM reservations WHERE admission_id = \("x")", "reservations_admission"),
                ]
                for (sql, index) in questions {
                    let plan = try connection.query("EXPLAIN \(sql: sql)").map { try $0.get(0, as: String.self) }
                        .joined(separator: "\n")
                    #expect(plan.contains(index), "\(plan)")
                    #expect(!plan.contains("Seq Scan on reservations"), "\(plan)")
                    #expect(!plan.contains("Seq Scan on seat_claims"), "\(plan)")
                    #expect(!plan.contains("Seq Scan on events"), "\(plan)")
                    #expect(!plan.contains("Seq Scan on seats"), "\(plan)")
                }
            }
        }
    }

    /// In the first minute of a sale nothing has been counted yet (ANALYZE), and plans were made when tables were empty.
    @Test func aSaleReadsItsOwnSeatsAlone() async throws {
        try await ServiceUnderTest.run { test in
            let event = try await test.event { $0.seatCount = 1_000 }
            for (number, seat) in event.seatIds.prefix(300).enumerated() {
                _ = try await test.held(event, "buyer \(number)", [seat])
            }
            let now = PostgresTimestamp(ms: test.clock.now)
            let until = PostgresTimestamp(ms: test.clock.now + 600_000)
            let read = try await test.pool.withConnection { connection in
                try connection.transaction { connection in
                    for (number, seat) in event.seatIds.dropFirst(300).prefix(10).enumerated() {
                        let id = "last \(number)"
                        let outcome = try connection.query(
                            """
                            SELECT outcome FROM take_hold(\(id), \(id), NULL, \(event.id), \([seat]), NULL,
                                \(RefundPolicy.v1.json)::jsonb, \(now), \(until), 100, 1000)
                            """)[0].get(0, as: String.self)
                        #expect(outcome == "held")
                        let isKept = try connection.query(
                            "SELECT keep_seats(\(id), \("p" + id), \(event.price), \(now), \(until))")[0]
                            .get(0, as: Bool.self)
                        #expect(isKept)
                        let sale = ReservationStore.sellStatement(
                            id, paymentId: "p" + id, approvedAt: test.clock.now, now: test.clock.now)
                        #expect(try connection.query(sale)[0].get(0, as: [String].self).count == 1)
                    }
                    return try connection.query(
                        """
                        SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables
                        WHERE relname IN ('seats', 'seat_claims', 'reservations')
                        """)[0].get(0, as: Int.self)
                }
            }
            // A dozen for each of ten bookings; each seat of the event for one of them would be more.
            #expect(read < 300)
        }
    }
}
