-- `bucket` of a day or a month is an instant made of its date, so no index finds it. `day` is the date itself: the reporting
-- day, or the first of the month; null of hours, which are found by `bucket`.
CREATE OR REPLACE FUNCTION create_analytics_views() RETURNS void LANGUAGE plpgsql AS $$
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
        SELECT ''hour'' AS granularity, t.hour AS bucket, NULL::date AS day, t.artist_id, a.name AS artist_name, ' || traffic || '
        FROM artist_traffic_hourly t LEFT JOIN artist_names a USING (artist_id)
        UNION ALL SELECT ''day'', t.day::timestamp AT TIME ZONE ''UTC'', t.day, t.artist_id, a.name, ' || traffic || '
        FROM artist_traffic_daily t LEFT JOIN artist_names a USING (artist_id)
        UNION ALL SELECT ''month'', t.month::timestamp AT TIME ZONE ''UTC'', t.month, t.artist_id, a.name, ' || traffic || '
        FROM artist_traffic_monthly t LEFT JOIN artist_names a USING (artist_id)';
    EXECUTE 'CREATE VIEW daily_stats AS SELECT t.day, ' || traffic || ' FROM site_traffic_daily t';
    EXECUTE 'CREATE VIEW revenue_stats AS
        SELECT ''hour'' AS granularity, t.hour AS bucket, NULL::date AS day, ' || format(money, 'revenue_hourly') || '
        UNION ALL SELECT ''day'', t.day::timestamp AT TIME ZONE ''UTC'', t.day, ' || format(money, 'revenue_daily') || '
        UNION ALL SELECT ''month'', t.month::timestamp AT TIME ZONE ''UTC'', t.month, ' || format(money, 'revenue_monthly');
    COMMENT ON VIEW artist_traffic IS
        'Traffic by artist. bucket: start of the hour, or the reporting day or first of the month at midnight UTC. day: that day, found by an index; null of hours. A day is up to a minute behind its hours.';
    COMMENT ON VIEW daily_stats IS 'Traffic of the whole site by reporting day.';
    COMMENT ON VIEW revenue_stats IS
        'Revenue by artist and event, bucket and day as in artist_traffic, in minor units of the currency: gross is payments, revenue is gross less refunds. Never add up two currencies.';
END
$$;
SELECT create_analytics_views();
