-- How often Events has told of it. What was asked of Events before the last time leaves the event's copy stale: by this, not
-- by anybody's clock. Locked before the event's own row.
ALTER TABLE announced_events ADD COLUMN told bigint NOT NULL DEFAULT 0;
