//! What a mapping may say about the fields of a model.

use cadre_model::model::ModelDef;
use cadre_model::shape::{Choices, Field, Kind};
use serde_json::Value;

use crate::problem::known_words;
use crate::table::Target;
use crate::value::may_be_absent;

/// Everything that a mapping can fill: own fields, then relations whose links the record names.
pub(crate) fn names(model: &'static ModelDef) -> Vec<&'static str> {
    let own = model.shape.fields.iter().map(|field| field.name);
    own.chain(model.links().map(|relation| relation.name)).collect()
}

/// What a name stands for.
pub(crate) fn target(model: &'static ModelDef, name: &str) -> Option<Target> {
    let own = model.shape.field(name).map(Target::Own);
    own.or_else(|| model.links().find(|relation| relation.name == name).map(Target::Links))
}

/// The fields that a record cannot be without.
pub(crate) fn required(model: &'static ModelDef) -> impl Iterator<Item = &'static Field> {
    model.shape.fields.iter().filter(|field| !may_be_absent(field))
}

/// Whether dates or times are anywhere in the field.
pub(crate) fn has_dates(target: Target) -> bool {
    fn in_kind(kind: &Kind) -> bool {
        match kind {
            Kind::Timestamp | Kind::Midnight | Kind::Date | Kind::TimeOfDay => true,
            Kind::List(item) => in_kind(item),
            Kind::Object(shape) => shape.fields.iter().any(|field| in_kind(&field.kind)),
            Kind::Union(union) => union
                .variants
                .iter()
                .any(|(_, shape)| shape.fields.iter().any(|field| in_kind(&field.kind))),
            _ => false,
        }
    }
    matches!(target, Target::Own(field) if in_kind(&field.kind))
}

/// A value of an `enum` table, as the field has it; or what is wrong and what to do.
pub(crate) fn enum_value(target: Target, value: &Value) -> Result<Value, (String, String)> {
    let Target::Own(field) = target else {
        let message = format!("`{}` are links, not values", target.name());
        return Err((message, "leave `enum` out".to_owned()));
    };
    let kind = match &field.kind {
        Kind::List(item) => *item,
        kind => kind,
    };
    match kind {
        _ if value.is_null() => Ok(Value::Null),
        Kind::Choice(choices) => choice(field, choices, value),
        Kind::Object(_) | Kind::Union(_) => {
            let message = format!("`{}` is an object", field.name);
            Err((message, "translate its parts in the expression".to_owned()))
        }
        _ => Ok(value.clone()),
    }
}

fn choice(field: &Field, choices: &Choices, value: &Value) -> Result<Value, (String, String)> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if choices.values.contains(&text.as_str()) {
        return Ok(Value::String(text));
    }
    let message = format!("`{text}` is no value of `{}`", field.name);
    Err((message, known_words(&text, choices.values)))
}
