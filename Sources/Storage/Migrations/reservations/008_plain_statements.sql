-- What each booking does, of statements whose plans are kept: none with an array, whose plan would be made anew at each call
-- as it looks cheaper for the length of just that array, and none that takes more nodes to set up than rows to change.
--
-- The functions that programs of the version before call are as they were.

-- All that this changes, before anything of it is changed: a sale that has one of them waits for nothing else by then.
LOCK TABLE reservations, seat_claims IN ACCESS EXCLUSIVE MODE;

-- No row was ever left out by its condition, but a column in it is an indexed one, and each change of a claim's state wrote
-- all of its indexes. Pages keep room for the two changes of each claim.
CREATE UNIQUE INDEX seat_claims_one ON seat_claims (event_id, seat_id);
DROP INDEX seat_claims_live;
ALTER INDEX seat_claims_one RENAME TO seat_claims_live;
ALTER TABLE seat_claims SET (fillfactor = 60);

ALTER FUNCTION claim_seats(text, text[], text, text, text, timestamptz, timestamptz)
    SET plan_cache_mode = force_generic_plan;

-- Holds seats for a buyer: everything that has to be asked and done, in one round trip. `wanted` is distinct.
--
-- `outcome` is 'held' or why not; `seats` then names those at fault, `again_at` is when it is worth another try. The rest
-- is what was held. A buyer's holds are counted by `reservations_of_user`: he has few of the last days.
CREATE FUNCTION take_hold(
    new_id text, buyer text, visitor text, of_event text, wanted text[], admission text, new_policy jsonb,
    moment timestamptz, until timestamptz, max_live integer, max_hourly integer,
    OUT outcome text, OUT seats text[], OUT amount bigint, OUT again_at timestamptz, OUT held_seats text[],
    OUT held_prices bigint[], OUT artist_id text, OUT currency text, OUT title text, OUT starts_at timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    e events;
    seat text;
    its_price bigint;
    missing text[] := '{}';
    claimed bigint;
    unpaid bigint;
    recent bigint;
BEGIN
    SELECT * INTO e FROM events WHERE event_id = of_event;
    IF NOT FOUND THEN outcome := 'unknown_event'; RETURN; END IF;
    IF e.status <> 'scheduled' OR moment < e.sales_open_at OR moment >= e.sales_close_at THEN
        outcome := 'sales_closed'; RETURN;
    END IF;
    IF e.needs_admission AND admission IS NULL THEN outcome := 'admission_required'; RETURN; END IF;
    -- One at a time for each buyer: else two at once would each count without the other.
    PERFORM pg_advisory_xact_lock(hashtextextended('buyer ' || buyer, 0));
    SELECT count(*) INTO claimed FROM seat_claims c
    WHERE c.event_id = of_event AND c.user_id = buyer AND (c.state <> 'held' OR c.expires_at > moment);
    IF cardinality(wanted) + claimed > e.max_seats THEN outcome := 'too_many_seats'; RETURN; END IF;
    -- Over all events: an account costs nothing, and what it holds nobody else can buy. No hold lasts longer than a day.
    SELECT count(*) FILTER (WHERE o.state = 'confirming' OR o.state = 'held' AND o.expires_at > moment),
        count(*) FILTER (WHERE o.created_at > moment - interval '1 hour')
    INTO unpaid, recent
    FROM reservations o WHERE o.user_id = buyer AND o.created_at > moment - interval '2 days';
    IF unpaid >= max_live THEN outcome := 'too_many_reservations'; RETURN; END IF;
    IF recent >= max_hourly THEN
        SELECT o.created_at + interval '1 hour' INTO again_at FROM reservations o
        WHERE o.user_id = buyer AND o.created_at > moment - interval '1 hour'
        ORDER BY o.created_at DESC, o.id DESC OFFSET max_hourly - 1 LIMIT 1;
        outcome := 'too_many_holds'; RETURN;
    END IF;
    IF admission IS NOT NULL AND EXISTS (SELECT FROM reservations WHERE admission_id = admission) THEN
        outcome := 'admission_used'; RETURN;
    END IF;
    held_seats := wanted;
    IF cardinality(wanted) > 1 THEN
        held_seats := ARRAY(SELECT w.seat FROM unnest(wanted) AS w (seat) ORDER BY w.seat);
    END IF;
    held_prices := '{}';
    amount := 0;
    FOREACH seat IN ARRAY held_seats LOOP
        SELECT s.price INTO its_price FROM seats s
        WHERE s.event_id = of_event AND s.seat_id = seat AND s.is_offered;
        IF FOUND THEN
            held_prices := held_prices || its_price;
            amount := amount + its_price;
        ELSE
            missing := missing || seat;
        END IF;
    END LOOP;
    IF cardinality(missing) > 0 THEN outcome := 'unknown_seats'; seats := missing; RETURN; END IF;
    claimed := 0;
    IF cardinality(held_seats) = 1 THEN
        seat := held_seats[1];
        INSERT INTO seat_claims (event_id, seat_id, reservation_id, user_id, state, expires_at)
        VALUES (of_event, seat, new_id, buyer, 'held', until) ON CONFLICT (event_id, seat_id) DO NOTHING;
        GET DIAGNOSTICS claimed = ROW_COUNT;
    END IF;
    -- Several, or one of which there is a claim: its hold may be over.
    IF claimed = 0 THEN
        seats := claim_seats(of_event, held_seats, new_id, buyer, 'held', until, moment);
        IF seats IS NOT NULL THEN outcome := 'seat_taken'; RETURN; END IF;
    END IF;
    INSERT INTO reservations (
        id, event_id, artist_id, user_id, visitor_id, state, seat_ids, prices, amount, currency, expires_at, policy,
        admission_id, created_at, changed_at)
    VALUES (
        new_id, of_event, e.artist_id, buyer, visitor, 'held', held_seats, held_prices, take_hold.amount, e.currency,
        until, new_policy, admission, moment, moment);
    INSERT INTO outbox (message_id, type, occurred_at, data)
    VALUES ('reservation.held:' || new_id, 'reservation.held', moment, json_strip_nulls(json_build_object(
        'reservationId', new_id, 'eventId', of_event, 'artistId', e.artist_id, 'visitorId', visitor))::text);
    outcome := 'held';
    artist_id := e.artist_id;
    currency := e.currency;
    title := e.title;
    starts_at := e.starts_at;
END $$;

-- Sells a reservation that this attempt is confirming: returns its tickets' ids in the order of their seats, or null where
-- it is anything else. Raises TK001 where a seat isn't claimed any more: then nothing of it is done.
--
-- The state is compared with a variable: with a constant a table that was empty when this was planned is searched by
-- `reservations_live`, whose first column isn't known here.
CREATE FUNCTION sell_seats(
    of_reservation text, for_payment text, approved_at timestamptz, moment timestamptz
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    was text := 'confirming';
    r reservations;
    claimed bigint;
    ticket text;
    tickets text[] := '{}';
BEGIN
    UPDATE reservations SET state = 'paid', paid_at = approved_at, version = version + 1, changed_at = moment
    WHERE id = of_reservation AND state = was AND payment_id = for_payment RETURNING * INTO r;
    IF NOT FOUND THEN RETURN NULL; END IF;
    UPDATE seat_claims SET state = 'sold', version = version + 1 WHERE reservation_id = of_reservation;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed <> cardinality(r.seat_ids) THEN
        RAISE EXCEPTION 'a reservation has lost a claim of its own' USING ERRCODE = 'TK001';
    END IF;
    FOR number IN 1 .. claimed LOOP
        ticket := gen_random_uuid();
        INSERT INTO tickets (id, reservation_id, event_id, seat_id, price, state)
        VALUES (ticket, of_reservation, r.event_id, r.seat_ids[number], r.prices[number], 'valid');
        tickets := tickets || ticket;
    END LOOP;
    INSERT INTO outbox (message_id, type, occurred_at, data)
    VALUES ('reservation.confirmed:' || of_reservation, 'reservation.confirmed', moment,
        json_strip_nulls(json_build_object('reservationId', of_reservation, 'eventId', r.event_id,
            'artistId', r.artist_id, 'visitorId', r.visitor_id))::text);
    RETURN tickets;
END $$;
