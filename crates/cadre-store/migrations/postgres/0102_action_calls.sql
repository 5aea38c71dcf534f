-- How calls of actions ended lately: whether an action fails on an integration.
CREATE TABLE action_calls (
    integration_id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (integration_id, operation, at, id)
);
