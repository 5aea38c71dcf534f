-- Many actions of a kind that a caller ordered at once, done one after the other.
CREATE TABLE action_tasks (
    integration_id TEXT NOT NULL,
    id TEXT NOT NULL,
    operation TEXT NOT NULL,
    -- The bodies, as a JSON list.
    items TEXT NOT NULL,
    -- pending, completed or failed
    state TEXT NOT NULL,
    -- What became of each, as a JSON list; of a task that failed, why.
    outcome TEXT,
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (integration_id, id)
);
CREATE INDEX action_tasks_by_time ON action_tasks (created_at);
