//! The receipt of a run: what it proves about each model, so that two parties can compare.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use cadre_model::time::wire;
use serde_json::{Map, Value, json};

use super::proof::{OfModel, Proof};
use super::run::Sync;

/// Writes the receipt, and notes up to when each model is known.
pub(super) async fn receipt(
    sync: &Sync<'_>,
    models: &BTreeMap<&'static str, OfModel>,
) -> Result<Value, cadre_store::Error> {
    let store = &sync.parts.store;
    let filled = sync.filled.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let recent = store.integration_recent(&sync.scope).await?;
    let mut rows = Map::new();
    let mut known = Vec::new();
    for (model, of) in models {
        let fingerprint = store.records_fingerprint(&sync.scope, model).await?;
        let came = filled.of(model);
        rows.insert(
            (*model).to_owned(),
            json!({
                "proof": of.proof.word(),
                "stored": fingerprint.count,
                "hash": fingerprint.hash,
                "came": came.map_or(0, |came| came.records),
                "refused": came.map_or(0, |came| came.refused),
                "deleted": of.deleted,
                "suspect": of.suspect,
                "filled": came.map(|came| &came.fields),
            }),
        );
        // Of what is read from some moment on only, older records are not known as they stand.
        let is_bounded = recent.is_some() && sync.can_be_bounded(model);
        if matches!(of.proof, Proof::Complete | Proof::ChangesOnly) && !is_bounded {
            known.push(*model);
        }
    }
    let run = store.run_get(&sync.scope, &sync.run.id).await?;
    let started_at = run.and_then(|run| run.started_at).unwrap_or_default();
    store.models_mark(&sync.scope, &known, started_at).await?;
    Ok(json!({
        "kind": sync.run.kind.as_str(),
        "from": wire(started_at),
        "until": wire(sync.parts.clock.now_ms()),
        "scope_config_id": sync.integration.scope_config_id,
        "models": rows,
    }))
}

impl Sync<'_> {
    /// Whether old records of a model are left out where somebody wants recent data only.
    fn can_be_bounded(&self, model: &str) -> bool {
        let feeding = self.maps.iter().filter(|map| map.model().id == model);
        let mut roots = feeding.flat_map(|map| map.streams()).map(|one| self.entry.root_of(one));
        let connector = &self.entry.connector;
        roots.any(|root| {
            connector.stream(&root).is_some_and(cadre_connector::Stream::can_be_bounded)
        })
    }
}
