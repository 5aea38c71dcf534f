//! What an action made or changed: the mirror knows it before the next sync.

use cadre_model::mapped::Record;

use super::raw::write_raw;
use super::sql::Place;
use super::version::records_moved;
use super::write::{PageOutcome, by_model, due, stored, write_model};
use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

impl Store {
    /// Stores records that an action has made or changed: the mirror knows them before the next sync.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_learn(
        &self,
        scope: &IntegrationScope,
        records: &[Record],
    ) -> Result<PageOutcome, Error> {
        let mut outcome = PageOutcome::default();
        let now = self.now();
        let mut tx = self.begin().await?;
        let mut issues = Vec::new();
        for (model, records) in by_model(records.iter(), &mut issues) {
            let at = Place { backend: self.backend(), integration_id: scope.id(), model, now };
            let stored = stored(&mut tx, at, &records).await?;
            let due = due(&records, &stored, i64::MAX, now, &mut outcome, &mut issues);
            write_model(&mut tx, at, &due).await?;
            write_raw(&mut tx, at, &records, &stored).await?;
        }
        if outcome.wrote() {
            records_moved(&mut tx, scope.id()).await?;
        }
        tx.commit().await.attempt("store what an action made")?;
        Ok(outcome)
    }
}
