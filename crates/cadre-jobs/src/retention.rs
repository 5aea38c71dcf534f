//! How long things are kept, and their end.
//!
//! | what | how long | what happens |
//! | --- | --- | --- |
//! | interactions with their exchanges | [`Retention::interactions`] | removed |
//! | runs, jobs, ended log-ins | [`Retention::history`] | removed |
//! | forms of postings that nobody can apply with any more | as long as a token holds, and a day | removed |
//! | imports into feeds, but for the latest of each | [`Retention::history`] | removed |
//! | events with their deliveries | [`Retention::events`] | removed; longer kept where an endpoint has not taken them |
//! | records that are gone from the tool | [`Retention::deleted_records`] | their values become null |
//! | integrations that were deleted | [`Retention::deleted_integrations`] | everything of theirs is erased |
//!
//! A field that the scope configuration switches off is null after the next full sync, and a model is
//! deleted by it: that is the work of the sync.

use std::time::Duration;

use cadre_model::fields::Fields;
use cadre_model::mapped::{Mapped, seal};
use cadre_model::registry;
use cadre_model::shape::Kind;
use cadre_store::Expired;
use serde_json::Value;

use crate::settings::Parts;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Records whose values are removed in one go.
const AT_ONCE: u32 = 500;

/// How long things are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Interactions, from their beginning.
    pub interactions: Duration,
    /// Runs and jobs, from their end.
    pub history: Duration,
    /// Events of the ledger and their deliveries.
    pub events: Duration,
    /// The values of a record, from when it was found to be gone.
    pub deleted_records: Duration,
    /// The data of an integration, from when it was deleted.
    pub deleted_integrations: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            interactions: DAY * 30,
            history: DAY * 60,
            events: DAY * 365,
            deleted_records: DAY * 14,
            deleted_integrations: DAY * 14,
        }
    }
}

/// Ends everything whose time has come. What fails is tried again with the next call.
pub async fn apply(parts: &Parts) {
    let (store, retention) = (&parts.store, &parts.settings.retention);
    let now = parts.clock.now_ms();
    let before =
        |kept: Duration| now.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    let outcomes = [
        ("interactions", store.interactions_prune(before(retention.interactions)).await),
        ("history", store.history_prune(before(retention.history)).await),
        ("events", store.events_prune(before(retention.events)).await),
        (
            "integrations",
            store.system_integrations_erase(before(retention.deleted_integrations)).await,
        ),
        (
            "forms of postings",
            store.posting_forms_prune(before(parts.settings.apply.token_lasts + DAY)).await,
        ),
        ("imports into feeds", store.feed_imports_prune(before(retention.history)).await),
        ("records", blank(parts, before(retention.deleted_records)).await),
    ];
    for (what, outcome) in outcomes {
        match outcome {
            Ok(0) => {}
            Ok(count) => tracing::info!(what, count, "removed what was kept long enough"),
            Err(error) => tracing::warn!(what, %error, "what was kept long enough was not removed"),
        }
    }
}

async fn blank(parts: &Parts, before: i64) -> Result<u64, cadre_store::Error> {
    let mut count = 0;
    loop {
        let expired = parts.store.system_records_expired(before, AT_ONCE).await?;
        if expired.is_empty() {
            return Ok(count);
        }
        for record in expired {
            if let Some(left) = left(&record) {
                let left = seal(record.scope.id(), &left);
                parts.store.record_blank(&record.scope, &left).await?;
                count += 1;
            } else {
                tracing::warn!(
                    model = record.model,
                    "records of a model that is not known any more"
                );
                return Ok(count);
            }
        }
    }
}

/// What is left of a record: its ids, and what the contract says is never null.
fn left(record: &Expired) -> Option<Mapped> {
    let model = registry::model(&record.model)?;
    let mut fields = Fields::default();
    for field in model.shape.fields.iter().filter(|field| !field.nullable) {
        let value = match field.kind {
            // A reference is stored as a list of one link, and named by the id in the tool.
            Kind::Ref(_) => record.links.get(field.name).map(|links| links[0][1].clone()),
            Kind::List(_) | Kind::Object(_) | Kind::Union(_) | Kind::Json => None,
            _ => record.fields.get(field.name).cloned(),
        };
        fields.set(field.name, value.unwrap_or(Value::Null));
    }
    let remote_id = record.remote_id.clone();
    Some(Mapped { model, remote_id, fields, links: Vec::new(), issues: Vec::new() })
}
