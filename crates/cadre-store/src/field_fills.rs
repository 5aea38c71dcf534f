//! How full the fields of a model were, run by run.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// Runs whose figures are kept of a model.
const KEPT: i64 = 60;

/// How full a field was in one run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldFill {
    /// Records that had a value.
    pub filled: u64,
    /// Records that had a value before the run and came again.
    pub had: u64,
    /// Those of them that came without it.
    pub lost: u64,
}

/// How full the fields of a model were in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFills {
    /// The model.
    pub model: String,
    /// The run.
    pub run_id: String,
    /// When it ended.
    pub ended_at: i64,
    /// Records that came.
    pub records: u64,
    /// By field. A field that was degraded in the run is left out: it is no example for later ones.
    pub fields: BTreeMap<String, FieldFill>,
}

impl Store {
    /// Keeps the figures of a whole run; the same twice is the same. The oldest go.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn field_fills_keep(
        &self,
        scope: &IntegrationScope,
        fills: &ModelFills,
    ) -> Result<(), Error> {
        let fields: BTreeMap<&str, [u64; 3]> = fills
            .fields
            .iter()
            .map(|(field, fill)| (field.as_str(), [fill.filled, fill.had, fill.lost]))
            .collect();
        let text = serde_json::to_string(&fields).unwrap_or_default();
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO field_fills (integration_id, model, run_id, ended_at, records, fields)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (integration_id, model, run_id) DO UPDATE SET
                 ended_at = excluded.ended_at, records = excluded.records, fields = excluded.fields",
        )
        .bind(scope.id())
        .bind(&fills.model)
        .bind(&fills.run_id)
        .bind(fills.ended_at)
        .bind(i64::try_from(fills.records).unwrap_or(i64::MAX))
        .bind(text)
        .execute(&mut *tx)
        .await
        .attempt("keep how full fields are")?;
        sqlx::query(
            "DELETE FROM field_fills WHERE integration_id = $1 AND model = $2 AND ended_at <
                 (SELECT MIN(ended_at) FROM (SELECT ended_at FROM field_fills
                  WHERE integration_id = $1 AND model = $2 ORDER BY ended_at DESC LIMIT $3) AS latest)",
        )
        .bind(scope.id())
        .bind(&fills.model)
        .bind(KEPT)
        .execute(&mut *tx)
        .await
        .attempt("forget how full fields were")?;
        tx.commit().await.attempt("keep how full fields are")
    }

    /// The figures of the latest whole runs of an integration, the latest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn field_fills(&self, scope: &IntegrationScope) -> Result<Vec<ModelFills>, Error> {
        let rows = sqlx::query(
            "SELECT model, run_id, ended_at, records, fields FROM field_fills
             WHERE integration_id = $1 ORDER BY ended_at DESC, run_id, model",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("look how full fields were")?;
        rows.iter()
            .map(|row| {
                let text: String = row.get(4);
                let fields: BTreeMap<String, [u64; 3]> =
                    serde_json::from_str(&text).map_err(|_| Error::damaged("figures", &text))?;
                let fields = fields
                    .into_iter()
                    .map(|(field, [filled, had, lost])| (field, FieldFill { filled, had, lost }));
                Ok(ModelFills {
                    model: row.get(0),
                    run_id: row.get(1),
                    ended_at: row.get(2),
                    records: u64::try_from(row.get::<i64, _>(3)).unwrap_or(0),
                    fields: fields.collect(),
                })
            })
            .collect()
    }
}
