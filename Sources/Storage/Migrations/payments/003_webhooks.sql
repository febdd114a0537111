-- What came from outside, as it came: hints, of which nothing is believed.

CREATE TABLE webhooks (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- SHA-256: Toss sends one more than once.
    body_hash   bytea NOT NULL UNIQUE,
    -- Kept where it named a payment of ours.
    body        bytea,
    event_type  text,
    state       text NOT NULL CHECK (state IN ('waiting', 'taken', 'ignored')),
    times       integer NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL
);
CREATE INDEX webhooks_waiting ON webhooks (seq) WHERE state = 'waiting';
