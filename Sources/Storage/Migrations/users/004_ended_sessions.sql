-- Sessions that ended are deleted a day later, and not only when they would have expired: who logs in again and again has
-- many.
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
