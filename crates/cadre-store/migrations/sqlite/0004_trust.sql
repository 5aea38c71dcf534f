-- Since when a record was not seen by passes that cannot prove that it is gone.
ALTER TABLE records ADD COLUMN suspect_since BIGINT;
CREATE INDEX records_suspect ON records (integration_id, model, suspect_since) WHERE suspect_since IS NOT NULL;

-- When the values of a record that was deleted long ago were removed.
ALTER TABLE records ADD COLUMN blanked_at BIGINT;
CREATE INDEX records_deleted ON records (remote_deleted_at) WHERE remote_deleted_at IS NOT NULL AND blanked_at IS NULL;
-- When everything of an integration that was deleted long ago was removed.
ALTER TABLE integrations ADD COLUMN erased_at BIGINT;

-- When a person asked that the run end.
ALTER TABLE runs ADD COLUMN cancel_asked_at BIGINT;

-- The moment, by the tool's clock, from which changes of the stream are still unread.
ALTER TABLE run_streams ADD COLUMN mark BIGINT;

-- Up to when the records of a model are known: the start of the latest run that read all of it.
CREATE TABLE model_marks (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    synced_at BIGINT NOT NULL,
    PRIMARY KEY (integration_id, model)
) WITHOUT ROWID;

-- Conditions that hold for an integration, for as long as they do.
CREATE TABLE integration_issues (
    integration_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What it is about within the integration, such as a model or a field; empty for all of it.
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    resolved_at BIGINT,
    PRIMARY KEY (integration_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX integration_issues_open ON integration_issues (integration_id, kind, subject)
    WHERE state <> 'RESOLVED';
