-- When the account was last given other ways to sign in, or one less: access tokens that were issued before it are over.
ALTER TABLE users ADD COLUMN credentials_changed_at timestamptz NOT NULL DEFAULT '-infinity';

ALTER TABLE sessions DROP CONSTRAINT sessions_ended_by_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_ended_by_check
    CHECK (ended_by IN ('logout', 'reuse', 'password', 'promotion', 'newer', 'unlink'));

-- A change of the account's ways to sign in ends what is under way.
CREATE INDEX oauth_transactions_linking ON oauth_transactions (link_user_id) WHERE link_user_id IS NOT NULL;
