-- Which artists and events a batch may hold (docs/formats.md), so that scans for one don't read the others' batches.
-- NULL where nobody knows: such a batch is read, like all that were stored before.
ALTER TABLE analytics_events ADD COLUMN entity_filter bytea;
-- It doesn't compress.
ALTER TABLE analytics_events ALTER COLUMN entity_filter SET STORAGE EXTERNAL;
