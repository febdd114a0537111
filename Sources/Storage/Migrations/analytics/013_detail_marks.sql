-- How many marks say that what the day's details have may be wrong. While it is the same as when a derivation began, the
-- details are without the folds after that at most.
ALTER TABLE detail_dirty ADD COLUMN wrong_marks bigint NOT NULL DEFAULT 0;

-- A text counts as its first 1,024 bytes: longer values are counted anew.
INSERT INTO detail_dirty (day) SELECT DISTINCT day FROM traffic_breakdown_daily WHERE octet_length(value) > 1024
ON CONFLICT (day) DO UPDATE SET marks = detail_dirty.marks + 1, first_fold = NULL;
