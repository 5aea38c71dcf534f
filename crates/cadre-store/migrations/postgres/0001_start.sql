-- Times are milliseconds since 1970, JSON is text. Every table is led by its environment or integration.
-- Text compares byte by byte, whatever the locale of the server: lists are paged by the order of ids.

CREATE TABLE settings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE environments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    allow_list TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE scope_configs (
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    is_default BIGINT NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE integrations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    tool TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    status_reason TEXT COLLATE "C",
    setup_status TEXT COLLATE "C" NOT NULL,
    qa_status TEXT COLLATE "C" NOT NULL,
    organization_name TEXT COLLATE "C" NOT NULL,
    creator_email TEXT COLLATE "C",
    origin_id TEXT COLLATE "C",
    scope_config_id TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    mapping TEXT COLLATE "C",
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
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    integration_id TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_until BIGINT,
    lease_token TEXT COLLATE "C",
    error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
-- One job of a kind and key is queued or running.
CREATE UNIQUE INDEX jobs_open ON jobs (kind, key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_due ON jobs (kind, run_at) WHERE state IN ('queued', 'running');

CREATE TABLE runs (
    integration_id TEXT COLLATE "C" NOT NULL REFERENCES integrations (id),
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    trigger_kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    code TEXT COLLATE "C",
    counts TEXT COLLATE "C" NOT NULL,
    interaction_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (integration_id, id)
);
CREATE INDEX runs_by_time ON runs (integration_id, created_at);

CREATE TABLE run_streams (
    integration_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    pages BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    next TEXT COLLATE "C",
    complete BIGINT NOT NULL,
    incomplete TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, run_id, stream)
);

-- What a run has seen, page by page: 8 bytes of each record's id. Gone when the run ends.
CREATE TABLE run_seen (
    integration_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    page BIGINT NOT NULL,
    ids BYTEA NOT NULL,
    PRIMARY KEY (integration_id, run_id, model, stream, page)
);

CREATE TABLE records (
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    remote_id TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    links TEXT COLLATE "C" NOT NULL,
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
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    target_remote_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, model, id, field, position)
);
CREATE INDEX record_refs_back ON record_refs (integration_id, model, field, target_id);

-- Values that filters look at.
CREATE TABLE record_keys (
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, model, name, value, id)
);
CREATE INDEX record_keys_of_record ON record_keys (integration_id, model, id);

-- Values of the latest run that did not fit.
CREATE TABLE issues (
    integration_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    remote_id TEXT COLLATE "C",
    field TEXT COLLATE "C",
    problem TEXT COLLATE "C" NOT NULL,
    expected TEXT COLLATE "C" NOT NULL,
    got TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, run_id, id)
);

CREATE TABLE interactions (
    environment_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    integration_id TEXT COLLATE "C",
    parent_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C",
    path TEXT COLLATE "C",
    status BIGINT,
    code TEXT COLLATE "C",
    message TEXT COLLATE "C",
    hint TEXT COLLATE "C",
    context TEXT COLLATE "C",
    rule TEXT COLLATE "C",
    request TEXT COLLATE "C",
    response TEXT COLLATE "C",
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX interactions_by_time ON interactions (environment_id, started_at);
CREATE INDEX interactions_children ON interactions (environment_id, parent_id);
CREATE INDEX interactions_of_integration ON interactions (environment_id, integration_id, started_at);

CREATE TABLE exchanges (
    interaction_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    request_headers TEXT COLLATE "C" NOT NULL,
    request_body TEXT COLLATE "C",
    status BIGINT,
    response_headers TEXT COLLATE "C" NOT NULL,
    response_body TEXT COLLATE "C",
    duration_ms BIGINT NOT NULL,
    rule TEXT COLLATE "C",
    error TEXT COLLATE "C",
    PRIMARY KEY (interaction_id, seq)
);

CREATE TABLE logins (
    hash BYTEA NOT NULL PRIMARY KEY,
    -- 'link' logs in once, 'session' is a browser that did.
    kind TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
