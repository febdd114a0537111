-- Sketches of many visitors come out of LZ4 several times as fast as out of Postgres' own compression. A server that was
-- built without it keeps that.
DO $$
DECLARE
    family text;
    grain text;
BEGIN
    FOREACH family IN ARRAY ARRAY['artist', 'event', 'site'] LOOP
        FOREACH grain IN ARRAY ARRAY['hourly', 'daily', 'monthly'] LOOP
            EXECUTE format('ALTER TABLE %I ALTER COLUMN visitors SET COMPRESSION lz4', family || '_traffic_' || grain);
        END LOOP;
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;

-- How many visitors a sketch holds, as the API says it: exact to 128, then the estimate of hll_cardinality, rounded
-- (docs/formats.md, "Visitor sketch"). About a millisecond for a large one.
CREATE FUNCTION visitor_count(sketch bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    registers CONSTANT float8 := 8192;
    kind      int := get_byte(sketch, 0) & 15;
    bits      int := CASE kind WHEN 3 THEN 18 ELSE 5 END;
    words     int := (length(sketch) - 3) * 8 / bits;
    place     int;
    word      int;
    filled    int := 0;
    total     float8 := 0;
    estimate  float8;
BEGIN
    IF kind = 1 THEN
        RETURN 0;
    ELSIF kind = 2 THEN
        RETURN (length(sketch) - 3) / 8;
    END IF;
    -- A register is the low five bits of a word, high bits first.
    FOR number IN 1..words LOOP
        place := number * bits - 5;
        word := get_byte(sketch, 3 + place / 8) << 8;
        IF place % 8 > 3 THEN
            word := word | get_byte(sketch, 4 + place / 8);
        END IF;
        word := (word >> (11 - place % 8)) & 31;
        IF word > 0 THEN
            filled := filled + 1;
            total := total + 1 / (1::bigint << word)::float8;
        END IF;
    END LOOP;
    total := total + (registers - filled);
    estimate := (0.7213 / (1 + 1.079 / registers)) * registers * registers / total;
    IF filled < registers AND estimate < 5 * registers / 2 THEN
        estimate := registers * ln(registers / (registers - filled));
    ELSIF estimate > (1::bigint << 43)::float8 / 30 THEN
        estimate := CASE WHEN estimate < (1::bigint << 43)::float8
            THEN -(1::bigint << 43)::float8 * ln(1 - estimate / (1::bigint << 43)::float8) ELSE (1::bigint << 43)::float8 END;
    END IF;
    RETURN round(estimate);
END
$$;

-- Views for people with psql, Grafana or Metabase. `uniques` is an hll where the extension is installed in this database,
-- so that it can be added up with hll_union_agg; otherwise the same bytes. After CREATE EXTENSION hll, call this again.
CREATE FUNCTION create_analytics_views() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    uniques text := CASE WHEN to_regtype('hll') IS NULL THEN 't.visitors' ELSE 't.visitors::hll' END;
    traffic text := 't.page_views, t.seat_views, t.beacons, t.sessions,
        CASE WHEN t.sessions > 0 THEN round(t.session_ms / 1000.0 / t.sessions) ELSE 0 END::bigint AS avg_session_seconds,
        visitor_count(t.visitors) AS unique_visitors, ' || uniques || ' AS uniques';
    money   text := 't.currency, t.artist_id, a.name AS artist_name, t.event_id, e.title AS event_title,
        t.gross - t.refunds AS revenue, t.gross, t.refunds, t.orders, t.tickets - t.refunded_tickets AS tickets_sold, t.refunded_tickets,
        CASE WHEN t.tickets > t.refunded_tickets
            THEN round((t.gross - t.refunds)::numeric / (t.tickets - t.refunded_tickets)) END::bigint AS avg_ticket_price
        FROM %s t LEFT JOIN artist_names a USING (artist_id) LEFT JOIN event_names e USING (event_id)';
BEGIN
    DROP VIEW IF EXISTS artist_traffic, revenue_stats, daily_stats;
    EXECUTE 'CREATE VIEW artist_traffic AS
        SELECT ''hour'' AS granularity, t.hour AS bucket, t.artist_id, a.name AS artist_name, ' || traffic || '
        FROM artist_traffic_hourly t LEFT JOIN artist_names a USING (artist_id)
        UNION ALL SELECT ''day'', t.day::timestamp AT TIME ZONE ''UTC'', t.artist_id, a.name, ' || traffic || '
        FROM artist_traffic_daily t LEFT JOIN artist_names a USING (artist_id)
        UNION ALL SELECT ''month'', t.month::timestamp AT TIME ZONE ''UTC'', t.artist_id, a.name, ' || traffic || '
        FROM artist_traffic_monthly t LEFT JOIN artist_names a USING (artist_id)';
    EXECUTE 'CREATE VIEW daily_stats AS SELECT t.day, ' || traffic || ' FROM site_traffic_daily t';
    EXECUTE 'CREATE VIEW revenue_stats AS
        SELECT ''hour'' AS granularity, t.hour AS bucket, ' || format(money, 'revenue_hourly') || '
        UNION ALL SELECT ''day'', t.day::timestamp AT TIME ZONE ''UTC'', ' || format(money, 'revenue_daily') || '
        UNION ALL SELECT ''month'', t.month::timestamp AT TIME ZONE ''UTC'', ' || format(money, 'revenue_monthly');
    COMMENT ON VIEW artist_traffic IS
        'Traffic by artist. bucket: start of the hour, or the reporting day or first of the month at midnight UTC. A day is up to a minute behind its hours.';
    COMMENT ON VIEW daily_stats IS 'Traffic of the whole site by reporting day.';
    COMMENT ON VIEW revenue_stats IS
        'Revenue by artist and event in minor units of the currency: gross is payments, revenue is gross less refunds. Never add up two currencies.';
END
$$;
SELECT create_analytics_views();
