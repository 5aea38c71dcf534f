-- The texts that say whose key a value is are most of what was written for a record. They stand once here, and
-- a record tells its own keys, so that its rows are found without an index of their own.
CREATE TABLE key_names (
    key_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_id TEXT COLLATE "C" NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    -- Path of the field; with `~` at the end where case is folded.
    name TEXT COLLATE "C" NOT NULL,
    UNIQUE (integration_id, model, name)
);
INSERT INTO key_names (integration_id, model, name)
SELECT DISTINCT integration_id, model, name FROM record_keys ORDER BY 1, 2, 3;

-- JSON object from the name of a key to its values.
ALTER TABLE records ADD COLUMN keys TEXT NOT NULL DEFAULT '{}';
UPDATE records SET keys = k.keys FROM (
    SELECT v.integration_id, v.model, v.id, json_object_agg(v.name, v.vals)::text AS keys FROM (
        SELECT o.integration_id, o.model, o.id, o.name, json_agg(o.value) AS vals FROM record_keys o
        GROUP BY 1, 2, 3, 4) v
    GROUP BY 1, 2, 3) k
WHERE k.integration_id = records.integration_id AND k.model = records.model AND k.id = records.id;

CREATE TABLE record_keys_by_id (
    key_id BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key_id, value, id)
);
INSERT INTO record_keys_by_id (key_id, value, id)
SELECT n.key_id, k.value, k.id FROM record_keys k
JOIN key_names n ON n.integration_id = k.integration_id AND n.model = k.model AND n.name = k.name
ORDER BY 1, 2, 3;
DROP TABLE record_keys;
ALTER TABLE record_keys_by_id RENAME TO record_keys;
