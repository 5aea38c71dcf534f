-- Moves with every change to the records of an integration, in the same transaction: what was rendered of
-- them holds as long as the number is the same.
CREATE TABLE record_versions (
    integration_id TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
