//! The version of the records of an integration: it moves with every change to them, so that what was
//! rendered of them holds as long as it stays.

use crate::store::{Attempt, Error, Tx};

/// Moves the version, at the end of a transaction that changed records: whoever changes records of the
/// same integration waits here for the transaction to end.
pub(crate) async fn records_moved(tx: &mut Tx, integration_id: &str) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO record_versions (integration_id, version) VALUES ($1, 1)
         ON CONFLICT (integration_id) DO UPDATE SET version = record_versions.version + 1",
    )
    .bind(integration_id)
    .execute(&mut **tx)
    .await
    .attempt("note that records changed")?;
    Ok(())
}
