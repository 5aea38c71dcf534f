-- Only what changed since then is read, of streams that can be bounded; a person sets and lifts it.
ALTER TABLE integrations ADD COLUMN recent_since BIGINT;
