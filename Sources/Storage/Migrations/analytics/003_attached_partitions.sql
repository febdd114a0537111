-- CREATE TABLE … PARTITION OF locks out every reader and writer of analytics_events, and waits for those that are
-- there: behind a verification that takes an hour, no batch could be stored for as long. ATTACH locks out neither.
CREATE OR REPLACE FUNCTION ensure_events_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
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
    EXECUTE format(
        'CREATE TABLE %I (LIKE analytics_events INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE)', partition);
    EXECUTE format(
        'ALTER TABLE analytics_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, day, day + 1);
    RETURN true;
END
$$;
