-- Who booked: the 64-bit hash of a message's visitorId, as sketches take it, never the id itself. NULL: the message had none.
ALTER TABLE reservation_states ADD COLUMN visitor bigint;
ALTER TABLE revenue_ledger ADD COLUMN visitor bigint;

-- Who reserved and who paid for an event on a reporting day, and how many reservations and payments say nothing of who it
-- was. Derived from reservation_states and revenue_ledger, whole days at a time, kept for ever.
CREATE TABLE event_booking_daily (
    event_id                     text NOT NULL,
    day                          date NOT NULL,
    -- Of reservations confirmed, whether or not they were canceled later.
    reservers                    bytea NOT NULL,
    -- Of payments completed, whether or not they were refunded later.
    payers                       bytea NOT NULL,
    reservations_without_visitor bigint NOT NULL,
    payments_without_visitor     bigint NOT NULL,
    PRIMARY KEY (event_id, day)
);
CREATE INDEX event_booking_daily_day ON event_booking_daily (day);

-- Hours in which bookings changed, entity '', wait here for their day to be derived.
ALTER TABLE rollup_dirty DROP CONSTRAINT rollup_dirty_family_check;
ALTER TABLE rollup_dirty ADD CONSTRAINT rollup_dirty_family_check
    CHECK (family IN ('artist', 'event', 'site', 'revenue', 'booking'));
INSERT INTO rollup_dirty (grain, family, entity, bucket)
SELECT 'hour', 'booking', '', hour FROM (
    SELECT date_trunc('hour', confirmed_at) AS hour FROM reservation_states WHERE confirmed_at IS NOT NULL
    UNION SELECT date_trunc('hour', occurred_at) FROM revenue_ledger WHERE kind = 'payment'
) hours
ORDER BY hour;

-- The first fold that the day's details are without. NULL: they may be without anything of the day.
ALTER TABLE detail_dirty ADD COLUMN first_fold bigint;

-- Breakdowns of the whole site, under the artist_id '', which no artist has: its values have rows of their own up to 200 a
-- dimension. Counted from raw beacons like those of artists.
INSERT INTO detail_dirty (day) SELECT DISTINCT day FROM site_traffic_daily
ON CONFLICT (day) DO UPDATE SET marks = detail_dirty.marks + 1, first_fold = NULL;

-- Reservations and payments that an erasure took the visitor out of.
ALTER TABLE erasures ADD COLUMN bookings bigint NOT NULL DEFAULT 0;
