//! The one generic list: a page of records of any model.

use std::collections::HashSet;
use std::fmt::Write;

use cadre_model::ids::record_id;
use cadre_model::model::{Filter, ModelDef};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::filter::{Bound, Query, indexed, narrow};
use super::render;
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::IntegrationScope;

/// What a page is asked for.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Most records.
    pub limit: u32,
    /// Only records after this id.
    pub after_id: Option<String>,
    /// Only records that changed, or show something that changed, after this moment.
    pub updated_after_ms: Option<i64>,
    /// Whether deleted records are wanted too.
    pub include_deleted: bool,
    /// Only these ids.
    pub ids: Option<Vec<String>>,
    /// Only these remote ids.
    pub remote_ids: Option<Vec<String>>,
    /// Filters of the model, each with its values. A moment is given in its wire form.
    pub filters: Vec<(&'static Filter, Vec<String>)>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// JSON array of the records, as they are served.
    pub body: String,
    /// How many there are.
    pub count: usize,
    /// Id of the last one.
    pub last_id: Option<String>,
    /// Whether there are more after it.
    pub more: bool,
}

/// How many records of a model there are, and when the latest changed.
#[derive(Debug, Clone)]
pub struct ModelStats {
    /// The model.
    pub model: String,
    /// Live records.
    pub count: u64,
    /// When one last changed.
    pub changed_at: i64,
}

/// A stored record.
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) remote_id: String,
    pub(super) body: String,
    pub(super) links: String,
    pub(super) extensions: String,
    pub(super) changed_at: i64,
    pub(super) remote_deleted_at: Option<i64>,
}

pub(super) fn stored(row: &AnyRow) -> Stored {
    Stored {
        id: row.get("id"),
        remote_id: row.get("remote_id"),
        body: row.get("body"),
        links: row.get("links"),
        extensions: row.get("extensions"),
        changed_at: row.get("changed_at"),
        remote_deleted_at: row.get("remote_deleted_at"),
    }
}

/// So many records are sooner fetched by id and sorted than looked for among all.
const FEW: i64 = 1_000;

/// A condition whose records an index lists.
enum Lead {
    /// Changed, or showing something that changed, after a moment.
    Touched(i64),
    /// The filter at this place of the query.
    Filter(usize),
}

impl Lead {
    /// The query for their ids; `None` where no index lists them.
    fn ids(&self, query: &mut Query, model: &ModelDef, asked: &ListQuery) -> Option<String> {
        match *self {
            Lead::Touched(after) => {
                let place = query.bind(Bound::Number(after));
                Some(format!(
                    "SELECT t.id FROM records t WHERE t.integration_id = $1 AND t.model = $2
                     AND t.touched_at > {place}"
                ))
            }
            Lead::Filter(at) => {
                let (filter, values) = asked.filters.get(at)?;
                indexed(query, model, filter, values)
            }
        }
    }
}

impl Store {
    /// A page of records, by id, as it is served. `hidden` are fields and relations that the scope
    /// configuration switches off.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_list(
        &self,
        scope: &IntegrationScope,
        model: &'static ModelDef,
        query: &ListQuery,
        hidden: &HashSet<&str>,
    ) -> Result<ListPage, Error> {
        let mut rows = self.select(scope, model, query).await?;
        let limit = query.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let body = render::page(self, scope, model, &rows, query.include_deleted, hidden).await?;
        Ok(ListPage { body, count: rows.len(), last_id: rows.pop().map(|row| row.id), more })
    }

    async fn select(
        &self,
        scope: &IntegrationScope,
        model: &'static ModelDef,
        asked: &ListQuery,
    ) -> Result<Vec<Stored>, Error> {
        let lead = self.lead(scope, model, asked).await?;
        let mut query = Query::about(self.backend(), scope.id(), model);
        query.sql.push_str(
            "SELECT r.id, r.remote_id, r.body, r.links, r.extensions, r.changed_at, r.remote_deleted_at
             FROM records r
             WHERE r.integration_id = $1 AND r.model = $2",
        );
        if let Some(ids) = lead.and_then(|lead| lead.ids(&mut query, model, asked)) {
            let condition = self.backend().found_by("r.id", &ids);
            let _ = write!(query.sql, " AND {condition}");
        }
        if let Some(after) = &asked.after_id {
            let place = query.bind(Bound::Text(storable(after)));
            let _ = write!(query.sql, " AND r.id > {place}");
        }
        if !asked.include_deleted {
            query.sql.push_str(" AND r.remote_deleted_at IS NULL");
        }
        if let Some(after) = asked.updated_after_ms {
            let place = query.bind(Bound::Number(after));
            let _ = write!(query.sql, " AND r.touched_at > {place}");
        }
        if let Some(ids) = &asked.ids {
            let condition = query.among("r.id", ids);
            let _ = write!(query.sql, " AND {condition}");
        }
        // An id follows from the remote id, so that this needs no index of its own.
        if let Some(ids) = &asked.remote_ids {
            let ids = ids.iter().map(|id| record_id(scope.id(), model.id, id));
            let condition = query.among("r.id", ids);
            let _ = write!(query.sql, " AND {condition}");
        }
        for (filter, values) in &asked.filters {
            narrow(&mut query, model, filter, values);
        }
        let place = query.bind(Bound::Number(i64::from(asked.limit) + 1));
        let _ = write!(query.sql, " ORDER BY r.id LIMIT {place}");
        let rows = query.rows(self).await?;
        Ok(rows.iter().map(stored).collect())
    }

    /// The first condition that leads to few records. Neither database can know this beforehand, and
    /// both are slow when they guess wrong: a walk by id that looks for one record passes all the others,
    /// and an index that lists nearly all of them is read to its end before the first is shown.
    async fn lead(
        &self,
        scope: &IntegrationScope,
        model: &'static ModelDef,
        asked: &ListQuery,
    ) -> Result<Option<Lead>, Error> {
        // Ids that are named lead to few records anyway.
        if asked.ids.is_some() || asked.remote_ids.is_some() {
            return Ok(None);
        }
        let touched = asked.updated_after_ms.map(Lead::Touched);
        for lead in touched.into_iter().chain((0..asked.filters.len()).map(Lead::Filter)) {
            let mut query = Query::about(self.backend(), scope.id(), model);
            let Some(ids) = lead.ids(&mut query, model, asked) else { continue };
            let _ = write!(
                query.sql,
                "SELECT COUNT(*) FROM (SELECT 1 FROM ({ids}) i LIMIT {}) n",
                FEW + 1
            );
            let count = query.rows(self).await?.first().map_or(0, |row| row.get::<i64, _>(0));
            if count <= FEW {
                return Ok(Some(lead));
            }
        }
        Ok(None)
    }

    /// How many live records of each model an integration has.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn records_stats(&self, scope: &IntegrationScope) -> Result<Vec<ModelStats>, Error> {
        let rows = sqlx::query(
            "SELECT model, COUNT(*), MAX(changed_at) FROM records
             WHERE integration_id = $1 AND remote_deleted_at IS NULL GROUP BY model ORDER BY model",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("count records")?;
        Ok(rows
            .iter()
            .map(|row| ModelStats {
                model: row.get(0),
                count: u64::try_from(row.get::<i64, _>(1)).unwrap_or(0),
                changed_at: row.get(2),
            })
            .collect())
    }
}
