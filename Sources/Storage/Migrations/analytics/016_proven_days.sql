-- Days that 'rollup verify --incremental' has proven, each with a digest of all that its proof rests on: while that is the
-- same, the day holds, and nothing of it is counted again.
CREATE TABLE proven_days (
    day       date PRIMARY KEY,
    -- The digest of the program that proved it: another one proves by itself.
    program   bytea NOT NULL,
    -- Of the digest, drawn for each: whoever sends beacons can't know what would go unnoticed.
    seed      bigint NOT NULL,
    -- That of the last session slot that was looked at.
    last_slot integer NOT NULL,
    beacons   bigint NOT NULL,
    digest    text NOT NULL,
    proven_at timestamptz NOT NULL DEFAULT now()
);
