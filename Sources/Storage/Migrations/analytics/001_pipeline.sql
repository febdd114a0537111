-- The pipeline's tables: raw batches, the ledgers that make every step idempotent, and the rollups.

-- Where each spool stands. A node is NODE_ID plus the random identity of its spool directory, so a
-- replaced disk starts a new row and can never be mistaken for frames that were already stored.
CREATE TABLE spool_positions (
    node            text PRIMARY KEY,
    last_seq        bigint NOT NULL,
    -- Every beacon this node acknowledged before this instant is stored; 'infinity' once it has drained.
    shipped_through timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- Raw beacons, 10^3 to 10^4 to a row (docs/formats.md). No DEFAULT partition: it would forbid
-- DETACH CONCURRENTLY and hide a partition that nobody made.
CREATE TABLE analytics_events (
    received_day   date NOT NULL,
    node           text NOT NULL,
    seq            bigint NOT NULL,
    last_seq       bigint NOT NULL,
    received_at    timestamptz NOT NULL,
    min_time       timestamptz NOT NULL,
    max_time       timestamptz NOT NULL,
    beacons        integer NOT NULL CHECK (beacons > 0),
    schema_version smallint NOT NULL,
    crc            bigint NOT NULL,
    payload        bytea NOT NULL,
    PRIMARY KEY (received_day, node, seq)
) PARTITION BY RANGE (received_day);
-- The payload is compressed column by column already.
ALTER TABLE analytics_events ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE INDEX analytics_events_min_time ON analytics_events (min_time);

-- Makes the partition of one UTC day of receipt; true when it was missing.
CREATE FUNCTION ensure_events_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'analytics_events_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ensure_events_partition'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF analytics_events FOR VALUES FROM (%L) TO (%L)', partition, day, day + 1);
    RETURN true;
END
$$;

-- Batches stored and not yet folded. Inserted with the batch, deleted with the fold.
CREATE TABLE rollup_pending (
    received_day date NOT NULL,
    node         text NOT NULL,
    seq          bigint NOT NULL,
    beacons      integer NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (received_day, node, seq)
);
CREATE INDEX rollup_pending_received_at ON rollup_pending (received_at);

-- Batches folded, in the order in which repeats were decided.
CREATE SEQUENCE fold_seq;
CREATE TABLE rollup_folded (
    received_day date NOT NULL,
    node         text NOT NULL,
    seq          bigint NOT NULL,
    fold_seq     bigint NOT NULL,
    -- Positions in the batch, ascending, that repeat an earlier messageId.
    duplicates   integer[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (received_day, node, seq)
);

-- messageIds that carried their own timestamp, by the minute of that timestamp: a retry carries the
-- same timestamp, so it meets its first copy in the same minute. Each row is one sorted run of
-- 64-bit hashes; a minute's runs are merged when there are many.
CREATE TABLE message_ids (
    minute integer NOT NULL,
    run    bigint NOT NULL,
    ids    bytea NOT NULL,
    PRIMARY KEY (minute, run)
);
-- messageIds stamped by the server: no timestamp to meet by, so one row each, for two days.
CREATE TABLE stamped_message_ids (
    id          bigint PRIMARY KEY,
    received_at timestamptz NOT NULL
);
CREATE INDEX stamped_message_ids_received_at ON stamped_message_ids (received_at);

-- The intervals of each session key (a hash of family, entity and key), none closer to another than 30 minutes.
CREATE TABLE session_intervals (
    session    bigint NOT NULL,
    started_ms bigint NOT NULL,
    ended_ms   bigint NOT NULL,
    PRIMARY KEY (session, started_ms)
) WITH (fillfactor = 85);

-- Rollups. `visitors` is a postgresql-hll sketch, hll(13, 5, 128, 1).
CREATE TABLE artist_traffic_hourly (
    artist_id  text NOT NULL,
    hour       timestamptz NOT NULL,
    page_views bigint NOT NULL,
    seat_views bigint NOT NULL,
    beacons    bigint NOT NULL,
    sessions   bigint NOT NULL,
    session_ms bigint NOT NULL,
    visitors   bytea NOT NULL,
    PRIMARY KEY (artist_id, hour)
) WITH (fillfactor = 85);
CREATE INDEX artist_traffic_hourly_hour ON artist_traffic_hourly (hour);
CREATE TABLE artist_traffic_daily (
    artist_id  text NOT NULL,
    day        date NOT NULL,
    page_views bigint NOT NULL,
    seat_views bigint NOT NULL,
    beacons    bigint NOT NULL,
    sessions   bigint NOT NULL,
    session_ms bigint NOT NULL,
    visitors   bytea NOT NULL,
    PRIMARY KEY (artist_id, day)
);
CREATE INDEX artist_traffic_daily_day ON artist_traffic_daily (day);
CREATE TABLE artist_traffic_monthly (
    artist_id  text NOT NULL,
    month      date NOT NULL,
    page_views bigint NOT NULL,
    seat_views bigint NOT NULL,
    beacons    bigint NOT NULL,
    sessions   bigint NOT NULL,
    session_ms bigint NOT NULL,
    visitors   bytea NOT NULL,
    PRIMARY KEY (artist_id, month)
);
CREATE INDEX artist_traffic_monthly_month ON artist_traffic_monthly (month);

CREATE TABLE event_traffic_hourly (LIKE artist_traffic_hourly) WITH (fillfactor = 85);
ALTER TABLE event_traffic_hourly RENAME COLUMN artist_id TO event_id;
ALTER TABLE event_traffic_hourly ADD PRIMARY KEY (event_id, hour);
CREATE INDEX event_traffic_hourly_hour ON event_traffic_hourly (hour);
CREATE TABLE event_traffic_daily (LIKE artist_traffic_daily);
ALTER TABLE event_traffic_daily RENAME COLUMN artist_id TO event_id;
ALTER TABLE event_traffic_daily ADD PRIMARY KEY (event_id, day);
CREATE INDEX event_traffic_daily_day ON event_traffic_daily (day);
CREATE TABLE event_traffic_monthly (LIKE artist_traffic_monthly);
ALTER TABLE event_traffic_monthly RENAME COLUMN artist_id TO event_id;
ALTER TABLE event_traffic_monthly ADD PRIMARY KEY (event_id, month);
CREATE INDEX event_traffic_monthly_month ON event_traffic_monthly (month);

-- Every beacon, with or without an artist or event: one entity, 'all'.
CREATE TABLE site_traffic_hourly (LIKE artist_traffic_hourly) WITH (fillfactor = 85);
ALTER TABLE site_traffic_hourly RENAME COLUMN artist_id TO site_id;
ALTER TABLE site_traffic_hourly ADD PRIMARY KEY (site_id, hour);
CREATE TABLE site_traffic_daily (LIKE artist_traffic_daily);
ALTER TABLE site_traffic_daily RENAME COLUMN artist_id TO site_id;
ALTER TABLE site_traffic_daily ADD PRIMARY KEY (site_id, day);
CREATE TABLE site_traffic_monthly (LIKE artist_traffic_monthly);
ALTER TABLE site_traffic_monthly RENAME COLUMN artist_id TO site_id;
ALTER TABLE site_traffic_monthly ADD PRIMARY KEY (site_id, month);

-- Money: one immutable row per message, minor units, refunds negative in amount and tickets.
CREATE TABLE revenue_ledger (
    message_id  text PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('payment', 'refund')),
    occurred_at timestamptz NOT NULL,
    artist_id   text NOT NULL,
    event_id    text NOT NULL,
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_id  text NOT NULL,
    orders      bigint NOT NULL,
    tickets     bigint NOT NULL,
    amount      bigint NOT NULL,
    CHECK (CASE kind WHEN 'payment' THEN amount >= 0 AND tickets >= 0 ELSE amount <= 0 AND tickets <= 0 END)
);
CREATE INDEX revenue_ledger_occurred_at ON revenue_ledger (occurred_at);

-- revenue = gross - refunds; tickets = tickets sold, refunded_tickets apart.
CREATE TABLE revenue_hourly (
    hour             timestamptz NOT NULL,
    currency         text NOT NULL,
    artist_id        text NOT NULL,
    event_id         text NOT NULL,
    gross            bigint NOT NULL,
    refunds          bigint NOT NULL,
    orders           bigint NOT NULL,
    tickets          bigint NOT NULL,
    refunded_tickets bigint NOT NULL,
    PRIMARY KEY (currency, hour, artist_id, event_id)
);
CREATE INDEX revenue_hourly_artist ON revenue_hourly (artist_id, currency, hour);
CREATE TABLE revenue_daily (LIKE revenue_hourly);
ALTER TABLE revenue_daily RENAME COLUMN hour TO day;
ALTER TABLE revenue_daily ALTER COLUMN day TYPE date;
ALTER TABLE revenue_daily ADD PRIMARY KEY (currency, day, artist_id, event_id);
CREATE INDEX revenue_daily_artist ON revenue_daily (artist_id, currency, day);
CREATE TABLE revenue_monthly (LIKE revenue_hourly);
ALTER TABLE revenue_monthly RENAME COLUMN hour TO month;
ALTER TABLE revenue_monthly ALTER COLUMN month TYPE date;
ALTER TABLE revenue_monthly ADD PRIMARY KEY (currency, month, artist_id, event_id);
CREATE INDEX revenue_monthly_artist ON revenue_monthly (artist_id, currency, month);

-- Buckets whose inputs changed since they were derived. family: artist, event, site, revenue.
-- grain: hour (revenue only), day, month; bucket: start of the hour, or the reporting day or month at midnight UTC.
CREATE TABLE rollup_dirty (
    grain  text NOT NULL CHECK (grain IN ('hour', 'day', 'month')),
    family text NOT NULL CHECK (family IN ('artist', 'event', 'site', 'revenue')),
    -- The artist, event or site; '' for revenue, whose buckets are derived whole.
    entity text NOT NULL,
    bucket timestamptz NOT NULL,
    -- Marking a bucket again updates its row, so that it waits for a run that is just deriving the bucket.
    marked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (grain, family, entity, bucket)
);

-- Days of receipt whose raw batches are gone for good: what they held can't be rebuilt.
CREATE TABLE dropped_event_days (
    day        date PRIMARY KEY,
    dropped_at timestamptz NOT NULL DEFAULT now()
);

-- Reservations by their last known state, for the funnel.
CREATE TABLE reservation_states (
    reservation_id text PRIMARY KEY,
    event_id       text NOT NULL,
    artist_id      text NOT NULL,
    confirmed_at   timestamptz,
    canceled_at    timestamptz
);
CREATE INDEX reservation_states_confirmed_at ON reservation_states (confirmed_at);

CREATE TABLE registrations (
    user_id       text PRIMARY KEY,
    registered_at timestamptz NOT NULL
);

-- Names for people; a later message never loses to an earlier one.
CREATE TABLE artist_names (
    artist_id  text PRIMARY KEY,
    name       text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE event_names (
    event_id   text PRIMARY KEY,
    title      text NOT NULL,
    artist_id  text,
    starts_at  timestamptz,
    changed_at timestamptz NOT NULL
);

-- Messages whose effect is stored.
CREATE TABLE inbox (
    message_id text PRIMARY KEY,
    type       text NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);

-- One random salt a reporting day for visitors without an id, forgotten after two days, so that yesterday's hashes
-- can't be made again. Day 'epoch' salts imports, which must hash alike for ever.
CREATE TABLE visitor_salts (
    day  date PRIMARY KEY,
    salt bytea NOT NULL CHECK (length(salt) = 32)
);
