//! What PostgreSQL knows of the tables of records.
//!
//! Without statistics it takes every integration for a handful of rows, and then reads all of them where one
//! is asked for by its id: each page of a first sync would cost more than the one before. Its own
//! housekeeping looks once a minute, and at a part of a large table only when that part has become a tenth
//! of it. So a sync that stores many new records asks for a look itself.

use crate::store::{Attempt, Backend, Error, Store};

impl Store {
    /// Has the database look at the tables of records again. Nothing in SQLite, which takes a whole unique
    /// key first, whatever it knows. A table that is being looked at already is left out.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_measure(&self) -> Result<(), Error> {
        if self.backend() == Backend::Postgres {
            sqlx::query(
                "ANALYZE (SKIP_LOCKED) records, record_raw, record_keys, record_refs, run_seen",
            )
            .execute(self.write())
            .await
            .attempt("look at the tables of records")?;
        }
        Ok(())
    }
}
