-- Whether seats are left, Reservations tells by `event.availability`.
ALTER TABLE events
    ADD COLUMN sold_out boolean NOT NULL DEFAULT false,
    -- When it was so, as told; what is older changes nothing.
    ADD COLUMN availability_at timestamptz;
DROP INDEX events_sold_out;
CREATE INDEX events_sold_out ON events (starts_at, id) WHERE sold_out;
ALTER TABLE events DROP COLUMN seats_left;
