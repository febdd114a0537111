-- What an admin has asked for under a key, so that another request under it is told from a repeat. Null: asked by nobody, or
-- by a program of the version before.
ALTER TABLE refunds ADD COLUMN asked text;
