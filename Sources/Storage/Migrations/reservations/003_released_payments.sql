-- Attempts to pay that were given up: a call of such a one that arrives late keeps no seats.
CREATE TABLE released_payments (
    payment_id  text PRIMARY KEY,
    released_at timestamptz NOT NULL
);
CREATE INDEX released_payments_oldest ON released_payments (released_at);
