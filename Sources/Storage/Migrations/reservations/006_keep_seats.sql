-- Keeps the seats of a reservation that is held, for an attempt to pay that was not given up; false where it is anything
-- else.
--
-- Each statement of it sees what was committed when it began. So the row is locked first, and only then is asked whether
-- the attempt was released: a release that was under way when this came has noted it by then.
--
-- What is compared is compared after the row was read by its id: with `state = 'held'` in the condition Postgres may search
-- by `reservations_live`, whose first column isn't known, where the table was empty when it planned.
CREATE FUNCTION keep_seats(
    of_reservation text, for_payment text, its_amount bigint, moment timestamptz, until timestamptz
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r reservations;
BEGIN
    SELECT * INTO r FROM reservations WHERE id = of_reservation FOR UPDATE;
    IF NOT FOUND OR r.state <> 'held' OR r.expires_at <= moment OR r.amount <> its_amount
        OR EXISTS (SELECT FROM released_payments WHERE payment_id = for_payment)
        OR NOT EXISTS (SELECT FROM events WHERE event_id = r.event_id AND status <> 'canceled')
    THEN RETURN false; END IF;
    UPDATE reservations SET state = 'confirming', payment_id = for_payment, version = version + 1, changed_at = moment
    WHERE id = of_reservation;
    UPDATE seat_claims SET state = 'confirming', expires_at = until, version = version + 1
    WHERE reservation_id = of_reservation;
    RETURN true;
END $$;
