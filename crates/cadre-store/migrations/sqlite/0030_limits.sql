-- Requests in the present window: what all processes together have taken of it.
CREATE TABLE rate_windows (
    environment_id TEXT NOT NULL,
    -- What the quota is for: the id of a key, or nothing for the environment as a whole.
    key_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    PRIMARY KEY (environment_id, key_id)
);

-- A row to hold while slots of an integration are counted.
CREATE TABLE live_rooms (
    integration_id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);

-- Pieces of live work that are under way, in whatever process.
CREATE TABLE live_slots (
    integration_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- When the process that took it must be gone.
    until BIGINT NOT NULL,
    PRIMARY KEY (integration_id, id)
);

-- Addresses and networks that keys of the environment may be used from, as JSON; none: all.
ALTER TABLE environments ADD COLUMN allow_list TEXT NOT NULL DEFAULT '[]';
