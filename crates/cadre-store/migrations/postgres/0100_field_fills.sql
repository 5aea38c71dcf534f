-- How full the fields of a model were, by whole run: what a field is compared with is its own past.
CREATE TABLE field_fills (
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    ended_at BIGINT NOT NULL,
    records BIGINT NOT NULL,
    -- By field: [records that have it, records that had it before, those of them that lost it].
    fields TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, model, run_id)
);
CREATE INDEX field_fills_by_time ON field_fills (integration_id, model, ended_at);
