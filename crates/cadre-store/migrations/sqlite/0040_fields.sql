-- What a record shows beside its own fields, a JSON object: custom_fields, integration_fields, remote_data.
ALTER TABLE records ADD COLUMN extensions TEXT NOT NULL DEFAULT '';

-- The raw value that a record was made of, as far as the scope configuration allows.
CREATE TABLE record_raw (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    stream TEXT NOT NULL,
    -- [value, parent]
    raw TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (integration_id, model, id)
);

-- The lookups that the records of the latest runs were made with.
CREATE TABLE raw_lookups (
    integration_id TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Fields that an environment wants beyond the unified model.
CREATE TABLE custom_fields (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    label TEXT,
    description TEXT,
    -- Keys of integration fields that are taken by themselves, a JSON list in the order of preference.
    aliases TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX custom_fields_by_key ON custom_fields (environment_id, model, key);

-- Raw fields that an integration's tool was seen to have.
CREATE TABLE integration_fields (
    integration_id TEXT NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT,
    passed BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    PRIMARY KEY (integration_id, id)
) WITHOUT ROWID;

-- Which integration field fills a custom field; none where somebody took it away.
CREATE TABLE custom_field_sources (
    integration_id TEXT NOT NULL,
    custom_field_id TEXT NOT NULL,
    integration_field_id TEXT,
    PRIMARY KEY (integration_id, custom_field_id)
) WITHOUT ROWID;
