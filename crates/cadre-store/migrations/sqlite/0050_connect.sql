-- Links with which end customers link an account, renew its credentials, or finish its set-up.
CREATE TABLE connect_links (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    link_type TEXT NOT NULL,
    -- The integration that is reconnected or set up; of a new one, once it is there.
    integration_id TEXT,
    -- What the link was asked for with, as JSON.
    request TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at BIGINT,
    completed_at BIGINT,
    -- What the end customer is told at the end, as JSON.
    outcome TEXT,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX connect_links_by_time ON connect_links (environment_id, created_at);

-- Consents that an end customer was sent to a tool for and has not come back from. Each is used once.
CREATE TABLE consents (
    hash BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What tools granted by OAuth 2: an access token and the refresh token behind it, encrypted as the
-- secrets are. Whoever renews it holds the lease, so that a refresh token is used once.
CREATE TABLE grants (
    integration_id TEXT NOT NULL PRIMARY KEY REFERENCES integrations (id),
    sealed BLOB NOT NULL,
    data_key BLOB NOT NULL,
    lease_until BIGINT,
    lease_token TEXT
);

-- What the end customer opted out of: a JSON list of models, `model.field`s and actions.
ALTER TABLE integrations ADD COLUMN opted_out TEXT NOT NULL DEFAULT '[]';
