-- What the service has to say to the others, until all have confirmed it, and what they have said to it.

CREATE TABLE outbox (
    -- The order in which it is published.
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  text NOT NULL UNIQUE CHECK (octet_length(message_id) BETWEEN 1 AND 128),
    type        text NOT NULL,
    occurred_at timestamptz NOT NULL,
    -- JSON as it is published.
    data        text NOT NULL,
    -- Its entry in the stream, in the life that outbox_relay names; null while it waits to be published.
    entry_ms    bigint,
    entry_seq   bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((entry_ms IS NULL) = (entry_seq IS NULL))
);
CREATE INDEX outbox_waiting ON outbox (seq) WHERE entry_ms IS NULL;
CREATE INDEX outbox_published ON outbox (entry_ms, entry_seq) WHERE entry_ms IS NOT NULL;

-- One row: which relay publishes, until when, and to which life of the stream.
CREATE TABLE outbox_relay (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    holder      text NOT NULL DEFAULT '',
    held_until  timestamptz NOT NULL DEFAULT '-infinity',
    stream_life text NOT NULL DEFAULT ''
);
INSERT INTO outbox_relay DEFAULT VALUES;

-- Messages whose effect is stored: each once, whatever is delivered how often.
CREATE TABLE inbox (
    message_id text PRIMARY KEY,
    type       text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);
