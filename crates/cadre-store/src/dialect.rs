//! The few statements in which the two databases differ, side by side.

use crate::store::Backend;

impl Backend {
    /// Takes the oldest due job of a kind. `$1` now, `$2` end of the lease, `$3` token, `$4` kind.
    ///
    /// PostgreSQL has many writers: a row that another worker is taking is passed over, not waited
    /// for. SQLite has one writer at a time, so the plain statement is already exclusive.
    pub(crate) fn claim_job(self) -> &'static str {
        match self {
            Backend::Postgres => {
                "UPDATE jobs SET state = 'running', lease_until = $2, lease_token = $3, attempts = attempts + 1
                 WHERE id = (SELECT id FROM jobs WHERE kind = $4 AND run_at <= $1
                               AND (state = 'queued' OR (state = 'running' AND lease_until < $1))
                             ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
                 RETURNING id, kind, key, payload, integration_id, attempts, lease_token"
            }
            Backend::Sqlite => {
                "UPDATE jobs SET state = 'running', lease_until = $2, lease_token = $3, attempts = attempts + 1
                 WHERE id = (SELECT id FROM jobs WHERE kind = $4 AND run_at <= $1
                               AND (state = 'queued' OR (state = 'running' AND lease_until < $1))
                             ORDER BY run_at, id LIMIT 1)
                 RETURNING id, kind, key, payload, integration_id, attempts, lease_token"
            }
        }
    }

    /// The end of a sub-query that picks a row to be taken: one that somebody else is taking is passed
    /// over where there are many writers.
    pub(crate) fn pass_over_locked(self) -> &'static str {
        match self {
            Backend::Postgres => "FOR UPDATE SKIP LOCKED",
            Backend::Sqlite => "",
        }
    }

    /// The condition that a column is one of the texts of a JSON array, which is bound at `place`.
    ///
    /// A list of any length is one value: the statement stays the same, and no list is too long for it.
    pub(crate) fn among(self, column: &str, place: &str) -> String {
        match self {
            // The sub-query makes one array of it before anything is read, so that the index is used.
            Backend::Postgres => {
                format!(
                    "{column} = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST({place} AS jsonb))))"
                )
            }
            Backend::Sqlite => format!("{column} IN (SELECT value FROM json_each({place}))"),
        }
    }

    /// The values of a key of one record, as the column `value` of `k`; `column` holds the record's keys.
    pub(crate) fn keys_of_record(self, column: &str, name: &str) -> String {
        match self {
            Backend::Postgres => format!(
                "(SELECT j.value COLLATE \"C\" AS value
                  FROM jsonb_array_elements_text(CAST({column} AS jsonb) -> '{name}') AS j (value)) k"
            ),
            Backend::Sqlite => format!("json_each({column}, '$.\"{name}\"') k"),
        }
    }

    /// The condition that a column is one of the texts that a query finds, which runs first and once.
    pub(crate) fn found_by(self, column: &str, query: &str) -> String {
        match self {
            Backend::Postgres => format!("{column} = ANY (ARRAY({query}))"),
            Backend::Sqlite => format!("{column} IN ({query})"),
        }
    }

    /// Begins a transaction that will write. SQLite takes the right to write at once, because a
    /// transaction that asks for it later may be refused.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Backend::Postgres => "BEGIN",
            Backend::Sqlite => "BEGIN IMMEDIATE",
        }
    }

    /// What a new connection is told; `writes` says whether it may write.
    pub(crate) fn set_up(self, writes: bool) -> &'static [&'static str] {
        match (self, writes) {
            (Backend::Postgres, _) => &[],
            (Backend::Sqlite, true) => &[
                "PRAGMA journal_mode = WAL",
                "PRAGMA synchronous = NORMAL",
                "PRAGMA busy_timeout = 10000",
                "PRAGMA foreign_keys = ON",
                "PRAGMA cache_size = -8000",
                // Pages that change again and again are copied into the database once in 32 MB, not in 4.
                "PRAGMA wal_autocheckpoint = 8000",
                "PRAGMA temp_store = MEMORY",
            ],
            (Backend::Sqlite, false) => &[
                "PRAGMA busy_timeout = 10000",
                "PRAGMA query_only = ON",
                "PRAGMA cache_size = -2000",
            ],
        }
    }
}
