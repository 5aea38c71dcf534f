//! One record, as something outside of the mirror is asked about it.

use cadre_model::model::ModelDef;
use serde_json::{Map, Value};
use sqlx::Row;

use crate::store::{Attempt, Error, Store};
use crate::tenants::IntegrationScope;

/// A record by its ids.
#[derive(Debug, Clone)]
pub struct FoundRecord {
    /// Its id in the tool.
    pub remote_id: String,
    /// The ids in the tool of the records that its reference fields name, by field.
    pub references: Map<String, Value>,
    /// When it was found to be gone from the tool.
    pub remote_deleted_at: Option<i64>,
}

impl Store {
    /// The record of a model with this id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn record_find(
        &self,
        scope: &IntegrationScope,
        model: &'static ModelDef,
        id: &str,
    ) -> Result<Option<FoundRecord>, Error> {
        let row = sqlx::query(
            "SELECT remote_id, links, remote_deleted_at FROM records
             WHERE integration_id = $1 AND model = $2 AND id = $3",
        )
        .bind(scope.id())
        .bind(model.id)
        .bind(id)
        .fetch_optional(self.read())
        .await
        .attempt("find a record")?;
        let Some(row) = row else { return Ok(None) };
        let text: String = row.get("links");
        let links: Map<String, Value> =
            serde_json::from_str(&text).map_err(|_| Error::damaged("links", &text))?;
        // A reference field is stored as a list of one link: `[[id, remote id]]`.
        let references = links
            .into_iter()
            .filter(|(name, _)| model.shape.field(name).is_some())
            .map(|(name, links)| (name, links[0][1].clone()))
            .collect();
        Ok(Some(FoundRecord {
            remote_id: row.get("remote_id"),
            references,
            remote_deleted_at: row.get("remote_deleted_at"),
        }))
    }
}
