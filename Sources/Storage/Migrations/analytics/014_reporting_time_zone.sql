-- Whose days the rollups and the counters of this database have. Empty until the first process that counts writes down
-- its REPORTING_TIME_ZONE; from then on it is fixed, and a process with another one does not start.
CREATE TABLE reporting_time_zone (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    identifier text NOT NULL
);
