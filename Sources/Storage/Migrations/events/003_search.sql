-- What search finds. A row for each event that isn't canceled, apart from `events` so that it is narrow.
--
-- Texts are normalized (SearchText): runs of letters or digits with a blank before, between and after.

CREATE TABLE event_search (
    event_id  text PRIMARY KEY REFERENCES events (id),
    starts_at timestamptz NOT NULL,
    title     text NOT NULL,
    -- The title's runs, then the artist's.
    head      text NOT NULL,
    -- The head's runs, then the venue's and the first of the description's.
    whole     text NOT NULL,
    -- The terms of `whole`, which stand for substrings of it.
    terms     tsvector NOT NULL
);
-- Only the index reads them: out of line they don't widen the rows that are walked and ranked.
ALTER TABLE event_search ALTER COLUMN terms SET STORAGE EXTERNAL;
ALTER TABLE event_search SET (toast_tuple_target = 1024);
ALTER TABLE event_search ALTER COLUMN title SET STORAGE MAIN;
ALTER TABLE event_search ALTER COLUMN head SET STORAGE MAIN;
ALTER TABLE event_search ALTER COLUMN whole SET STORAGE MAIN;

CREATE INDEX event_search_terms ON event_search USING gin (terms);
CREATE INDEX event_search_by_start ON event_search (starts_at, event_id);

-- Names for the same: whoever searches for one finds the other.
CREATE TABLE search_keywords (
    korean  text NOT NULL,
    english text NOT NULL,
    PRIMARY KEY (korean, english)
);
