-- What a delayed call may not do any more, and how much one buyer may keep from the others.

-- Attempts to pay that were given up: a call of such a one that arrives late keeps no seats.
CREATE TABLE released_payments (
    payment_id  text PRIMARY KEY,
    released_at timestamptz NOT NULL
);
CREATE INDEX released_payments_oldest ON released_payments (released_at);

-- What a buyer keeps from others and has not paid.
CREATE INDEX reservations_unpaid_of_user ON reservations (user_id) WHERE state IN ('held', 'confirming');

DROP FUNCTION hold_seats(text, text, text, text, text[], text, jsonb, timestamptz, timestamptz);

-- Holds seats for a buyer: everything that has to be asked and done, in one round trip. `wanted` is distinct.
--
-- `outcome` is 'held' or why not; `seats` then names those at fault, `again_at` is when it is worth another try.
--
-- With arrays its plans would be made anew at each call, for half of its time: they are kept.
CREATE FUNCTION hold_seats(
    new_id text, buyer text, visitor text, of_event text, wanted text[], admission text, new_policy jsonb,
    moment timestamptz, until timestamptz, max_live integer, max_hourly integer,
    OUT outcome text, OUT seats text[], OUT amount bigint, OUT again_at timestamptz
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    e events;
    offered text[];
    their_prices bigint[];
    r reservations;
BEGIN
    SELECT * INTO e FROM events WHERE event_id = of_event;
    IF NOT FOUND THEN outcome := 'unknown_event'; RETURN; END IF;
    IF e.status <> 'scheduled' OR moment < e.sales_open_at OR moment >= e.sales_close_at THEN
        outcome := 'sales_closed'; RETURN;
    END IF;
    IF e.needs_admission AND admission IS NULL THEN outcome := 'admission_required'; RETURN; END IF;
    -- One at a time for each buyer: else two at once would each count without the other.
    PERFORM pg_advisory_xact_lock(hashtextextended('buyer ' || buyer, 0));
    IF cardinality(wanted) + (
        SELECT count(*) FROM seat_claims c
        WHERE c.event_id = of_event AND c.user_id = buyer AND (c.state <> 'held' OR c.expires_at > moment)
    ) > e.max_seats THEN
        outcome := 'too_many_seats'; RETURN;
    END IF;
    -- Over all events: an account costs nothing, and what it holds nobody else can buy.
    IF (
        SELECT count(*) FROM reservations o
        WHERE o.user_id = buyer AND o.state IN ('held', 'confirming')
            AND (o.state = 'confirming' OR o.expires_at > moment)
    ) >= max_live THEN
        outcome := 'too_many_reservations'; RETURN;
    END IF;
    SELECT o.created_at + interval '1 hour' INTO again_at FROM reservations o
    WHERE o.user_id = buyer AND o.created_at > moment - interval '1 hour'
    ORDER BY o.created_at DESC, o.id DESC OFFSET max_hourly - 1 LIMIT 1;
    IF FOUND THEN outcome := 'too_many_holds'; RETURN; END IF;
    IF admission IS NOT NULL AND EXISTS (SELECT FROM reservations WHERE admission_id = admission) THEN
        outcome := 'admission_used'; RETURN;
    END IF;
    SELECT array_agg(s.seat_id ORDER BY s.seat_id), array_agg(s.price ORDER BY s.seat_id), sum(s.price)
    INTO offered, their_prices, amount
    FROM unnest(wanted) AS w (seat), LATERAL (
        SELECT seat_id, price FROM seats WHERE event_id = of_event AND seat_id = w.seat AND is_offered LIMIT 1
    ) s;
    IF cardinality(coalesce(offered, '{}')) < cardinality(wanted) THEN
        outcome := 'unknown_seats';
        seats := ARRAY(SELECT seat FROM unnest(wanted) AS seat WHERE NOT seat = ANY (coalesce(offered, '{}')) ORDER BY 1);
        RETURN;
    END IF;
    seats := claim_seats(of_event, offered, new_id, buyer, 'held', until, moment);
    IF seats IS NOT NULL THEN outcome := 'seat_taken'; RETURN; END IF;
    INSERT INTO reservations (
        id, event_id, artist_id, user_id, visitor_id, state, seat_ids, prices, amount, currency, expires_at, policy,
        admission_id, created_at, changed_at)
    VALUES (
        new_id, of_event, e.artist_id, buyer, visitor, 'held', offered, their_prices, hold_seats.amount, e.currency,
        until, new_policy, admission, moment, moment)
    RETURNING * INTO r;
    PERFORM tell_reservation('reservation.held', r, moment);
    outcome := 'held';
END $$;
