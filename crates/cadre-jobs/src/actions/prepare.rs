//! From what a caller sent to what a connector works with.

use cadre_connector::manifest::ActionSection;
use cadre_model::action::schema;
use cadre_model::action::{
    About, Action, Checked, Input, InputField, ORDERS, RESULT, Reference, Wrong,
};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::record_id;
use cadre_model::registry;
use serde_json::{Map, Value};

use super::order::ended_when;
use super::{Failed, Work, files, screening};

/// What the steps of an action work with.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// `$input`.
    pub(crate) input: Value,
    /// `$record`.
    pub(crate) record: Value,
    /// What the caller should know.
    pub(crate) warnings: Vec<String>,
}

impl Work<'_> {
    pub(super) async fn prepare(&self) -> Result<Prepared, Failed> {
        let (order, label) = (self.order, &self.entry.connector.manifest().label);
        let mut prepared = Prepared { input: order.checked.value.clone(), ..Prepared::default() };
        prepared.warnings.extend(unknown_fields(&order.checked));
        let mut wrong = Vec::new();
        if let (Some(about), Some(id)) = (order.action.about, &order.about) {
            match self.about(about, id).await? {
                Ok(record) => prepared.record = record,
                Err(problem) => wrong.push(problem),
            }
        }
        for reference in &order.checked.references {
            match self.remote_id(reference).await? {
                Ok(remote_id) => {
                    if let Some(place) = prepared.input.pointer_mut(&reference.pointer) {
                        *place = remote_id.into();
                    }
                }
                Err(problem) => wrong.push(problem),
            }
        }
        screening::check(self, &mut prepared, &mut wrong).await?;
        let tool = &self.integration.tool;
        let section = self.entry.connector.actions().get(order.action.id);
        wrong.extend(remote_fields(&mut prepared, tool, label, section));
        wrong.extend(own_input(order.action, &mut prepared, tool, section));
        wrong.extend(ended_when(order.action.id, &order.checked.value));
        refuse(wrong)?;
        prepared.warnings.extend(not_taken(order.action, &order.checked, label, section));
        let fetcher = files::Fetcher {
            http: self.parts.http.as_ref(),
            most_bytes: self.parts.settings.file_bytes,
            restrictions: section.and_then(|section| section.attachments.as_ref()),
        };
        fetcher.fetch(&order.checked, &mut prepared.input).await?;
        Ok(prepared)
    }

    /// `$record`: the ids that the tool knows the record and its neighbours by.
    async fn about(&self, about: About, id: &str) -> Result<Result<Value, Wrong>, Failed> {
        let path = format!("path.{}", about.parameter);
        if about.model == ORDERS {
            return self.order_named(&path, id).await;
        }
        let Some(model) = registry::model(about.model) else {
            return Err(Fault::unknown(format!("{} is no model", about.model)).into());
        };
        let own = self.own_id(about.model, id);
        let found = self.parts.store.record_find(self.scope, model, &own).await?;
        Ok(match (found, id.strip_prefix("remote:")) {
            (Some(found), _) if found.remote_deleted_at.is_some() => Err(wrong(
                &path,
                "a record that is there",
                format!("`{id}`, which was deleted in the tool"),
            )),
            (Some(found), _) => {
                let mut record = found.references;
                record.insert("id".to_owned(), own.into());
                record.insert("remote_id".to_owned(), found.remote_id.into());
                Ok(Value::Object(record))
            }
            // Not synced yet; whoever names it so knows that the tool has it.
            (None, Some(remote)) => {
                let pairs = [("id", own), ("remote_id", remote.to_owned())];
                let pairs = pairs.into_iter().map(|(name, id)| (name.to_owned(), id.into()));
                Ok(Value::Object(pairs.collect::<Map<_, _>>()))
            }
            (None, None) => Err(unknown_id(&path, about.model, id)),
        })
    }

    async fn remote_id(&self, reference: &Reference) -> Result<Result<String, Wrong>, Failed> {
        if let Some(remote) = reference.id.strip_prefix("remote:") {
            return Ok(Ok(remote.to_owned()));
        }
        let Some(model) = registry::model(reference.model) else {
            return Err(Fault::unknown(format!("{} is no model", reference.model)).into());
        };
        let found = self.parts.store.record_find(self.scope, model, &reference.id).await?;
        Ok(match found {
            Some(found) if found.remote_deleted_at.is_none() => Ok(found.remote_id),
            _ => Err(unknown_id(&reference.path, reference.model, &reference.id)),
        })
    }

    /// The id that we know a record by.
    pub(super) fn own_id(&self, model: &str, id: &str) -> String {
        match id.strip_prefix("remote:") {
            Some(remote) => record_id(self.scope.id(), model, remote),
            None => id.to_owned(),
        }
    }
}

/// What the body holds for this tool, held against what its connector declares; what it holds for others
/// is left out.
pub(crate) fn own_input(
    action: &'static Action,
    prepared: &mut Prepared,
    tool: &str,
    section: Option<&ActionSection>,
) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if !holds_ids_of_tools(action) {
        return wrong;
    }
    let Some(input) = prepared.input.as_object_mut() else { return wrong };
    let path = format!("body.{tool}");
    match (input.get(tool), section.and_then(|section| section.own_input.as_ref())) {
        (Some(value), Some(schema)) => schema::hold(schema, value, &path, &mut wrong),
        (Some(_), None) => {}
        (None, _) => wrong.push(Wrong {
            path,
            expected: "an object with what this tool knows it by".to_owned(),
            got: "nothing".to_owned(),
        }),
    }
    let known = |name: &str| name == tool || action.body.iter().any(|field| field.name == name);
    input.retain(|name, _| {
        if !known(name) {
            let words = format!("`body.{name}` is for another tool; it was left out.");
            prepared.warnings.push(words);
        }
        known(name)
    });
    wrong
}

fn holds_ids_of_tools(action: &Action) -> bool {
    action.body.iter().any(|field| matches!(field.kind, Input::OfTool))
}

/// Warnings for the fields that nobody knows.
pub(crate) fn unknown_fields(checked: &Checked) -> impl Iterator<Item = String> {
    checked.unknown.iter().map(|path| format!("`{path}` is not known here; it was left out."))
}

/// `$input.remote_fields` is what was said for this tool, as far as its connector declares it.
pub(crate) fn remote_fields(
    prepared: &mut Prepared,
    tool: &str,
    label: &str,
    section: Option<&ActionSection>,
) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let Some(fields) = prepared.input.get_mut("remote_fields") else { return wrong };
    let own = match fields.get_mut(tool).map(Value::take) {
        Some(Value::Object(own)) => own,
        _ => Map::new(),
    };
    let known = |name: &String| section.is_some_and(|one| one.remote_fields.contains_key(name));
    let (taken, left): (Map<_, _>, Map<_, _>) = own.into_iter().partition(|(name, _)| known(name));
    for (name, value) in &taken {
        if let Some(schema) = section.and_then(|section| section.remote_fields.get(name)) {
            let path = format!("body.remote_fields.{tool}.{name}");
            schema::hold(schema, value, &path, &mut wrong);
        }
    }
    *fields = Value::Object(taken);
    for name in left.keys() {
        prepared.warnings.push(format!(
            "`body.remote_fields.{tool}.{name}` means nothing to {label} here; it was left out."
        ));
    }
    wrong
}

/// Warnings for what was sent and the tool does not take.
pub(crate) fn not_taken(
    action: &'static Action,
    checked: &Checked,
    label: &str,
    section: Option<&ActionSection>,
) -> Vec<String> {
    // A result is kept as a whole: tools that ask for it see more of it than those that are sent it. What
    // goes with the ids of a tool is the caller's own note, and is answered as it came.
    let whole = |_: &&ActionSection| action.id != RESULT && !holds_ids_of_tools(action);
    let Some(section) = section.filter(whole) else { return Vec::new() };
    let mut left = Vec::new();
    unused(action.body, &checked.value, "body", &|name| section.names(name), &mut left);
    left.into_iter()
        .map(|path| format!("{label} does not take `{path}`; it was left out."))
        .collect()
}

/// Fields that were sent although no expression of the action names them.
fn unused(
    fields: &'static [InputField],
    sent: &Value,
    path: &str,
    names: &dyn Fn(&str) -> bool,
    left: &mut Vec<String>,
) {
    for field in fields.iter().filter(|field| field.name != "remote_fields") {
        let Some(value) = sent.get(field.name) else { continue };
        let preset = match field.preset {
            cadre_model::action::Preset::Nothing => false,
            cadre_model::action::Preset::Text(text) => value == text,
            cadre_model::action::Preset::False => value == false,
            cadre_model::action::Preset::Empty => value.as_array().is_some_and(Vec::is_empty),
        };
        if preset || value.is_null() {
            continue;
        }
        let here = format!("{path}.{}", field.name);
        match field.kind {
            _ if !names(field.name) => left.push(here),
            Input::Object(inner) => unused(inner, value, &here, names, left),
            _ => {}
        }
    }
}

pub(super) fn wrong(path: &str, expected: &str, got: String) -> Wrong {
    Wrong { path: path.to_owned(), expected: expected.to_owned(), got }
}

fn unknown_id(path: &str, model: &str, id: &str) -> Wrong {
    let shown: String = id.chars().take(60).collect();
    let label = registry::model(model).map_or(model, |model| model.label).to_lowercase();
    wrong(
        path,
        &format!("the `id` of a record of {label} of this integration"),
        format!("{shown:?}"),
    )
}

/// The refusal that names everything that is wrong.
pub(crate) fn refuse(wrong: Vec<Wrong>) -> Result<(), Fault> {
    if wrong.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    Err(Fault::new(Code::PlatformInputInvalid, format!("Invalid request: {}.", words.join("; "))))
}
