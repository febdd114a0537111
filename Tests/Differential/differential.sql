-- What the rollups should hold, computed by DuckDB from raw beacons and messages alone, from what docs/questions.md
-- says that the numbers mean. It is told nothing that Tiketi decided: repeats, sessions and buckets are its own.
--
-- In:  beacons.ndjson, messages.ndjson, export.ndjson (Tiketi's export of one day)
-- Out: traffic.tsv, revenue.tsv, export-differences.tsv

-- `arrival` numbers beacons in the order in which they reached the rollup: of copies the first counts. `received` and
-- `claimed` are milliseconds since 1970; a beacon without a time of its own has no `claimed`.
CREATE TABLE sent AS
SELECT * FROM read_json('beacons.ndjson', format = 'newline_delimited', columns = {
    arrival: 'BIGINT', received: 'BIGINT', claimed: 'BIGINT', type: 'VARCHAR', artist: 'VARCHAR', event: 'VARCHAR',
    visitor: 'VARCHAR', session: 'VARCHAR', client: 'VARCHAR', message: 'VARCHAR'});

-- Repeats.

-- With a time of its own a beacon repeats another of its id and the minute of that time, for ever.
CREATE TABLE repeats AS
SELECT arrival FROM sent WHERE message IS NOT NULL AND claimed IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY message, claimed // 60000 ORDER BY arrival) > 1;

-- Stamped by the server it repeats the one of its id that was counted last, where less than 24 hours lie between them.
CREATE TABLE stamped AS
SELECT message, arrival, received, row_number() OVER (PARTITION BY message ORDER BY arrival) AS copy
FROM sent WHERE message IS NOT NULL AND claimed IS NULL;
INSERT INTO repeats
WITH RECURSIVE decided AS (
    SELECT message, copy, arrival, received AS counted, false AS is_repeat FROM stamped WHERE copy = 1
    UNION ALL
    SELECT next.message, next.copy, next.arrival,
        CASE WHEN abs(next.received - counted) < 86400000 THEN counted ELSE next.received END,
        abs(next.received - counted) < 86400000
    FROM decided JOIN stamped AS next ON next.message = decided.message AND next.copy = decided.copy + 1
)
SELECT arrival FROM decided WHERE is_repeat;

-- What counts, and when: a time ahead of the clock is that of receipt.
CREATE TABLE counted AS
SELECT arrival, instant, timezone('Asia/Seoul', make_timestamptz(instant * 1000)) AS local, type, artist, event,
    coalesce(visitor, session, client) AS visitor, coalesce(session, visitor, client) AS session_key
FROM (SELECT *, least(coalesce(claimed, received), received) AS instant FROM sent)
WHERE arrival NOT IN (SELECT arrival FROM repeats);

CREATE TABLE entity_beacons AS
SELECT 'site' AS family, 'all' AS entity, * EXCLUDE (artist, event) FROM counted
UNION ALL SELECT 'artist', artist, * EXCLUDE (artist, event) FROM counted WHERE artist IS NOT NULL
UNION ALL SELECT 'event', event, * EXCLUDE (artist, event) FROM counted WHERE event IS NOT NULL;

-- Sessions: split where two neighbours are 30 minutes or more apart; of the bucket in which they begin.
CREATE TABLE sessions AS
SELECT family, entity, min(local) AS local, max(instant) - min(instant) AS ms
FROM (
    SELECT *, count(*) FILTER (is_first) OVER (
        PARTITION BY family, entity, session_key ORDER BY instant, arrival ROWS UNBOUNDED PRECEDING) AS number
    FROM (
        SELECT *, coalesce(instant - lag(instant) OVER (
            PARTITION BY family, entity, session_key ORDER BY instant, arrival) >= 1800000, true) AS is_first
        FROM entity_beacons WHERE session_key IS NOT NULL))
GROUP BY family, entity, session_key, number;

-- Buckets of the reporting time zone.
CREATE TABLE grains AS SELECT unnest(['hour', 'day', 'month']) AS grain;
CREATE MACRO name_of(grain, bucket) AS
    CASE grain WHEN 'hour' THEN strftime(bucket, '%Y-%m-%dT%H') WHEN 'day' THEN strftime(bucket, '%Y-%m-%d')
        ELSE strftime(bucket, '%Y-%m') END;

COPY (
    WITH views AS (
        SELECT family, entity, grain, date_trunc(grain, local) AS bucket, count(*) FILTER (type = 'page_view') AS page_views,
            count(*) FILTER (type = 'seat_view') AS seat_views, count(*) AS beacons, count(DISTINCT visitor) AS visitors
        FROM entity_beacons, grains GROUP BY ALL
    ), begun AS (
        SELECT family, entity, grain, date_trunc(grain, local) AS bucket, count(*) AS sessions, sum(ms)::BIGINT AS session_ms
        FROM sessions, grains GROUP BY ALL
    )
    SELECT family, entity, name_of(grain, bucket), page_views, seat_views, beacons, coalesce(sessions, 0),
        coalesce(session_ms, 0), visitors
    FROM views LEFT JOIN begun USING (family, entity, grain, bucket)
) TO 'traffic.tsv' (DELIMITER '\t', HEADER false, QUOTE '');

-- Money, each message once.
CREATE TABLE payments AS
SELECT DISTINCT ON (id) *, timezone('Asia/Seoul', make_timestamptz(occurred * 1000)) AS local
FROM read_json('messages.ndjson', format = 'newline_delimited', columns = {
    id: 'VARCHAR', occurred: 'BIGINT', refund: 'BOOLEAN', artist: 'VARCHAR', event: 'VARCHAR', currency: 'VARCHAR',
    amount: 'BIGINT', tickets: 'BIGINT'});

COPY (
    SELECT currency, artist, event, name_of(grain, date_trunc(grain, local)), sum(CASE WHEN refund THEN 0 ELSE amount END),
        sum(CASE WHEN refund THEN amount ELSE 0 END), count(*) FILTER (NOT refund),
        sum(CASE WHEN refund THEN 0 ELSE tickets END), sum(CASE WHEN refund THEN tickets ELSE 0 END)
    FROM payments, grains GROUP BY ALL
) TO 'revenue.tsv' (DELIMITER '\t', HEADER false, QUOTE '');

-- Tiketi's export of the day that its beacons are of: what counts, and nothing else.
CREATE TABLE exported AS
SELECT epoch_ms("timestamp"::TIMESTAMPTZ) AS instant, eventType AS type, artistId AS artist, eventId AS event,
    coalesce(visitorId, sessionId, clientHash) AS visitor, coalesce(sessionId, visitorId, clientHash) AS session_key
FROM read_json('export.ndjson', format = 'newline_delimited', columns = {
    timestamp: 'VARCHAR', eventType: 'VARCHAR', artistId: 'VARCHAR', eventId: 'VARCHAR', visitorId: 'VARCHAR',
    sessionId: 'VARCHAR', clientHash: 'VARCHAR'});
CREATE TABLE counted_then AS
SELECT instant, type, artist, event, visitor, session_key FROM counted
WHERE date_trunc('day', local) IN (
    SELECT date_trunc('day', timezone('Asia/Seoul', make_timestamptz(instant * 1000))) FROM exported);

COPY (
    (SELECT 'not exported', * FROM (FROM counted_then EXCEPT ALL FROM exported))
    UNION ALL
    (SELECT 'exported and does not count', * FROM (FROM exported EXCEPT ALL FROM counted_then))
) TO 'export-differences.tsv' (DELIMITER '\t', HEADER false, QUOTE '');
