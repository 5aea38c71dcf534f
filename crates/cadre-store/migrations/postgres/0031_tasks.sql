-- Many actions of a kind that a caller ordered at once, done one after the other.
CREATE TABLE action_tasks (
    integration_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    -- The bodies, as a JSON list.
    items TEXT COLLATE "C" NOT NULL,
    -- pending, completed or failed
    state TEXT COLLATE "C" NOT NULL,
    -- What became of each, as a JSON list; of a task that failed, why.
    outcome TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (integration_id, id)
);
CREATE INDEX action_tasks_by_time ON action_tasks (created_at);
