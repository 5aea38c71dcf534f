-- The texts that say whose key a value is are most of what was written for a record. They stand once here, and
-- a record tells its own keys, so that its rows are found without an index of their own.
CREATE TABLE key_names (
    key_id INTEGER NOT NULL PRIMARY KEY,
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    -- Path of the field; with `~` at the end where case is folded.
    name TEXT NOT NULL,
    UNIQUE (integration_id, model, name)
);
INSERT INTO key_names (integration_id, model, name)
SELECT DISTINCT integration_id, model, name FROM record_keys ORDER BY 1, 2, 3;

-- JSON object from the name of a key to its values.
ALTER TABLE records ADD COLUMN keys TEXT NOT NULL DEFAULT '{}';
UPDATE records SET keys = COALESCE((
    SELECT json_group_object(k.name, json(k.vals)) FROM (
        SELECT o.name, json_group_array(o.value) AS vals FROM record_keys o
        WHERE o.integration_id = records.integration_id AND o.model = records.model AND o.id = records.id
        GROUP BY o.name) k), '{}');

CREATE TABLE record_keys_by_id (
    key_id INTEGER NOT NULL,
    value TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (key_id, value, id)
) WITHOUT ROWID;
INSERT INTO record_keys_by_id (key_id, value, id)
SELECT n.key_id, k.value, k.id FROM record_keys k
JOIN key_names n ON n.integration_id = k.integration_id AND n.model = k.model AND n.name = k.name
ORDER BY 1, 2, 3;
DROP TABLE record_keys;
ALTER TABLE record_keys_by_id RENAME TO record_keys;
