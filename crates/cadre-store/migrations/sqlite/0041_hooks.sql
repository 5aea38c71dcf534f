-- Where tools tell what happened: one address for each integration.
CREATE TABLE hooks (
    integration_id TEXT NOT NULL PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    -- What proves that a message is the tool's, encrypted as credentials are.
    secret BLOB NOT NULL,
    data_key BLOB NOT NULL,
    -- The subscription in the tool.
    remote_id TEXT,
    subscribed_at BIGINT,
    last_event_at BIGINT
);
