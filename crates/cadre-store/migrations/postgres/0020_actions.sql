-- Writes under way and done, by the key that names them, so that a repetition resumes instead of repeating.
CREATE TABLE action_runs (
    environment_id TEXT NOT NULL,
    integration_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    key TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    -- Hash of what was asked: the same key with another body is refused.
    fingerprint TEXT NOT NULL,
    -- open or ended
    state TEXT NOT NULL,
    -- What was answered, as JSON, once it has ended.
    answer TEXT,
    lease_until BIGINT NOT NULL,
    lease_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, integration_id, operation, key)
);
CREATE INDEX action_runs_by_end ON action_runs (expires_at);

-- The steps of a write, each stored before the next one begins.
CREATE TABLE action_steps (
    integration_id TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES action_runs (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    item BIGINT NOT NULL,
    -- begun, done, skipped
    state TEXT NOT NULL,
    -- What later steps see of it, as JSON.
    result TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (integration_id, run_id, step, item)
);
