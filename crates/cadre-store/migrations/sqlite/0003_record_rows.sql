-- A row of a table without row ids may fill a quarter of a page only; what is longer goes to a page of its
-- own. Most records are longer: the table was four times as large as what it holds.
CREATE TABLE records_with_rowid (
    integration_id TEXT NOT NULL,
    model TEXT NOT NULL,
    id TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    body TEXT NOT NULL,
    links TEXT NOT NULL,
    hash BLOB NOT NULL,
    link_hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- When the record or something that it shows last changed: what updated_after looks at.
    touched_at BIGINT NOT NULL,
    remote_deleted_at BIGINT,
    PRIMARY KEY (integration_id, model, id)
);
INSERT INTO records_with_rowid (
    integration_id, model, id, remote_id, body, links, hash, link_hash, created_at, changed_at, touched_at,
    remote_deleted_at)
SELECT integration_id, model, id, remote_id, body, links, hash, link_hash, created_at, changed_at, touched_at,
    remote_deleted_at
FROM records;
DROP TABLE records;
ALTER TABLE records_with_rowid RENAME TO records;
CREATE INDEX records_touched ON records (integration_id, model, touched_at);
