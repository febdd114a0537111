-- Attempts to pay whose money was given back whole, other than for canceled tickets: a call of such a one that arrives late
-- sells nothing any more.
ALTER TABLE released_payments ADD COLUMN is_returned boolean NOT NULL DEFAULT false;

ALTER TABLE cancellations DROP CONSTRAINT cancellations_reason_check;
ALTER TABLE cancellations ADD CONSTRAINT cancellations_reason_check
    CHECK (reason IN ('buyer', 'admin', 'organizer', 'returned'));
