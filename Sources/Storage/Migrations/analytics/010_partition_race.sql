-- Two that make the same partition at once: the second may still believe, having waited, that there is none.
CREATE OR REPLACE FUNCTION ensure_events_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'analytics_events_' || to_char(day, 'YYYYMMDD');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ensure_events_partition'));
    BEGIN
        EXECUTE format(
            'CREATE TABLE %I (LIKE analytics_events INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE)',
            partition);
    EXCEPTION WHEN duplicate_table THEN
        RETURN false;
    END;
    EXECUTE format(
        'ALTER TABLE analytics_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', partition, day, day + 1);
    RETURN true;
END
$$;
