-- Seats are let go also where somebody else has given all of the money back.
ALTER TABLE payments DROP CONSTRAINT payments_state_check;
ALTER TABLE payments ADD CONSTRAINT payments_state_check CHECK (state IN
    ('ready', 'guarding', 'confirming', 'releasing', 'failed', 'paid', 'ticketed', 'returning', 'unfulfilled'));
