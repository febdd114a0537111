-- In plpgsql the plan is kept; a function in SQL is parsed and planned at each call, which took half of a hold's time.
CREATE OR REPLACE FUNCTION tell_reservation(kind text, r reservations, moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (message_id, type, occurred_at, data)
    VALUES (kind || ':' || r.id, kind, moment, json_strip_nulls(json_build_object(
        'reservationId', r.id, 'eventId', r.event_id, 'artistId', r.artist_id, 'visitorId', r.visitor_id))::text);
END $$;

-- One seat after the other: with all of them at once (seat_id = ANY) Postgres reads every seat of the event, where its
-- statistics don't know yet how many there are: in the first minute of a sale, when it matters most.

CREATE OR REPLACE FUNCTION claim_seats(
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
    FROM unnest(wanted) AS w (seat), LATERAL (
        SELECT seat_id, state, expires_at, reservation_id FROM seat_claims
        WHERE event_id = of_event AND seat_id = w.seat AND state IN ('held', 'confirming', 'sold') LIMIT 1
    ) c;
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
