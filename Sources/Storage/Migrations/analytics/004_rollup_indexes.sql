-- Deriving money replaces whole buckets, whatever the currency, every few seconds and under the lock that folding
-- waits for: by these it finds them without reading the table.
CREATE INDEX revenue_hourly_hour ON revenue_hourly (hour);
CREATE INDEX revenue_daily_day ON revenue_daily (day);
CREATE INDEX revenue_monthly_month ON revenue_monthly (month);

-- Verifying or rebuilding some days reads what belongs to those days.
CREATE INDEX analytics_events_max_time ON analytics_events (max_time);
CREATE INDEX session_intervals_started_ms ON session_intervals (started_ms);
