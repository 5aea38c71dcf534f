//! One record, as something outside of the mirror is asked about it.

use cadre_model::ids::record_id;
use cadre_model::model::ModelDef;
use serde_json::{Map, Value};
use sqlx::Row;

use crate::store::{Attempt, Error, Store, storable};
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

    /// The ids of records of a model that a text leads to: it is the record's id, its id in the tool, or
    /// a value that a filter of the model looks at, such as an e-mail address.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn record_ids_by_text(
        &self,
        scope: &IntegrationScope,
        model: &'static ModelDef,
        text: &str,
        limit: u32,
    ) -> Result<Vec<String>, Error> {
        let text = storable(text);
        let mut ids = Vec::new();
        for id in [text.clone(), record_id(scope.id(), model.id, &text)] {
            if self.record_find(scope, model, &id).await?.is_some() {
                ids.push(id);
            }
        }
        for (name, folded) in model.keys() {
            let value = if folded { text.to_lowercase() } else { text.clone() };
            let rows = sqlx::query(
                "SELECT k.id FROM record_keys k JOIN key_names n ON n.key_id = k.key_id
                 WHERE n.integration_id = $1 AND n.model = $2 AND n.name = $3 AND k.value = $4
                 ORDER BY k.id LIMIT $5",
            )
            .bind(scope.id())
            .bind(model.id)
            .bind(if folded { format!("{name}~") } else { name.to_owned() })
            .bind(value)
            .bind(i64::from(limit))
            .fetch_all(self.read())
            .await
            .attempt("look for records")?;
            ids.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
