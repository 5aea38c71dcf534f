//! Making stored records once more of their raw values: after a remapping, and when other fields are
//! wanted. The tool is not asked. What changes is a change like any other; callers are told of it.

use std::collections::BTreeMap;

use cadre_map::{Context, Mapping, Overlay, Policy};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::record_id;
use cadre_model::mapped::{Mapped, Raw, Record, seal};
use cadre_store::{
    Enqueue, Integration, IntegrationScope, Job, NewJob, RawRow, RunKind, RunTrigger, ScopeConfig,
    Store,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Allowed, Extras, endpoint, fingerprint, keep_enabled};
use crate::catalog::Entry;
use crate::enqueue::enqueue_sync;
use crate::settings::Parts;

/// Kind of the job that makes records once more.
pub const AGAIN: &str = "again";

/// Raw values that are held in memory at once.
const BATCH: u32 = 250;

/// Most examples of a field that a preview shows.
const EXAMPLES: usize = 3;

/// What a preview found.
#[derive(Debug, Default, Serialize)]
pub struct Preview {
    /// By model.
    pub models: BTreeMap<&'static str, OfModel>,
    /// Whether every stored record was looked at.
    pub complete: bool,
}

/// What would become of the records of one model.
#[derive(Debug, Default, Serialize)]
pub struct OfModel {
    /// Records that were looked at.
    pub read: u64,
    /// Those that would change.
    pub changed: u64,
    /// Those that the mapping would not make any more; they would stay as they are.
    pub refused: u64,
    /// Values that would not fit.
    pub issues: u64,
    /// By field: in how many records it would change.
    pub fields: BTreeMap<String, u64>,
    /// Some of the changes.
    pub examples: Vec<Example>,
}

/// A change of one field of one record.
#[derive(Debug, Serialize)]
pub struct Example {
    /// The record.
    pub id: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// The field, or the relation whose links change.
    pub field: String,
    /// What is stored.
    pub before: Value,
    /// What would be.
    pub after: Value,
}

/// What became of a new mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remapped {
    /// It is applied to what is stored.
    Again,
    /// Records get other ids in the tool: only a full sync can tell which they are.
    Sync,
}

/// Everything that records are made of.
pub(crate) struct Making {
    pub(crate) entry: std::sync::Arc<Entry>,
    pub(crate) integration: Integration,
    config: ScopeConfig,
    maps: Vec<Mapping>,
    extras: Extras,
    lookup: Value,
    now: Value,
}

impl Making {
    /// `None` when the integration or its connector is gone.
    pub(crate) async fn load(
        parts: &Parts,
        scope: &IntegrationScope,
    ) -> Result<Option<Making>, cadre_store::Error> {
        let store = &parts.store;
        let Some(integration) = store.integration_get(scope).await? else { return Ok(None) };
        let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(None) };
        let Some(environment) = store.system_scope(scope.environment_id()).await? else {
            return Ok(None);
        };
        if integration.deleted_at.is_some() {
            return Ok(None);
        }
        let config = store.scope_config_of(&environment, &integration).await?;
        let Ok(maps) = entry.maps_for(&integration) else { return Ok(None) };
        let extras = Extras::load(store, scope, &config, &maps).await?;
        let lookup = store.raw_lookups(scope).await?;
        let now = cadre_model::time::wire(parts.clock.now_ms()).into();
        Ok(Some(Making { entry, integration, config, maps, extras, lookup, now }))
    }

    /// Whether records need lookups that are not kept, because they may name whoever a filter leaves out.
    fn lacks_lookups(&self) -> bool {
        self.integration.setup.filtering && !self.entry.connector.manifest().lookups.is_empty()
    }

    /// Whether the model is mapped and may be stored.
    pub(crate) fn has(&self, model: &str) -> bool {
        self.enabled().any(|map| map.model().id == model)
    }

    /// The records that a raw record of a stream makes, and model and id of those of which it says that
    /// they are deleted.
    pub(crate) fn made_of(
        &self,
        stream: &str,
        raw: &Value,
        lookup: &Value,
    ) -> (Vec<Record>, Vec<(&'static str, String)>) {
        let settings = &self.integration.settings;
        let context = Context { settings, parent: None, lookup, now: &self.now };
        let policy = Policy::new(&self.maps, &self.entry.maps, &Allowed(&self.config));
        let endpoint = endpoint(&self.entry, stream);
        let (mut records, mut deleted) = (Vec::new(), Vec::new());
        for map in self.enabled() {
            let model = map.model();
            let take = &mut |table: usize, mut mapped: Mapped, value: &Value| {
                keep_enabled(&self.config, &mut mapped);
                let kept = policy.keep((model.id, table), value, None);
                let shown = self.extras.of(model, || endpoint.clone(), &kept.value);
                let mut record = seal(&self.integration.id, &mapped).with_extensions(&shown);
                record.raw = Some(Raw::new(stream, &kept.value, &kept.parent));
                records.push(record);
            };
            let outcome = map.apply_each(stream, raw, &context, take);
            let gone = outcome.deleted.iter();
            deleted
                .extend(gone.map(|id| (model.id, record_id(&self.integration.id, model.id, id))));
        }
        (records, deleted)
    }

    fn enabled(&self) -> impl Iterator<Item = &Mapping> {
        self.maps.iter().filter(|map| self.config.model_enabled(map.model().id))
    }

    /// One record made once more, and how many values did not fit.
    fn make(&self, map: &Mapping, row: &RawRow) -> (Option<Mapped>, usize) {
        let context = Context {
            settings: &self.integration.settings,
            parent: (!row.parent.is_null()).then_some(&row.parent),
            lookup: &self.lookup,
            now: &self.now,
        };
        let which = (row.raw.stream.as_str(), row.remote_id.as_str());
        let (mapped, outcome) = map.again(which, &row.value, &context);
        let mapped = mapped.map(|mut mapped| {
            keep_enabled(&self.config, &mut mapped);
            mapped
        });
        let issues = mapped.as_ref().map_or(outcome.issues.len(), |mapped| mapped.issues.len());
        (mapped, issues)
    }

    fn record(&self, map: &Mapping, row: RawRow) -> Option<Record> {
        let mapped = self.make(map, &row).0?;
        let endpoint = endpoint(&self.entry, &row.raw.stream);
        let shown = self.extras.of(map.model(), || endpoint, &row.value);
        let mut record = seal(&self.integration.id, &mapped).with_extensions(&shown);
        record.raw = Some(row.raw);
        Some(record)
    }
}

/// Asks that the stored records of an integration be made once more.
///
/// # Errors
///
/// When the database fails.
pub async fn ask(store: &Store, scope: &IntegrationScope) -> Result<(), cadre_store::Error> {
    let Some(integration) = store.integration_get(scope).await? else { return Ok(()) };
    let Some(environment) = store.system_scope(scope.environment_id()).await? else {
        return Ok(());
    };
    let config = store.scope_config_of(&environment, &integration).await?;
    let extras = Extras::load(store, scope, &config, &[]).await?;
    ask_for(store, scope, &fingerprint(&integration, &extras)).await
}

/// The same, where what is wanted is known. A job for the same wish that waits or works is enough.
pub(crate) async fn ask_for(
    store: &Store,
    scope: &IntegrationScope,
    wish: &str,
) -> Result<(), cadre_store::Error> {
    let new = NewJob {
        kind: AGAIN.to_owned(),
        key: format!("{} {wish}", scope.id()),
        payload: json!({ "since": store.moment() }),
        run_at: None,
        integration_id: Some(scope.id().to_owned()),
    };
    match store.job_enqueue(new).await? {
        Enqueue::New(_) | Enqueue::AlreadyThere(_) => Ok(()),
    }
}

/// Does the job, to its end.
///
/// # Errors
///
/// When the database fails; the job is then tried again, from the beginning: what is done already is
/// the same twice.
pub(crate) async fn run(parts: &Parts, job: &Job) -> Result<(), cadre_store::Error> {
    let store = &parts.store;
    let integration_id = job.integration_id.as_deref().unwrap_or_default();
    let Some(scope) = store.system_integration_scope(integration_id).await? else { return Ok(()) };
    let Some(making) = Making::load(parts, &scope).await? else { return Ok(()) };
    if making.lacks_lookups() {
        let asked = enqueue_sync(store, &scope, RunKind::Full, RunTrigger::ForceSync).await;
        if let Err(fault) = asked {
            tracing::warn!(cause = fault.context, "the sync after a remapping was not queued");
        }
        return store.records_changed_finish(&scope, store.moment(), job).await;
    }
    for map in making.enabled() {
        let mut after = String::new();
        loop {
            let rows = store.raw_page(&scope, map.model().id, &after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            let records: Vec<Record> =
                rows.into_iter().filter_map(|row| making.record(map, row)).collect();
            let written = store.records_write_again(&scope, &records, job).await;
            match written {
                Err(error) if error.is_lease_lost() => return Ok(()),
                written => drop(written?),
            }
        }
    }
    let since = job.payload.get("since").and_then(Value::as_i64).unwrap_or_default();
    match store.records_changed_finish(&scope, since, job).await {
        Err(error) if error.is_lease_lost() => Ok(()),
        ended => ended,
    }
}

/// Gives an integration a mapping of its own, or takes it away, and applies it to what is stored.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` with everything that is wrong with the mapping.
pub async fn remap(
    parts: &Parts,
    scope: &IntegrationScope,
    mapping: Option<&Value>,
) -> Result<Remapped, Fault> {
    let failed = |error: cadre_store::Error| Fault::unknown(format!("remap: {error}"));
    parsed(mapping)?;
    let store = &parts.store;
    let before = store.integration_get(scope).await.map_err(failed)?;
    let before = before.and_then(|integration| integration.mapping);
    store.integration_mapping_set(scope, mapping).await.map_err(failed)?;
    if remote_ids(before.as_ref()) != remote_ids(mapping) {
        enqueue_sync(store, scope, RunKind::Full, RunTrigger::ForceSync).await?;
        return Ok(Remapped::Sync);
    }
    ask(store, scope).await.map_err(failed)?;
    Ok(Remapped::Again)
}

/// What a mapping says of ids, by model.
fn remote_ids(mapping: Option<&Value>) -> Vec<(&String, &Value)> {
    let models = mapping.and_then(Value::as_object).into_iter().flatten();
    models.filter_map(|(model, fields)| Some((model, fields.get("remote_id")?))).collect()
}

fn parsed(mapping: Option<&Value>) -> Result<Overlay, Fault> {
    Overlay::parse(mapping.unwrap_or(&Value::Null)).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Fault::new(Code::PlatformInputInvalid, format!("mapping: {}", words.join("; ")))
    })
}

/// What a mapping would change, of at most so many records of each model. Nothing is written.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` with everything that is wrong with the mapping.
pub async fn preview(
    parts: &Parts,
    scope: &IntegrationScope,
    mapping: Option<&Value>,
    most: u64,
) -> Result<Preview, Fault> {
    let failed = |error: cadre_store::Error| Fault::unknown(format!("preview: {error}"));
    let overlay = parsed(mapping)?;
    let mut preview = Preview { complete: true, ..Preview::default() };
    let Some(mut making) = Making::load(parts, scope).await.map_err(failed)? else {
        return Ok(preview);
    };
    making.maps = making.entry.maps.iter().map(|map| map.with(&overlay)).collect();
    for map in making.enabled() {
        let mut of = OfModel::default();
        let mut after = String::new();
        loop {
            let rows = parts.store.raw_page(scope, map.model().id, &after, BATCH).await;
            let rows = rows.map_err(failed)?;
            let Some(last) = rows.last() else { break };
            if of.read >= most {
                preview.complete = false;
                break;
            }
            after.clone_from(&last.id);
            for row in &rows {
                compare(&making, map, row, &mut of);
            }
        }
        if of.read > 0 {
            preview.models.insert(map.model().id, of);
        }
    }
    Ok(preview)
}

fn compare(making: &Making, map: &Mapping, row: &RawRow, of: &mut OfModel) {
    of.read += 1;
    let (mapped, issues) = making.make(map, row);
    of.issues += issues as u64;
    let Some(mapped) = mapped else {
        of.refused += 1;
        return;
    };
    let sealed = seal(&making.integration.id, &mapped);
    let mut changed = false;
    for (old, new) in [(&row.body, &sealed.body), (&row.links, &sealed.links)] {
        let (old, new) = (object(old), object(new));
        let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let (before, after) = (old.get(name), new.get(name));
            // A reference is a field and a link; the field says it.
            let twice =
                before.or(after).is_some_and(Value::is_array)
                    && map.model().shape.field(name).is_some_and(|field| {
                        matches!(field.kind, cadre_model::shape::Kind::Ref(_))
                    });
            if before == after || twice {
                continue;
            }
            changed = true;
            let count = of.fields.entry(name.clone()).or_default();
            *count += 1;
            if of.examples.iter().filter(|one| one.field == *name).count() < EXAMPLES {
                of.examples.push(Example {
                    id: row.id.clone(),
                    remote_id: row.remote_id.clone(),
                    field: name.clone(),
                    before: before.cloned().unwrap_or(Value::Null),
                    after: after.cloned().unwrap_or(Value::Null),
                });
            }
        }
    }
    of.changed += u64::from(changed);
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}
