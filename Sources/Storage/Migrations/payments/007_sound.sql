-- What must be true of a payment, as one condition.
--
-- Postgres reads the text of each condition anew, and plans it, at each statement that writes a row: with nine of them, three
-- with lists of states, that was a fifth of such a statement. A function's body is read once a connection.
CREATE FUNCTION payment_is_sound(
    order_id text, tickets integer, amount bigint, currency text, refund_committed bigint, refunded bigint, state text,
    is_approved boolean, has_key boolean
) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN order_id ~ '^[A-Za-z0-9_-]{6,64}$' AND currency ~ '^[A-Z]{3}$' AND tickets > 0 AND amount > 0
        AND refund_committed BETWEEN 0 AND amount AND refunded BETWEEN 0 AND refund_committed
        AND CASE
            WHEN state IN ('ready', 'failed') THEN NOT is_approved
            -- Programs of the version before store `guarding`.
            WHEN state IN ('guarding', 'confirming', 'releasing') THEN NOT is_approved AND has_key
            WHEN state IN ('paid', 'ticketed', 'returning', 'unfulfilled') THEN is_approved AND has_key
            ELSE false
        END;
END $$;

-- Rows that are there satisfied those that it takes the place of: nobody waits until all are looked at again.
ALTER TABLE payments
    DROP CONSTRAINT payments_amount_check, DROP CONSTRAINT payments_check, DROP CONSTRAINT payments_check1,
    DROP CONSTRAINT payments_check2, DROP CONSTRAINT payments_check3, DROP CONSTRAINT payments_currency_check,
    DROP CONSTRAINT payments_order_id_check, DROP CONSTRAINT payments_state_check, DROP CONSTRAINT payments_tickets_check,
    ADD CONSTRAINT payments_sound CHECK (payment_is_sound(order_id, tickets, amount, currency, refund_committed, refunded,
        state, approved_at IS NOT NULL, payment_key IS NOT NULL)) NOT VALID;
