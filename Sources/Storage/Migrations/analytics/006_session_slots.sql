-- One row a session and entity, found by its hash, took 119 bytes a beacon, and the longer the history the slower it was to
-- find. Pieces of sessions by half hour take a tenth of it, and a fold reads the half hours that it touches. Each row is one
-- run of pieces (docs/formats.md); a slot's runs are merged as they become many.
--
-- What session_intervals held can be made again from raw beacons only: where there are any, run 'tiketi rollup rebuild' once
-- after this. Until then a session that was under way counts as two.
CREATE TABLE session_slots (
    slot   integer NOT NULL,
    run    bigint NOT NULL,
    pieces bytea NOT NULL,
    PRIMARY KEY (slot, run)
);
DROP TABLE session_intervals;

-- Hashes and packed integers don't get smaller by another compression.
ALTER TABLE session_slots ALTER COLUMN pieces SET STORAGE EXTERNAL;
ALTER TABLE message_ids ALTER COLUMN ids SET STORAGE EXTERNAL;
