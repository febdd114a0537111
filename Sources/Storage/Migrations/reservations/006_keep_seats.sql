-- Keeps the seats of a reservation that is held, for an attempt to pay that was not given up; false where it is anything
-- else.
--
-- Each statement of it sees what was committed when it began. So the row is locked first, and only then is asked whether
-- the attempt was released: a release that was under way when this came has noted it by then.
CREATE FUNCTION keep_seats(
    of_reservation text, for_payment text, its_amount bigint, moment timestamptz, until timestamptz
) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM FROM reservations WHERE id = of_reservation FOR UPDATE;
    IF EXISTS (SELECT FROM released_payments WHERE payment_id = for_payment) THEN RETURN false; END IF;
    UPDATE reservations r SET state = 'confirming', payment_id = for_payment, version = version + 1,
        changed_at = moment
    WHERE id = of_reservation AND state = 'held' AND expires_at > moment AND amount = its_amount
        AND EXISTS (SELECT FROM events e WHERE e.event_id = r.event_id AND e.status <> 'canceled');
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE seat_claims SET state = 'confirming', expires_at = until, version = version + 1
    WHERE reservation_id = of_reservation;
    RETURN true;
END $$;
