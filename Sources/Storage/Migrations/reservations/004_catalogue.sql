-- What is told to Events and asked of it again.

ALTER TABLE events
    -- Something has changed since it was looked at last whether seats are left.
    ADD COLUMN availability_due boolean NOT NULL DEFAULT true,
    -- What Events was told last, and when.
    ADD COLUMN told_sold_out boolean NOT NULL DEFAULT false,
    ADD COLUMN told_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Where it is stale: copied again then at the earliest.
    ADD COLUMN copy_due_at timestamptz NOT NULL DEFAULT '-infinity',
    -- How often that has failed since it was told of.
    ADD COLUMN copy_failures integer NOT NULL DEFAULT 0;
CREATE INDEX events_availability_due ON events (event_id) WHERE availability_due;
DROP INDEX events_stale;
CREATE INDEX events_stale ON events (copy_due_at, event_id) WHERE stale_since IS NOT NULL;

-- Ids that Events has told of, copied or not: nobody has made them up.
CREATE TABLE announced_events (
    event_id text PRIMARY KEY
);
