//! The answer of an action: what the tool made becomes a record of the mirror, and that is shown.

use cadre_connector::manifest::ActionSection;
use cadre_connector::{Session, StepContext};
use cadre_map::{Context, Mapping};
use cadre_model::action::Answer;
use cadre_model::fault::Fault;
use cadre_model::ids::record_id;
use cadre_model::mapped::{Issue, Mapped, Record, seal};
use cadre_model::registry;
use cadre_model::shape::{Kind, Structure};
use cadre_store::{ListQuery, ScopeConfig};
use serde_json::{Map, Value, json};

use super::prepare::Prepared;
use super::run::context;
use super::{Failed, Finished, Work};
use crate::fields::keep_enabled;

impl Work<'_> {
    pub(super) async fn outcome(
        &self,
        prepared: &Prepared,
        saved: &Value,
        started: &Value,
    ) -> Result<Finished, Failed> {
        let action = self.order.action;
        let Some(section) = self.entry.connector.actions().get(action.id) else {
            return Err(Fault::unknown(format!("{} is gone", action.id)).into());
        };
        let mut warnings = prepared.warnings.clone();
        let see = context(prepared, saved, &Value::Null, &Value::Null, started);
        let config = match self.parts.store.system_scope(self.scope.environment_id()).await? {
            Some(here) => self.parts.store.scope_config_of(&here, self.integration).await?,
            None => return Err(Fault::unknown("the environment is gone").into()),
        };
        let (records, notes) = self.records(section, &see, &config)?;
        warnings.extend(notes);
        self.parts.store.records_learn(self.scope, &records).await?;
        let yields = |expression: &Option<_>| match expression {
            Some(expression) => {
                self.session.evaluate(expression, &see).map_err(|words| self.broken(&words))
            }
            None => Ok(Value::Null),
        };
        let data = match action.answer {
            Answer::Nothing => json!({}),
            Answer::Own(_) => yields(&section.answer)?,
            Answer::Made(model, structure) => {
                let remote_id = named(&yields(&section.id)?);
                let id = remote_id.as_deref().map(|one| record_id(self.scope.id(), model, one));
                let mut made = match yields(&section.answer)? {
                    Value::Object(made) => made,
                    _ => Map::new(),
                };
                for (name, value) in [("id", id), ("remote_id", remote_id)] {
                    if structure.field(name).is_some() {
                        made.insert(name.to_owned(), value.into());
                    }
                }
                self.references(structure, &mut made);
                Value::Object(made)
            }
            Answer::Record(model) | Answer::RecordWith(model, _, _) => {
                let Some(remote_id) = named(&yields(&section.id)?) else {
                    return Err(self.broken("the tool named no id of what it made").into());
                };
                let id = record_id(self.scope.id(), model, &remote_id);
                if section.deletes {
                    self.parts
                        .store
                        .records_forget(self.scope, model, std::slice::from_ref(&id))
                        .await?;
                }
                self.shown(model, &id, &mut warnings).await?
            }
        };
        let data = match action.answer {
            Answer::RecordWith(_, field, of) => self.with_whole(data, field, of).await?,
            Answer::Record(_) | Answer::Nothing | Answer::Own(_) | Answer::Made(..) => data,
        };
        Ok(Finished { data, warnings })
    }

    /// References of an answer become the ids that callers know.
    fn references(&self, structure: &Structure, made: &mut Map<String, Value>) {
        for field in structure.fields {
            if let Kind::Ref(model) = field.kind
                && let Some(value) = made.get_mut(field.name)
            {
                let remote_id = named(value);
                *value = remote_id.map(|one| record_id(self.scope.id(), model, &one)).into();
            }
        }
    }

    /// The records that the mirror learns.
    fn records(
        &self,
        section: &ActionSection,
        see: &StepContext<'_>,
        config: &ScopeConfig,
    ) -> Result<(Vec<Record>, Vec<String>), Fault> {
        let maps = self.entry.maps_for(self.integration).map_err(|words| self.broken(&words))?;
        let (mapped, issues) =
            learned(section, self.session, &maps, see).map_err(|words| self.broken(&words))?;
        // What the scope configuration switches off is never stored, not even until the next sync.
        let wanted = mapped.into_iter().filter(|one| config.model_enabled(one.model.id));
        let records = wanted
            .map(|mut one| {
                keep_enabled(config, &mut one);
                seal(self.scope.id(), &one)
            })
            .collect();
        let notes = issues.iter().map(|issue| {
            let field = issue.field.as_deref().unwrap_or("the record");
            format!("{field}: expected {}, got {}.", issue.expected, issue.got)
        });
        Ok((records, notes.collect()))
    }

    /// A record as its list shows it. One that is not in the mirror is shown by its ids.
    async fn shown(
        &self,
        model: &'static str,
        id: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Value, Failed> {
        let Some(def) = registry::model(model) else {
            return Err(Fault::unknown(format!("{model} is no model")).into());
        };
        let query = ListQuery {
            limit: 1,
            after_id: None,
            updated_after_ms: None,
            include_deleted: true,
            ids: Some(vec![id.to_owned()]),
            remote_ids: None,
            filters: Vec::new(),
        };
        let hidden = &self.order.hidden;
        let page = self.parts.store.records_list(self.scope, def, &query, hidden).await?;
        let mut records: Value = serde_json::from_str(&page.body).unwrap_or_default();
        match records.get_mut(0).map(Value::take) {
            Some(record) => Ok(record),
            None => {
                warnings
                    .push("The tool did not say what it made; the next sync brings it.".to_owned());
                Ok(Value::Object(Map::from_iter([("id".to_owned(), Value::from(id))])))
            }
        }
    }

    /// The same record, with the one that it links to shown whole.
    async fn with_whole(
        &self,
        mut data: Value,
        field: &str,
        of: &'static str,
    ) -> Result<Value, Failed> {
        let linked = data.get(field).and_then(|linked| linked["id"].as_str()).map(str::to_owned);
        if let Some(id) = linked {
            data[field] = self.shown(of, &id, &mut Vec::new()).await?;
        }
        Ok(data)
    }

    fn broken(&self, words: &str) -> Fault {
        Fault::unknown(format!("actions/{}.yaml: {words}", self.order.action.id))
    }
}

/// What the steps made, as records of the models, and what did not fit.
///
/// # Errors
///
/// When an expression of the connector fails, in words.
pub(crate) fn learned(
    section: &ActionSection,
    session: &Session,
    maps: &[Mapping],
    see: &StepContext<'_>,
) -> Result<(Vec<Mapped>, Vec<Issue>), String> {
    let (mut records, mut issues) = (Vec::new(), Vec::new());
    for (stream, expression) in &section.records {
        let raw = match session.evaluate(expression, see)? {
            Value::Null => continue,
            Value::Array(items) => items,
            one => vec![one],
        };
        let context = Context {
            settings: session.settings(),
            parent: None,
            lookup: &Value::Null,
            now: session.now(),
        };
        for raw in &raw {
            for map in maps {
                let outcome = map.apply(stream, raw, &context);
                records.extend(outcome.records);
                issues.extend(outcome.issues);
            }
        }
    }
    Ok((records, issues))
}

/// The remote id that a connector names.
pub(crate) fn named(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
