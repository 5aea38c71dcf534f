-- Where tools tell what happened: one address for each integration.
CREATE TABLE hooks (
    integration_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    token TEXT COLLATE "C" NOT NULL UNIQUE,
    -- What proves that a message is the tool's, encrypted as credentials are.
    secret BYTEA NOT NULL,
    data_key BYTEA NOT NULL,
    -- The subscription in the tool.
    remote_id TEXT COLLATE "C",
    subscribed_at BIGINT,
    last_event_at BIGINT
);
