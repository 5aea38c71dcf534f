-- What tools push: people and groups of a directory, by integration.
CREATE TABLE directory_resources (
    integration_id TEXT NOT NULL,
    -- User or Group.
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- What it is told apart by: user name or display name, in lower case.
    name TEXT NOT NULL,
    external_id TEXT,
    body TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    -- Moves with every change of what it shows; the records know it up to `applied`.
    touch BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    PRIMARY KEY (integration_id, kind, id)
);
CREATE UNIQUE INDEX directory_user_names ON directory_resources (integration_id, name)
    WHERE kind = 'User' AND deleted_at IS NULL;
CREATE INDEX directory_names ON directory_resources (integration_id, kind, name);
CREATE INDEX directory_external_ids ON directory_resources (integration_id, kind, external_id);
CREATE INDEX directory_order ON directory_resources (integration_id, kind, created_at, id);
CREATE INDEX directory_stale ON directory_resources (integration_id, id) WHERE touch > applied;
CREATE TABLE directory_members (
    integration_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (integration_id, group_id, member_id)
);
CREATE INDEX directory_memberships ON directory_members (integration_id, member_id);
