-- People who use the dashboard.
CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    -- In small letters: there is one of each address.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    -- Argon2id, with its parameters and salt.
    password TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    last_log_in_at BIGINT,
    -- Wrong passwords in a row, and until when none is looked at.
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);

-- Whose session it is; nobody's for whoever came through a log-in link.
ALTER TABLE logins ADD COLUMN person_id TEXT;
CREATE INDEX logins_of_person ON logins (person_id);

-- What people did in the dashboard. Never changed.
CREATE TABLE audit (
    -- Empty for what belongs to the installation.
    environment_id TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX audit_by_time ON audit (environment_id, at);

-- What the log is filtered by. The code in the first index is for counting without reading the rows.
DROP INDEX interactions_by_time;
CREATE INDEX interactions_by_time ON interactions (environment_id, started_at, code);
CREATE INDEX interactions_by_kind ON interactions (environment_id, kind, started_at);
CREATE INDEX interactions_by_code ON interactions (environment_id, code, started_at) WHERE code IS NOT NULL;
CREATE INDEX interactions_failed ON interactions (environment_id, started_at) WHERE code IS NOT NULL;

CREATE INDEX deliveries_failed ON deliveries (endpoint_id, sequence) WHERE state = 'failed';
