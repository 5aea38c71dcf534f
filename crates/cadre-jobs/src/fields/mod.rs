//! What records show beyond the unified model, and how a changed mapping reaches those that are stored.
//!
//! * here: custom fields, integration fields and raw data of one record, out of its raw value;
//! * [`again`]: stored records made once more of their raw values, and a preview of that;
//! * [`known`]: which raw fields a tool was seen to have.

pub mod again;
pub(crate) mod known;

use std::collections::BTreeMap;

use cadre_map::Mapping;
use cadre_model::mapped::Mapped;
use cadre_model::model::ModelDef;
use cadre_store::{
    EnvironmentScope, Error, Integration, IntegrationField, IntegrationScope, ScopeConfig, Store,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::catalog::Entry;

/// What the records of an integration show beside their own fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    models: BTreeMap<String, OfModel>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct OfModel {
    /// Key of a custom field, and of the raw field that fills it.
    custom: Vec<(String, String)>,
    passed: Vec<IntegrationField>,
    remote_data: bool,
}

impl Extras {
    /// Reads what is wanted, as far as the scope configuration allows.
    pub(crate) async fn load(
        store: &Store,
        scope: &IntegrationScope,
        config: &ScopeConfig,
        maps: &[Mapping],
    ) -> Result<Extras, Error> {
        let mut models: BTreeMap<String, OfModel> = BTreeMap::new();
        for sourced in store.custom_fields_of(scope).await? {
            let Some(source) = sourced.source else { continue };
            let key = (sourced.field.key, source.key);
            models.entry(sourced.field.model).or_default().custom.push(key);
        }
        let known = store.integration_fields(scope).await?;
        for field in known.into_iter().filter(|field| field.passed) {
            models.entry(field.model.clone()).or_default().passed.push(field);
        }
        for map in maps {
            let of = models.entry(map.model().id.to_owned()).or_default();
            of.remote_data = config.remote_data_enabled(map.model().id);
        }
        for (model, of) in &mut models {
            if !config.field_enabled(model, "custom_fields") {
                of.custom.clear();
            }
            if !config.field_enabled(model, "integration_fields") {
                of.passed.clear();
            }
        }
        models.retain(|_, of| *of != OfModel::default());
        Ok(Extras { models })
    }

    /// What one record shows, out of the raw value that is kept of it.
    pub(crate) fn of(
        &self,
        model: &ModelDef,
        endpoint: impl FnOnce() -> String,
        raw: &Value,
    ) -> Map<String, Value> {
        let mut shown = Map::new();
        let Some(of) = self.models.get(model.id) else { return shown };
        let has = model.extensions;
        if has.custom_fields && !of.custom.is_empty() {
            let custom = of.custom.iter();
            let custom =
                custom.map(|(key, source)| (key.clone(), known::value(raw, source).clone()));
            shown.insert("custom_fields".to_owned(), Value::Object(custom.collect()));
        }
        if has.integration_fields && !of.passed.is_empty() {
            let passed = of.passed.iter().map(|field| {
                json!({
                    "id": field.id, "key": field.key, "type": field.kind.as_str(),
                    "value": known::value(raw, &field.key), "label": field.label,
                })
            });
            shown.insert("integration_fields".to_owned(), passed.collect());
        }
        if has.remote_data && of.remote_data {
            shown.insert("remote_data".to_owned(), json!({ endpoint(): raw }));
        }
        shown
    }
}

/// A scope configuration, as the mapping asks it.
pub(crate) struct Allowed<'a>(pub(crate) &'a ScopeConfig);

impl cadre_map::Scope for Allowed<'_> {
    fn field(&self, model: &str, field: &str) -> bool {
        self.0.field_enabled(model, field)
    }

    fn model(&self, model: &str) -> bool {
        self.0.model_enabled(model)
    }

    fn others(&self, model: &str) -> bool {
        self.0.field_enabled(model, "custom_fields")
            || self.0.field_enabled(model, "integration_fields")
            || self.0.remote_data_enabled(model)
    }
}

/// Takes away what the scope configuration switches off: it is never stored.
pub(crate) fn keep_enabled(config: &ScopeConfig, mapped: &mut Mapped) {
    let model = mapped.model.id;
    if config.leaves_fields(model) {
        return;
    }
    let required = |name: &str| mapped.model.shape.field(name).is_some_and(|field| !field.nullable);
    mapped.fields.retain(|name| required(name) || config.field_enabled(model, name));
    mapped.links.retain(|(name, _)| config.field_enabled(model, name));
    mapped.issues.retain(|issue| {
        issue.field.as_deref().is_none_or(|path| {
            let field = path.split(['.', '[']).next().unwrap_or(path);
            config.field_enabled(model, field)
        })
    });
}

/// Where raw values of a stream come from, as callers are told: the path below the address of the tool,
/// with a star for each part that differs from request to request.
pub(crate) fn endpoint(entry: &Entry, stream: &str) -> String {
    let section = entry.connector.stream(stream).map(cadre_connector::Stream::section);
    let request = section.and_then(|section| section.request.as_ref());
    let Some(request) = request else { return format!("/{stream}") };
    let mut path = String::new();
    let mut open = 0_usize;
    let mut letters = request.path.expr().source().chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if open == 0 && letters.peek() == Some(&'(') => path.push('*'),
            '(' if open > 0 || path.ends_with('*') => open += 1,
            ')' if open > 0 => open -= 1,
            letter if open == 0 => path.push(letter),
            _ => {}
        }
    }
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// What decides over the records of an integration beside its raw values; the same text is the same
/// decision.
pub(crate) fn fingerprint(integration: &Integration, extras: &Extras) -> String {
    let text = format!("{:?} {extras:?}", integration.mapping);
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Has the stored records of every integration of an environment made once more.
///
/// # Errors
///
/// When the database fails.
pub async fn refresh_all(store: &Store, scope: &EnvironmentScope) -> Result<usize, Error> {
    let mut asked = 0;
    for integration in store.integration_list(scope).await? {
        if integration.deleted_at.is_some() || integration.first_synced_at.is_none() {
            continue;
        }
        if let Some(of) = store.integration_scope(scope, &integration.id).await? {
            again::ask(store, &of).await?;
            asked += 1;
        }
    }
    Ok(asked)
}
