-- Each day of Seoul, compared with Toss's list of transactions.

CREATE TABLE reconciliation_runs (
    day         date PRIMARY KEY,
    -- Null until it has ended: then it is tried again.
    finished_at timestamptz,
    lease_until timestamptz NOT NULL,
    compared    bigint NOT NULL DEFAULT 0,
    differences bigint NOT NULL DEFAULT 0
);

CREATE TABLE reconciliation_differences (
    day             date NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('missing_here', 'missing_at_toss', 'amount_differs', 'state_differs')),
    -- Of Toss's transaction, or of ours: 'payment:ID', 'refund:ID', 'transaction:KEY'
    reference       text NOT NULL,
    order_id        text,
    amount_here     bigint,
    amount_at_toss  bigint,
    found_at        timestamptz NOT NULL,
    -- When a later run of the day did not find it any more.
    resolved_at     timestamptz,
    PRIMARY KEY (day, kind, reference)
);
CREATE INDEX reconciliation_differences_open ON reconciliation_differences (day) WHERE resolved_at IS NULL;
