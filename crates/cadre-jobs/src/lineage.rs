//! Where the values of a record come from, for people who ask "why does it say that?".

use std::collections::BTreeMap;

use cadre_map::field_lines;
use cadre_store::Integration;
use serde_json::Value;

use crate::catalog::Entry;

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSource {
    /// The file and the line, as `map/hris_employees.yaml:7`; that it is the integration's own otherwise.
    pub place: String,
    /// The stream of the tool that it is read from; empty where the mapping does not say.
    pub stream: String,
    /// What the mapping says.
    pub text: String,
}

/// The sources of every field of a model, by field, with the integration's own mapping over the
/// connector's. A field that several tables fill has several.
#[must_use]
pub fn sources(
    entry: &Entry,
    integration: &Integration,
    model: &str,
) -> BTreeMap<String, Vec<FieldSource>> {
    let mut sources: BTreeMap<String, Vec<FieldSource>> = BTreeMap::new();
    let text = entry.map_files.get(model).map(String::as_str).unwrap_or_default();
    for lines in field_lines(text) {
        let place = format!("map/{model}.yaml:{}", lines.line);
        let source = FieldSource { place, stream: lines.stream, text: lines.text };
        sources.entry(lines.field).or_default().push(source);
    }
    let own = integration.mapping.as_ref().and_then(|own| own.get(model));
    for (field, value) in own.and_then(Value::as_object).into_iter().flatten() {
        let text = match value {
            Value::String(text) => format!("{field}: {text}"),
            value => format!("{field}: {value}"),
        };
        let place = "the integration's own mapping".to_owned();
        sources.insert(field.clone(), vec![FieldSource { place, stream: String::new(), text }]);
    }
    sources
}
