-- Copies of what Events decides, and who has which seat of it.

-- An event as it was copied last.
CREATE TABLE events (
    event_id        text PRIMARY KEY,
    title           text NOT NULL,
    artist_id       text NOT NULL,
    -- closed: neither of the two; nothing is sold.
    status          text NOT NULL CHECK (status IN ('scheduled', 'canceled', 'closed')),
    sales_open_at   timestamptz NOT NULL,
    sales_close_at  timestamptz NOT NULL,
    starts_at       timestamptz NOT NULL,
    currency        text NOT NULL,
    max_seats       integer NOT NULL CHECK (max_seats > 0),
    needs_admission boolean NOT NULL,
    -- Events' own: a copy of an older one changes nothing.
    version         bigint NOT NULL,
    -- When the copy was asked for, by our clock.
    copied_at       timestamptz NOT NULL,
    -- Told that it has changed, then; null once it is copied again.
    stale_since     timestamptz,
    -- Canceled by the organiser: what is held or paid is still to be given back.
    canceling       boolean NOT NULL DEFAULT false
);
CREATE INDEX events_stale ON events (event_id) WHERE stale_since IS NOT NULL;
CREATE INDEX events_canceling ON events (event_id) WHERE canceling;

CREATE TABLE seats (
    event_id   text NOT NULL REFERENCES events,
    seat_id    text NOT NULL,
    -- Its place in the layout.
    position   integer NOT NULL,
    section    text NOT NULL,
    "row"      text NOT NULL,
    number     text NOT NULL,
    price      bigint NOT NULL CHECK (price >= 0),
    -- False once the layout has it no more. It stays for those who bought it.
    is_offered boolean NOT NULL DEFAULT true,
    PRIMARY KEY (event_id, seat_id)
);

CREATE TABLE reservations (
    id           text PRIMARY KEY,
    event_id     text NOT NULL,
    artist_id    text NOT NULL,
    user_id      text NOT NULL,
    visitor_id   text,
    state        text NOT NULL CHECK (state IN ('held', 'confirming', 'paid', 'expired', 'canceled')),
    -- In the order of their ids, with the prices at which they were held.
    seat_ids     text[] NOT NULL,
    prices       bigint[] NOT NULL,
    amount       bigint NOT NULL CHECK (amount >= 0),
    currency     text NOT NULL,
    -- The hold's first deadline.
    expires_at   timestamptz NOT NULL,
    -- The attempt that is being confirmed, or that has paid.
    payment_id   text,
    paid_at      timestamptz,
    -- What cancelling gives back: fixed when it was booked.
    policy       jsonb NOT NULL,
    -- The admission token's jti: each lets in once.
    admission_id text CONSTRAINT reservations_admission UNIQUE,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    CHECK (cardinality(seat_ids) = cardinality(prices) AND cardinality(seat_ids) > 0),
    CHECK (state NOT IN ('confirming', 'paid') OR payment_id IS NOT NULL),
    CHECK (state <> 'paid' OR paid_at IS NOT NULL)
);
CREATE INDEX reservations_of_user ON reservations (user_id, created_at DESC, id DESC);
CREATE INDEX reservations_held ON reservations (expires_at) WHERE state = 'held';
CREATE INDEX reservations_live ON reservations (event_id, id) WHERE state IN ('held', 'confirming', 'paid');

-- Who has a seat now: none has it where there is no row. Locked after its reservation, in the order of the seats' ids.
CREATE TABLE seat_claims (
    event_id       text NOT NULL,
    seat_id        text NOT NULL,
    reservation_id text NOT NULL,
    user_id        text NOT NULL,
    state          text NOT NULL CHECK (state IN ('held', 'confirming', 'sold')),
    -- Meaningless once it is sold.
    expires_at     timestamptz NOT NULL,
    -- Grows with each change, also of who has it.
    version        bigint NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX seat_claims_live ON seat_claims (event_id, seat_id)
    WHERE state IN ('held', 'confirming', 'sold');
CREATE INDEX seat_claims_of_reservation ON seat_claims (reservation_id);
CREATE INDEX seat_claims_of_buyer ON seat_claims (event_id, user_id);

CREATE TABLE tickets (
    id             text PRIMARY KEY,
    reservation_id text NOT NULL REFERENCES reservations,
    event_id       text NOT NULL,
    seat_id        text NOT NULL,
    price          bigint NOT NULL,
    state          text NOT NULL CHECK (state IN ('valid', 'used', 'void')),
    -- In the signed payload: a reissue would make earlier ones worthless.
    issue          integer NOT NULL DEFAULT 1 CHECK (issue BETWEEN 1 AND 65535),
    used_at        timestamptz,
    CHECK ((state = 'used') <= (used_at IS NOT NULL))
);
CREATE INDEX tickets_of_reservation ON tickets (reservation_id);
-- Whatever else goes wrong, two people never stand before one seat.
CREATE UNIQUE INDEX tickets_of_seat ON tickets (event_id, seat_id) WHERE state <> 'void';

-- What was canceled of paid reservations, and what is to be given back for it.
CREATE TABLE cancellations (
    id             text PRIMARY KEY,
    reservation_id text NOT NULL REFERENCES reservations,
    ticket_ids     text[] NOT NULL,
    amount         bigint NOT NULL CHECK (amount >= 0),
    reason         text NOT NULL CHECK (reason IN ('buyer', 'admin', 'organizer')),
    canceled_at    timestamptz NOT NULL
);
CREATE INDEX cancellations_of_reservation ON cancellations (reservation_id);

-- A message of a reservation as Core's ReservationChanged has it.
CREATE FUNCTION tell_reservation(kind text, r reservations, moment timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO outbox (message_id, type, occurred_at, data)
    VALUES (kind || ':' || r.id, kind, moment, json_strip_nulls(json_build_object(
        'reservationId', r.id, 'eventId', r.event_id, 'artistId', r.artist_id, 'visitorId', r.visitor_id))::text)
$$;

-- Ends those of the reservations whose hold is over, and frees their seats but the kept ones, which the caller takes
-- over. Each of them is told of once: only what is still held, and only by whoever has its row, is ended.
CREATE FUNCTION expire_holds(ids text[], of_event text, kept text[], moment timestamptz) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    r reservations;
    ended text[] := '{}';
BEGIN
    FOR r IN
        SELECT * FROM reservations WHERE id = ANY (ids) AND state = 'held' AND expires_at <= moment
        ORDER BY id FOR UPDATE
    LOOP
        UPDATE reservations SET state = 'expired', version = version + 1, changed_at = moment
        WHERE id = r.id AND state = 'held' AND version = r.version;
        DELETE FROM seat_claims
        WHERE reservation_id = r.id AND state = 'held'
            AND NOT (of_event IS NOT NULL AND event_id = of_event AND seat_id = ANY (kept));
        PERFORM tell_reservation('reservation.expired', r, moment);
        ended := ended || r.id;
    END LOOP;
    RETURN ended;
END $$;

-- Takes all the seats, or none: then it returns which are taken, or raises TK001 with them as its detail where that
-- shows only when some have been taken already. A hold that is over and that nobody has swept is taken over.
--
-- The caller has locked its own reservation, if there is one. Reservations are locked before claims, both in order.
CREATE FUNCTION claim_seats(
    of_event text, wanted text[], for_reservation text, for_user text, as_state text, until timestamptz, moment timestamptz
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    taken text[];
    ended text[];
    claimed text[];
BEGIN
    SELECT array_agg(seat_id ORDER BY seat_id) FILTER (WHERE state <> 'held' OR expires_at > moment),
        array_agg(DISTINCT reservation_id) FILTER (WHERE state = 'held' AND expires_at <= moment)
    INTO taken, ended
    FROM seat_claims
    WHERE event_id = of_event AND seat_id = ANY (wanted) AND state IN ('held', 'confirming', 'sold');
    IF taken IS NOT NULL THEN RETURN taken; END IF;
    IF ended IS NOT NULL THEN ended := expire_holds(ended, of_event, wanted, moment); END IF;
    WITH won AS (
        INSERT INTO seat_claims AS c (event_id, seat_id, reservation_id, user_id, state, expires_at)
        SELECT of_event, seat, for_reservation, for_user, as_state, until FROM unnest(wanted) AS seat ORDER BY seat
        ON CONFLICT (event_id, seat_id) WHERE state IN ('held', 'confirming', 'sold')
        DO UPDATE SET reservation_id = EXCLUDED.reservation_id, user_id = EXCLUDED.user_id, state = EXCLUDED.state,
            expires_at = EXCLUDED.expires_at, version = c.version + 1
        WHERE c.state = 'held' AND c.expires_at <= moment AND c.reservation_id = ANY (ended)
        RETURNING seat_id
    )
    SELECT array_agg(seat_id) INTO claimed FROM won;
    IF cardinality(coalesce(claimed, '{}')) < cardinality(wanted) THEN
        RAISE EXCEPTION 'seats were taken meanwhile' USING ERRCODE = 'TK001', DETAIL = (
            SELECT json_agg(seat ORDER BY seat)::text FROM unnest(wanted) AS seat
            WHERE NOT seat = ANY (coalesce(claimed, '{}')));
    END IF;
    RETURN NULL;
END $$;

-- Holds seats for a buyer: everything that has to be asked and done, in one round trip. `wanted` is distinct.
--
-- `outcome` is 'held' or why not; `seats` then names those at fault.
CREATE FUNCTION hold_seats(
    new_id text, buyer text, visitor text, of_event text, wanted text[], admission text, new_policy jsonb,
    moment timestamptz, until timestamptz, OUT outcome text, OUT seats text[], OUT amount bigint
) LANGUAGE plpgsql AS $$
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
    -- One at a time for each buyer and event: else two at once would each count without the other.
    PERFORM pg_advisory_xact_lock(hashtextextended(of_event || ' ' || buyer, 0));
    IF cardinality(wanted) + (
        SELECT count(*) FROM seat_claims c
        WHERE c.event_id = of_event AND c.user_id = buyer AND (c.state <> 'held' OR c.expires_at > moment)
    ) > e.max_seats THEN
        outcome := 'too_many_seats'; RETURN;
    END IF;
    IF admission IS NOT NULL AND EXISTS (SELECT FROM reservations WHERE admission_id = admission) THEN
        outcome := 'admission_used'; RETURN;
    END IF;
    SELECT array_agg(s.seat_id ORDER BY s.seat_id), array_agg(s.price ORDER BY s.seat_id), sum(s.price)
    INTO offered, their_prices, amount
    FROM seats s WHERE s.event_id = of_event AND s.seat_id = ANY (wanted) AND s.is_offered;
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
