-- Times are milliseconds since 1970, JSON is text. Every table is led by its environment or integration.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE environments (
    id TEXT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    allow_list TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE scope_configs (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    name TEXT,
    is_default BIGINT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE integrations (
    id TEXT NOT NULL PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    tool TEXT NOT NULL,
    category TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT,
    setup_status TEXT NOT NULL,
    qa_status TEXT NOT NULL,
    organization_name TEXT NOT NULL,
    creator_email TEXT,
    origin_id TEXT,
    scope_config_id TEXT NOT NULL,
    settings TEXT NOT NULL,
    mapping TEXT,
    -- The secrets, encrypted under a data key, which is encrypted under the master key.
    secrets BYTEA NOT NULL,
    data_key BYTEA NOT NULL,
    drop_accepted BIGINT NOT NULL,
    auth_failing_since BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    data_expired_at BIGINT,
    first_synced_at BIGINT,
    next_sync_at BIGINT,
    sync_interval_ms BIGINT NOT NULL
);
CREATE INDEX integrations_of_environment ON integrations (environment_id, id);
CREATE INDEX integrations_due ON integrations (next_sync_at);

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    integration_id TEXT,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_until BIGINT,
    lease_token TEXT,
    error TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
-- One job of a kind and key is queued or running.
CREATE UNIQUE INDEX jobs_open ON jobs (kind, key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state IN ('queued', 'running');

CREATE TABLE runs (
    integration_id TEXT NOT NULL REFERENCES integrations (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    code TEXT,
    counts TEXT NOT NULL,
    interaction_id TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (integration_id, id)
);
CREATE INDEX runs_by_time ON runs (integration_id, created_at);

CREATE TABLE run_streams (
    integration_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    pages BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    next TEXT,
    complete BIGINT NOT NULL,
    incomplete TEXT NOT NULL,
    PRIMARY KEY (integration_id, run_id, stream)
);

-- What a run has seen, page by page: 8 bytes of each record's id. Gone when the run ends.
CREATE TABLE run_seen (
    integration_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    model TEXT NOT NULL,
    stream TEXT NOT NULL,
    page BIGINT NOT NULL,
    ids BYTEA NOT NULL,
    PRIMARY KEY (integration_id, run_id, model, stream, page)
);

CREATE TABLE records (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    body TEXT NOT NULL,
    links TEXT NOT NULL,
    hash BYTEA NOT NULL,
    link_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- When the record or something that it shows last changed: what updated_after looks at.
    touched_at BIGINT NOT NULL,
    remote_deleted_at BIGINT,
    PRIMARY KEY (integration_id, model, id)
);
CREATE INDEX records_touched ON records (integration_id, model, touched_at);
CREATE INDEX records_remote ON records (integration_id, model, remote_id);

-- Links between records, for finding them from the other end.
CREATE TABLE record_refs (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    field TEXT NOT NULL,
    position BIGINT NOT NULL,
    target_id TEXT NOT NULL,
    target_remote_id TEXT NOT NULL,
    PRIMARY KEY (integration_id, model, id, field, position)
);
CREATE INDEX record_refs_back ON record_refs (integration_id, model, field, target_id);

-- Values that filters look at.
CREATE TABLE record_keys (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (integration_id, model, name, value, id)
);
CREATE INDEX record_keys_of_record ON record_keys (integration_id, model, id);

-- Values of the latest run that did not fit.
CREATE TABLE issues (
    integration_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    remote_id TEXT,
    field TEXT,
    problem TEXT NOT NULL,
    expected TEXT NOT NULL,
    got TEXT NOT NULL,
    PRIMARY KEY (integration_id, run_id, id)
);

CREATE TABLE interactions (
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    integration_id TEXT,
    parent_id TEXT,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    method TEXT,
    path TEXT,
    status BIGINT,
    code TEXT,
    message TEXT,
    hint TEXT,
    context TEXT,
    rule TEXT,
    request TEXT,
    response TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX interactions_by_time ON interactions (environment_id, started_at);
CREATE INDEX interactions_children ON interactions (environment_id, parent_id);
CREATE INDEX interactions_of_integration ON interactions (environment_id, integration_id, started_at);

CREATE TABLE exchanges (
    interaction_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    method TEXT NOT NULL,
    url TEXT NOT NULL,
    request_headers TEXT NOT NULL,
    request_body TEXT,
    status BIGINT,
    response_headers TEXT NOT NULL,
    response_body TEXT,
    duration_ms BIGINT NOT NULL,
    rule TEXT,
    error TEXT,
    PRIMARY KEY (interaction_id, seq)
);

CREATE TABLE logins (
    hash BYTEA NOT NULL PRIMARY KEY,
    -- 'link' logs in once, 'session' is a browser that did.
    kind TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
