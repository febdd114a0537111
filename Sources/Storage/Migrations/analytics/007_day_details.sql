-- What an artist's beacons of a reporting day say of page, referrer, country, device and kind: the values with the most page
-- views, one row for those without a value, one for all other values together. So the rows of a dimension add up to
-- artist_traffic_daily. Derived from raw beacons, kept for ever.
CREATE TABLE traffic_breakdown_daily (
    artist_id  text NOT NULL,
    day        date NOT NULL,
    dimension  text NOT NULL CHECK (dimension IN ('path', 'referrer', 'country', 'device', 'type')),
    kind       text NOT NULL CHECK (kind IN ('value', 'missing', 'remainder')),
    -- '' unless kind is 'value'.
    value      text NOT NULL,
    page_views bigint NOT NULL,
    beacons    bigint NOT NULL,
    visitors   bytea NOT NULL,
    PRIMARY KEY (artist_id, dimension, day, kind, value)
);
CREATE INDEX traffic_breakdown_daily_day ON traffic_breakdown_daily (day);

-- Who looked at an event, and who of them at its seats, by visitor. Reservations and payments are messages: see
-- reservation_states and revenue_daily.
CREATE TABLE event_funnel_daily (
    event_id     text NOT NULL,
    day          date NOT NULL,
    -- Of page views or seat views.
    viewers      bytea NOT NULL,
    seat_viewers bytea NOT NULL,
    PRIMARY KEY (event_id, day)
);
CREATE INDEX event_funnel_daily_day ON event_funnel_daily (day);

-- Days whose details are older than their hours. A mark that was made again while a day was being derived stays.
CREATE TABLE detail_dirty (
    day       date PRIMARY KEY,
    marks     bigint NOT NULL DEFAULT 1,
    -- When the first of these marks was made.
    marked_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO detail_dirty (day) SELECT DISTINCT day FROM site_traffic_daily;
