//! Reading and checking a connector folder.

use std::path::Path;

use serde_json::{Map, Value};

use super::{ActionSection, FILE, Manifest, check, located};
use crate::connector::Connector;
use crate::problem::Problem;

/// Loads and checks a folder.
pub(crate) fn load(folder: &Path) -> Result<Connector, Vec<Problem>> {
    let text = std::fs::read_to_string(folder.join(FILE)).map_err(|error| {
        let hint = format!("a connector is a folder with a {FILE}; is {} one?", folder.display());
        vec![Problem::new(FILE, format!("cannot be read: {error}")).hint(Some(hint))]
    })?;
    let mapped = mapped_streams(folder).map_err(|problem| vec![problem])?;
    let name =
        folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    parse(&text, name.as_deref(), Some(&mapped))
}

/// Reads and checks the text of a manifest. `folder` is the name of its folder, `mapped` the streams
/// that a mapping names; without them what depends on them is not looked at.
pub(crate) fn parse(
    text: &str,
    folder: Option<&str>,
    mapped: Option<&[String]>,
) -> Result<Connector, Vec<Problem>> {
    let root = located::parse(FILE, text).map_err(|problem| vec![problem])?;
    let manifest: Manifest = root.read(FILE).map_err(|problem| vec![problem])?;
    let problems = check::check(&manifest, &root, folder, mapped);
    if problems.is_empty() { Ok(Connector::build(manifest)) } else { Err(problems) }
}

/// Reads and checks the text of an action. `file` is its path inside the folder.
pub(crate) fn action(
    manifest: &Manifest,
    file: &str,
    text: &str,
) -> Result<ActionSection, Vec<Problem>> {
    let root = located::parse(file, text).map_err(|problem| vec![problem])?;
    let section: ActionSection = root.read(file).map_err(|problem| vec![problem])?;
    let problems = check::action(manifest, file, &root, &section);
    if problems.is_empty() { Ok(section) } else { Err(problems) }
}

/// The streams that the mappings of a folder read from. What else is wrong with a mapping is for
/// somebody else to say.
fn mapped_streams(folder: &Path) -> Result<Vec<String>, Problem> {
    let mut streams = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder.join("map")) else { return Ok(streams) };
    for entry in entries.flatten() {
        let name = format!("map/{}", entry.file_name().to_string_lossy());
        if !name.ends_with(".yaml") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path())
            .map_err(|error| Problem::new(&name, format!("cannot be read: {error}")))?;
        let Ok(tree) = located::parse(&name, &text) else { continue };
        let tables = match &tree.value {
            located::Tree::List(tables) => tables.iter().collect(),
            _ => vec![&tree],
        };
        let named = tables.into_iter().filter_map(|table| table.get("from")?.as_text());
        streams.extend(named.map(str::to_owned));
    }
    Ok(streams)
}

impl Manifest {
    /// The settings of an account, with the defaults of the form where it says nothing.
    pub(crate) fn with_defaults(&self, settings: Value) -> Value {
        let mut settings = match settings {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let steps = self.setup.iter().flat_map(|step| &step.fields);
        for field in self.connect.fields.iter().chain(steps).filter(|field| !field.secret) {
            if let (Some(default), None | Some(Value::Null)) =
                (&field.default, settings.get(&field.name))
            {
                settings.insert(field.name.clone(), Value::String(default.clone()));
            }
        }
        Value::Object(settings)
    }
}
