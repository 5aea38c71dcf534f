-- How calls of actions ended lately: whether an action fails on an integration.
CREATE TABLE action_calls (
    integration_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    at BIGINT NOT NULL,
    id TEXT NOT NULL,
    failed BIGINT NOT NULL,
    PRIMARY KEY (integration_id, operation, at, id)
);
