-- Compaction: small batches that follow one another become one row, numbered by the first of them. For a day the row
-- remembers its parts, so that an export that stood between two of them goes on where it was: the last number of each
-- part, and how many of the row's beacons are of it or of a part before it.
ALTER TABLE rollup_folded ADD COLUMN part_seqs bigint[];
ALTER TABLE rollup_folded ADD COLUMN part_ends integer[];
ALTER TABLE rollup_folded ADD COLUMN compacted_at timestamptz;
CREATE INDEX rollup_folded_compacted_at ON rollup_folded (compacted_at) WHERE compacted_at IS NOT NULL;
-- Finds what was folded between two batches.
CREATE INDEX rollup_folded_fold_seq ON rollup_folded (fold_seq);

-- A batch whose beacons are all erased, or all repeats, keeps its row: its number says how far its node has shipped.
ALTER TABLE analytics_events DROP CONSTRAINT analytics_events_beacons_check;

-- Reporting days whose hours are gone for good: what is in their hours now came later, and is added to the stored day.
CREATE TABLE pruned_days (
    day       date PRIMARY KEY,
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    pruned_at timestamptz NOT NULL DEFAULT now()
);

-- Persons who were erased, by a salted hash of the id. One that isn't finished was interrupted.
CREATE TABLE erasures (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at       timestamptz NOT NULL DEFAULT now(),
    -- Every raw batch was looked at; only then can it finish, and only a run that is given the id again gets there.
    searched_at      timestamptz,
    finished_at      timestamptz,
    requested_by     text NOT NULL,
    salt             bytea NOT NULL CHECK (length(salt) = 32),
    -- HMAC-SHA256 of the id under the salt.
    visitor_hash     bytea NOT NULL CHECK (length(visitor_hash) = 32),
    batches          bigint NOT NULL DEFAULT 0,
    beacons          bigint NOT NULL DEFAULT 0,
    -- Reporting days that were counted again.
    days             date[] NOT NULL DEFAULT '{}',
    -- Those that could not be: sums and sketches hold the visitor for ever.
    unreachable_days date[] NOT NULL DEFAULT '{}',
    -- Raw batches received up to this day are gone; what the visitor did then is in no batch that could be searched.
    raw_gone_through date,
    -- Batches that can't be read.
    unsearched       bigint NOT NULL DEFAULT 0
);
-- What an unfinished erasure still owes: days to count again, and counters of the last days to set right.
CREATE TABLE erasure_days (
    erasure bigint NOT NULL REFERENCES erasures ON DELETE CASCADE,
    day     date NOT NULL,
    PRIMARY KEY (erasure, day)
);
CREATE TABLE erasure_counters (
    erasure bigint NOT NULL REFERENCES erasures ON DELETE CASCADE,
    family  text NOT NULL CHECK (family IN ('artist', 'event')),
    entity  text NOT NULL,
    day     date NOT NULL,
    PRIMARY KEY (erasure, family, entity, day)
);
-- messageIds of erased beacons that had been counted: raw holds them no more, and a retry must not count.
CREATE TABLE erased_message_ids (
    minute integer NOT NULL,
    id     bigint NOT NULL,
    PRIMARY KEY (minute, id)
);
CREATE TABLE erased_stamped_ids (
    id          bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (id, received_at)
);
