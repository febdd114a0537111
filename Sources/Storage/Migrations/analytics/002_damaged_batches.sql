-- Batches that can't be folded: the raw row is damaged or gone, or Postgres refuses what it holds. They are out of
-- rollup_pending, where they would stop all others; `rollup verify` names them, and `rollup rebuild` puts those back
-- that can be read again.
CREATE TABLE damaged_batches (
    received_day date NOT NULL,
    node         text NOT NULL,
    seq          bigint NOT NULL,
    beacons      integer NOT NULL,
    received_at  timestamptz NOT NULL,
    reason       text NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (received_day, node, seq)
);
