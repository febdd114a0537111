-- People, how they sign in, and where they are signed in.

CREATE TABLE users (
    id                text PRIMARY KEY CHECK (octet_length(id) = 36),
    -- As the person wrote it.
    email             text NOT NULL CHECK (octet_length(email) BETWEEN 3 AND 254),
    -- In lower case: what tells accounts apart.
    email_key         text NOT NULL UNIQUE,
    -- Null until a code that was mailed to it came back, or Google vouched for it.
    email_verified_at timestamptz,
    name              text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    role              text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'analyst', 'admin')),
    -- Argon2id in its encoded form; null for an account that signs in with Google alone.
    password_hash     text,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL
);

-- Accounts elsewhere that sign in here. No token of theirs is kept.
CREATE TABLE oauth_providers (
    provider  text NOT NULL CHECK (provider IN ('google')),
    -- The provider's own id of the person: never an e-mail address, which may pass to somebody else.
    subject   text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 255),
    user_id   text NOT NULL REFERENCES users ON DELETE CASCADE,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (provider, subject),
    UNIQUE (user_id, provider)
);

-- Families of refresh tokens: one for each sign-in.
CREATE TABLE sessions (
    family_id     bytea PRIMARY KEY CHECK (octet_length(family_id) = 16),
    user_id       text NOT NULL REFERENCES users ON DELETE CASCADE,
    -- Of it and a token the next token is made. Worth nothing without a token.
    successor_key bytea NOT NULL CHECK (octet_length(successor_key) = 32),
    generation    integer NOT NULL DEFAULT 0,
    -- SHA-256 of the token that is good, and of the one before it.
    token_hash    bytea NOT NULL,
    previous_hash bytea,
    rotated_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    -- Whatever happens: a token is never good for longer.
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    ended_by      text CHECK (ended_by IN ('logout', 'reuse', 'password', 'promotion', 'newer')),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX sessions_live ON sessions (user_id, created_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_expiring ON sessions (expires_at);

-- Browsers that have signed in to an account: guesses made elsewhere don't delay them.
CREATE TABLE known_devices (
    user_id     text NOT NULL REFERENCES users ON DELETE CASCADE,
    device_hash bytea NOT NULL,
    seen_at     timestamptz NOT NULL,
    PRIMARY KEY (user_id, device_hash)
);
CREATE INDEX known_devices_seen ON known_devices (seen_at);

-- Codes that are worth something once: SHA-256 of them.
CREATE TABLE one_time_codes (
    code_hash    bytea PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('email', 'password', 'exchange')),
    user_id      text NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The browser that may use it, where it is not whoever reads the mail.
    binding_hash bytea,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX one_time_codes_of_user ON one_time_codes (user_id, kind);
CREATE INDEX one_time_codes_expiring ON one_time_codes (expires_at);

-- Sign-ins with Google under way, each bound to the browser that began it.
CREATE TABLE oauth_transactions (
    -- SHA-256 of the browser's cookie.
    binding_hash  bytea PRIMARY KEY,
    -- Null where the browser gets the id token from Google itself.
    state_hash    bytea,
    nonce         text NOT NULL,
    -- PKCE's; ours alone until it goes to Google.
    code_verifier text,
    -- Who, signed in already, wants to add Google to their account.
    link_user_id  text REFERENCES users ON DELETE CASCADE,
    expires_at    timestamptz NOT NULL,
    CHECK ((state_hash IS NULL) = (code_verifier IS NULL))
);
CREATE INDEX oauth_transactions_expiring ON oauth_transactions (expires_at);

-- Attempts by hashed account, device or address, while they matter.
CREATE TABLE throttles (
    key      bytea PRIMARY KEY,
    attempts integer NOT NULL,
    open_at  timestamptz NOT NULL,
    last_at  timestamptz NOT NULL
);
CREATE INDEX throttles_last ON throttles (last_at);
