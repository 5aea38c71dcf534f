-- What a record shows beside its own fields, a JSON object: custom_fields, integration_fields, remote_data.
ALTER TABLE records ADD COLUMN extensions TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The raw value that a record was made of, as far as the scope configuration allows.
CREATE TABLE record_raw (
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    -- [value, parent]
    raw TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (integration_id, model, id)
);

-- The lookups that the records of the latest runs were made with.
CREATE TABLE raw_lookups (
    integration_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Fields that an environment wants beyond the unified model.
CREATE TABLE custom_fields (
    environment_id TEXT COLLATE "C" NOT NULL REFERENCES environments (id),
    id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C",
    description TEXT COLLATE "C",
    -- Keys of integration fields that are taken by themselves, a JSON list in the order of preference.
    aliases TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);
CREATE UNIQUE INDEX custom_fields_by_key ON custom_fields (environment_id, model, key);

-- Raw fields that an integration's tool was seen to have.
CREATE TABLE integration_fields (
    integration_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C",
    passed BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    PRIMARY KEY (integration_id, id)
);

-- Which integration field fills a custom field; none where somebody took it away.
CREATE TABLE custom_field_sources (
    integration_id TEXT COLLATE "C" NOT NULL,
    custom_field_id TEXT COLLATE "C" NOT NULL,
    integration_field_id TEXT COLLATE "C",
    PRIMARY KEY (integration_id, custom_field_id)
);
