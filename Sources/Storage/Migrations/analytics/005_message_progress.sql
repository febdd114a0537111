-- How far each consumer group of the message stream is: every message that was added to it before this instant is in the
-- tables, with its effect. One row a group, written about once a second.
CREATE TABLE message_progress (
    consumer_group  text PRIMARY KEY,
    handled_through timestamptz NOT NULL
);
