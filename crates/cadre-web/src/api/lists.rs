//! Every list endpoint: one handler, generic over the model.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_model::model::{Filter, FilterRule, ModelDef};
use cadre_store::ListQuery;
use http::request::Parts;

use super::integrations::field_names;
use crate::gate::{self, Offered};
use crate::listing::{self, Asked, Whose};
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Page;
use crate::scope::{Reader, unavailable};
use crate::state::AppState;

/// A list endpoint: a model at one of its paths.
#[derive(Debug, Clone, Copy)]
pub struct List {
    /// The model.
    pub model: &'static ModelDef,
    /// The model's own filters that this path takes.
    pub filters: &'static [Filter],
}

impl List {
    /// Lists records, ordered by id.
    ///
    /// # Errors
    ///
    /// Whatever stands between the caller and the records, the first of it.
    pub async fn get(
        self,
        State(state): State<AppState>,
        Extension(call): Extension<Arc<Call>>,
        mut parts: Parts,
    ) -> Result<Page, Refused> {
        let reader = Reader::admit(&mut parts, &state, self.model.id).await?;
        let (environment, id) = (reader.caller.scope.clone(), reader.integration_id.clone());
        let whose = Whose { environment_id: environment.id(), integration_id: &id };
        let asked = Asked::parse(parts.uri.query(), self.model, self.filters, whose)?;
        let (here, config, freshness) = reader.found(&call)?;
        let config = match config {
            Some(config) => config,
            None => gate::scope_config(&state, &environment, &here.integration).await?,
        };
        let offered = gate::offered(&state, &here.integration);
        gate::readable(&state, &here, &config, &offered, self.model).await?;

        let extensions = ["custom_fields", "integration_fields", "remote_data"];
        let hidden: HashSet<&str> = field_names(self.model)
            .chain(extensions)
            .filter(|name| !config.field_enabled(self.model.id, name))
            .collect();
        let Some(query) = self.query(&asked, &offered, &hidden) else {
            return Ok(Page { body: Page::body("[]", None), freshness: None });
        };
        let key = listing::key(&id, self.model, &asked.canonical(), &query, &hidden);
        if let Some(body) = state.pages.get(&key, freshness.version) {
            return Ok(Page { body, freshness: Some(freshness) });
        }
        let page = state
            .store
            .records_list(&here.scope, self.model, &query, &hidden)
            .await
            .map_err(unavailable)?;
        let last = page.last_id.filter(|_| page.more);
        let next = last.map(|last| asked.next(self.model, whose, &last));
        let body = Page::body(&page.body, next.as_deref());
        state.pages.keep(key, freshness.version, body.clone());
        Ok(Page { body, freshness: Some(freshness) })
    }

    /// What the store is asked for; `None` when a filter is on something that the tool does not
    /// offer, so that nothing can match.
    fn query(self, asked: &Asked, offered: &Offered, hidden: &HashSet<&str>) -> Option<ListQuery> {
        let mut filters = Vec::with_capacity(asked.filters.len());
        for given in &asked.filters {
            if self.supports(given.filter, offered, hidden) {
                filters.push((given.filter, given.values.clone()));
            } else if !asked.ignore_unsupported_filters {
                return None;
            }
        }
        Some(ListQuery {
            limit: asked.page_size,
            after_id: asked.after_id.clone(),
            updated_after_ms: asked.updated_after_ms,
            include_deleted: asked.include_deleted,
            ids: asked.ids.clone(),
            remote_ids: asked.remote_ids.clone(),
            filters,
        })
    }

    /// Whether the tool fills what the filter looks at, and the field may be read at all.
    fn supports(self, filter: &Filter, offered: &Offered, hidden: &HashSet<&str>) -> bool {
        let own = |field: &str| {
            let field = field.split('.').next().unwrap_or(field);
            !hidden.contains(field) && offered.field(self.model.id, field)
        };
        match filter.rule {
            FilterRule::RefersTo { field }
            | FilterRule::RefersToOne { field }
            | FilterRule::RefersToRemote { field } => own(field),
            FilterRule::RefersThrough { field, model, then } => {
                own(field) && offered.field(model, then)
            }
            FilterRule::ReferredThrough { model, field, then } => {
                offered.field(model, field) && offered.field(model, then)
            }
            FilterRule::CustomField => !hidden.contains("custom_fields"),
            rule => rule.key().is_some_and(own),
        }
    }
}
