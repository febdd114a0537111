-- Seats are let go also where somebody else has given all of the money back.
ALTER TABLE payments DROP CONSTRAINT payments_state_check;
ALTER TABLE payments ADD CONSTRAINT payments_state_check CHECK (state IN
    ('ready', 'guarding', 'confirming', 'releasing', 'failed', 'paid', 'ticketed', 'returning', 'unfulfilled'));

-- When a payment's next refund is due (null: none is). The queue is one of payments: many refunds of one keep nobody else
-- waiting.
ALTER TABLE payments ADD COLUMN refund_due_at timestamptz;
CREATE INDEX payments_refund_due ON payments (refund_due_at) WHERE refund_due_at IS NOT NULL;
DROP INDEX refunds_due;

-- One that is due and can't be made is kept, refused, also where its payment isn't known.
ALTER TABLE refunds DROP CONSTRAINT refunds_payment_id_fkey;
-- Whether the payment's refund_committed has its amount. This and started_at have defaults, for programs of the version
-- before, which make refunds while others are upgraded: they know no refund that isn't set aside.
ALTER TABLE refunds ADD COLUMN set_aside boolean NOT NULL DEFAULT true;
ALTER TABLE refunds ADD CHECK (set_aside OR state = 'refused');
-- When it was asked for, or was retried last: from then on it may be tried for so long as Toss remembers keys.
ALTER TABLE refunds ADD COLUMN started_at timestamptz;
UPDATE refunds SET started_at = created_at;
ALTER TABLE refunds ALTER COLUMN started_at SET DEFAULT now(), ALTER COLUMN started_at SET NOT NULL;
-- Toss's cancels before it was sent for the first time (null: it wasn't): none of them is this one.
ALTER TABLE refunds ADD COLUMN cancels_before text[];

UPDATE payments p SET refund_due_at = r.due
FROM (SELECT payment_id, min(next_run_at) AS due FROM refunds WHERE next_run_at IS NOT NULL GROUP BY payment_id) r
WHERE p.payment_id = r.payment_id;
