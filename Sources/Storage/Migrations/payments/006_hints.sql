-- How many hints there were: one that comes while Toss is asked because of another is told from it.
ALTER TABLE payments ADD COLUMN hints bigint NOT NULL DEFAULT 0;
