-- What must be true of a reservation, as one condition, for the same reason as in payments: Postgres reads and plans the text
-- of each at each statement that writes a row; a function's body, once a connection.
CREATE FUNCTION reservation_is_sound(
    state text, seats integer, prices integer, amount bigint, has_payment boolean, is_paid boolean
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN seats = prices AND seats > 0 AND amount >= 0
        AND CASE
            WHEN state IN ('held', 'expired', 'canceled') THEN true
            WHEN state = 'confirming' THEN has_payment
            WHEN state = 'paid' THEN has_payment AND is_paid
            ELSE false
        END;
END $$;

-- Rows that are there satisfied those that it takes the place of: nobody waits until all are looked at again.
ALTER TABLE reservations
    DROP CONSTRAINT reservations_amount_check, DROP CONSTRAINT reservations_check, DROP CONSTRAINT reservations_check1,
    DROP CONSTRAINT reservations_check2, DROP CONSTRAINT reservations_state_check,
    ADD CONSTRAINT reservations_sound CHECK (reservation_is_sound(state, cardinality(seat_ids), cardinality(prices), amount,
        payment_id IS NOT NULL, paid_at IS NOT NULL)) NOT VALID;
