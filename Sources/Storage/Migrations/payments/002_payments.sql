-- Attempts to pay, with where each stands: the saga is this row.

CREATE TABLE payments (
    payment_id       text PRIMARY KEY,
    -- Toss's name for the attempt: random, and here before anybody is told of it.
    order_id         text NOT NULL UNIQUE CHECK (order_id ~ '^[A-Za-z0-9_-]{6,64}$'),
    reservation_id   text NOT NULL,
    user_id          text NOT NULL,
    event_id         text NOT NULL,
    artist_id        text NOT NULL,
    title            text NOT NULL,
    tickets          integer NOT NULL CHECK (tickets > 0),
    visitor_id       text,
    -- The reservation's, and nobody else's.
    amount           bigint NOT NULL CHECK (amount > 0),
    currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    state            text NOT NULL CHECK (state IN
        ('ready', 'guarding', 'confirming', 'releasing', 'failed', 'paid', 'ticketed', 'unfulfilled')),
    -- As the browser says: Toss holds it against the order.
    payment_key      text,
    failure_code     text,
    -- When the buyer asked to confirm: ten minutes later Toss takes no money any more.
    confirm_asked_at timestamptz,
    approved_at      timestamptz,
    ticket_ids       text[] NOT NULL DEFAULT '{}',
    -- What is given back, or going to be; and what has been.
    refund_committed bigint NOT NULL DEFAULT 0 CHECK (refund_committed BETWEEN 0 AND amount),
    refunded         bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND refund_committed),
    -- How many cancels have been given a key of their own, and when the last was sent.
    cancels_sent     integer NOT NULL DEFAULT 0,
    cancel_sent_at   timestamptz NOT NULL DEFAULT '-infinity',
    -- A hint from outside says that Toss knows more.
    recheck          boolean NOT NULL DEFAULT false,
    rechecked_at     timestamptz NOT NULL DEFAULT '-infinity',
    -- The worker's: when the next step is due (null: none), who does it until when, how often it failed.
    next_run_at      timestamptz,
    lease_until      timestamptz NOT NULL DEFAULT '-infinity',
    lease            text NOT NULL DEFAULT '',
    attempt          integer NOT NULL DEFAULT 0,
    -- From then on the step is stuck: it goes on slowly, and somebody is told.
    deadline_at      timestamptz NOT NULL,
    stuck_reason     text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK ((approved_at IS NULL) = (state IN ('ready', 'guarding', 'confirming', 'releasing', 'failed'))),
    CHECK (state IN ('ready', 'failed') OR payment_key IS NOT NULL)
);
-- One live attempt a reservation. A second that took money all the same finds its seats sold, and is given back.
CREATE UNIQUE INDEX payments_live ON payments (reservation_id) WHERE state IN ('ready', 'guarding', 'confirming');
CREATE INDEX payments_of_reservation ON payments (reservation_id);
CREATE INDEX payments_by_key ON payments (payment_key) WHERE payment_key IS NOT NULL;
CREATE INDEX payments_due ON payments (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX payments_stuck ON payments (updated_at) WHERE stuck_reason IS NOT NULL;
CREATE INDEX payments_of_user ON payments (user_id, created_at DESC, payment_id DESC);
CREATE INDEX payments_newest ON payments (created_at DESC, payment_id DESC);
CREATE INDEX payments_approved ON payments (approved_at) WHERE approved_at IS NOT NULL;

-- Money to give back: each once by its key.
CREATE TABLE refunds (
    refund_id       text PRIMARY KEY,
    payment_id      text NOT NULL REFERENCES payments,
    -- 'cancellation:ID', 'admin:PAYMENT:KEY', 'lost:PAYMENT', 'toss:TRANSACTION'
    request_key     text NOT NULL UNIQUE,
    amount          bigint NOT NULL CHECK (amount > 0),
    tickets         integer NOT NULL CHECK (tickets >= 0),
    reason          text NOT NULL,
    state           text NOT NULL CHECK (state IN ('requested', 'sending', 'done', 'refused')),
    -- Of its Idempotency-Key, refund:PAYMENT:NUMBER; a new one only where Toss has surely not acted on the last.
    number          integer,
    attempts        integer NOT NULL DEFAULT 0,
    next_run_at     timestamptz,
    sent_at         timestamptz,
    transaction_key text UNIQUE,
    failure_code    text,
    completed_at    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (payment_id, number),
    CHECK ((state = 'done') = (completed_at IS NOT NULL)),
    CHECK (state <> 'sending' OR number IS NOT NULL),
    CHECK ((next_run_at IS NULL) = (state IN ('done', 'refused')))
);
-- One cancel at a time a payment.
CREATE UNIQUE INDEX refunds_sending ON refunds (payment_id) WHERE state = 'sending';
CREATE INDEX refunds_due ON refunds (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX refunds_refused ON refunds (updated_at) WHERE state = 'refused';
CREATE INDEX refunds_completed ON refunds (completed_at) WHERE completed_at IS NOT NULL;
