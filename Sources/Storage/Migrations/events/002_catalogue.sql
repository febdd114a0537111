-- What there is to buy tickets for: artists, venues, categories, events, their seats and pictures.
--
-- `version` grows by one with each change: who changes a row names the version that was read.

CREATE TABLE artists (
    id          text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,64}$'),
    name        text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CHECK (octet_length(description) <= 4000),
    version     bigint NOT NULL DEFAULT 1,
    updated_at  timestamptz NOT NULL
);

CREATE TABLE venues (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,64}$'),
    name       text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    address    text NOT NULL DEFAULT '' CHECK (octet_length(address) <= 400),
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL
);

CREATE TABLE categories (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,64}$'),
    name       text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 100),
    position   integer NOT NULL DEFAULT 0,
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL
);

CREATE TABLE events (
    id                 text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{1,64}$'),
    title              text NOT NULL CHECK (octet_length(title) BETWEEN 1 AND 200),
    description        text NOT NULL DEFAULT '' CHECK (octet_length(description) <= 4000),
    artist_id          text NOT NULL REFERENCES artists (id),
    venue_id           text REFERENCES venues (id),
    category_id        text REFERENCES categories (id),
    starts_at          timestamptz NOT NULL,
    ends_at            timestamptz,
    sales_open_at      timestamptz NOT NULL,
    sales_close_at     timestamptz NOT NULL,
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    max_seats_per_buyer integer NOT NULL CHECK (max_seats_per_buyer BETWEEN 1 AND 20),
    needs_admission    boolean NOT NULL,
    taxable            boolean NOT NULL,
    -- [{"name":…,"price":…}]
    ticket_types       text NOT NULL DEFAULT '[]',
    -- What Reservations last said; null where it has said nothing.
    seats_left         bigint CHECK (seats_left >= 0),
    -- The organiser's decision, for good.
    canceled_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    -- Later with each change, also where the clock went back: the messages about an event are told apart by it.
    updated_at         timestamptz NOT NULL,
    CHECK (sales_open_at < sales_close_at),
    CHECK (ends_at > starts_at),
    CHECK (sales_close_at <= coalesce(ends_at, starts_at))
);
-- Lists are in the order of their start, whatever they are filtered by.
CREATE INDEX events_by_start ON events (starts_at, id);
CREATE INDEX events_by_artist ON events (artist_id, starts_at, id);
CREATE INDEX events_by_venue ON events (venue_id, starts_at, id);
CREATE INDEX events_by_category ON events (category_id, starts_at, id);
-- The states that few events are in.
CREATE INDEX events_canceled ON events (starts_at, id) WHERE canceled_at IS NOT NULL;
CREATE INDEX events_sold_out ON events (starts_at, id) WHERE seats_left = 0;

CREATE TABLE event_layouts (
    event_id text PRIMARY KEY REFERENCES events (id),
    seats    integer NOT NULL CHECK (seats > 0),
    -- {"sections":[{"name":…,"price":…,"rows":[{"name":…,"firstNumber":…,"seats":…}]}]}
    layout   text NOT NULL
);

CREATE TABLE event_images (
    id       text PRIMARY KEY,
    event_id text NOT NULL REFERENCES events (id),
    url      text NOT NULL CHECK (octet_length(url) BETWEEN 1 AND 2048),
    width    integer NOT NULL CHECK (width > 0),
    height   integer NOT NULL CHECK (height > 0),
    alt_text text NOT NULL CHECK (octet_length(alt_text) <= 400),
    position integer NOT NULL
);
CREATE INDEX event_images_of_event ON event_images (event_id, position, id);
