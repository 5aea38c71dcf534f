//! Whatever comes in: no panic, and what goes out fits the model.

use cadre_map::{Context, Mapping};
use cadre_model::mapped::seal;
use cadre_model::model::{Join, ModelDef};
use cadre_model::registry::models;
use cadre_model::shape::{Field, Kind, Structure};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A mapping of every field of a model to the raw field of the same name.
fn plain(model: &'static ModelDef) -> Mapping {
    let mut yaml = "from: s\nremote_id: .id\nfields:\n".to_owned();
    for name in
        model.shape.fields.iter().map(|field| field.name).chain(model.links().map(|link| link.name))
    {
        yaml += &format!("  {name}: .{name}\n");
    }
    let file = format!("{}.yaml", model.id);
    Mapping::parse(&file, &yaml).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn fits(kind: &Kind, value: &Value) -> Result<(), String> {
    let text = value.as_str();
    let good =
        match kind {
            Kind::Text | Kind::Ref(_) | Kind::Email | Kind::Url => {
                text.is_some_and(|text| !text.trim().is_empty())
            }
            Kind::Number => value.is_number(),
            Kind::Integer => value.is_i64(),
            Kind::Boolean => value.is_boolean(),
            Kind::Timestamp => {
                text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok() && text.len() == 24)
            }
            Kind::Midnight => text.is_some_and(|text| {
                text.ends_with("T00:00:00.000Z") && text.parse::<jiff::Timestamp>().is_ok()
            }),
            Kind::Date => text
                .is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10),
            Kind::TimeOfDay => text
                .is_some_and(|text| text.parse::<jiff::civil::Time>().is_ok() && text.len() == 8),
            Kind::Offset => text.is_some_and(|text| {
                text.len() == 6 && (text.starts_with('+') || text.starts_with('-'))
            }),
            Kind::Currency => text.is_some_and(|text| text.len() == 3),
            Kind::Country => text.is_some_and(|text| text.len() == 2),
            Kind::Choice(choices) => {
                text.is_some_and(|text| choices.open || choices.values.contains(&text))
            }
            Kind::Json => true,
            Kind::Object(shape) => return structure(shape, value),
            Kind::List(item) => {
                let items = value.as_array().ok_or("no list")?;
                return items.iter().try_for_each(|value| fits(item, value));
            }
            Kind::Union(union) => {
                let tag = value.get("type").and_then(Value::as_str).ok_or("no type")?;
                let (_, shape) =
                    union.variants.iter().find(|(name, _)| *name == tag).ok_or("unknown type")?;
                return structure(shape, value);
            }
        };
    if good { Ok(()) } else { Err(format!("{value} is no {kind:?}")) }
}

fn structure(shape: &Structure, value: &Value) -> Result<(), String> {
    let entries = value.as_object().ok_or("no object")?;
    shape.fields.iter().try_for_each(|field| present(field, entries))
}

fn may_be_absent(field: &Field) -> bool {
    field.nullable
        || match field.kind {
            Kind::List(_) => true,
            Kind::Object(shape) => shape.fields.iter().all(may_be_absent),
            _ => false,
        }
}

/// What may be missing here is completed when the record is sealed.
fn present(field: &Field, entries: &Map<String, Value>) -> Result<(), String> {
    match entries.get(field.name).unwrap_or(&Value::Null) {
        Value::Null if may_be_absent(field) => Ok(()),
        Value::Null => Err(format!("{} is missing", field.name)),
        value => fits(&field.kind, value).map_err(|error| format!("{}: {error}", field.name)),
    }
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        (1_400_000_000_i64..1_900_000_000).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            " ",
            "0",
            "12.5",
            "-7",
            "1e5",
            "yes",
            "2026-01-31",
            "2026-02-30",
            "2026-01-31T08:15:00Z",
            "2026-01-31 08:15",
            "31.01.2026",
            "08:30",
            "+01:00",
            "a@b.de",
            "https://a.de/b",
            "EUR",
            "eur",
            "DE",
            "Germany",
            "ACTIVE",
            "active",
            "TEXT",
            "BOOLEAN",
            "NUMERIC",
            "FULL_TIME",
            "HOURS",
            "\u{0}",
            "ß\u{202e}",
        ])
        .prop_map(Value::from),
    ]
    .boxed()
}

fn anything() -> BoxedStrategy<Value> {
    scalar()
        .prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[a-z_]{1,8}", inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
        .boxed()
}

/// Values that mostly have the outer form of the kind, and mostly not the inner one.
fn like(kind: &'static Kind) -> BoxedStrategy<Value> {
    let near = match kind {
        Kind::Object(shape) => object_like(shape.fields),
        Kind::List(item) => prop::collection::vec(like(item), 0..3).prop_map(Value::Array).boxed(),
        Kind::Union(union) => prop::sample::select(union.variants)
            .prop_flat_map(|(tag, shape)| (Just(tag), object_like(shape.fields)))
            .prop_map(|(tag, mut object)| {
                object["type"] = json!(tag);
                object
            })
            .boxed(),
        Kind::Choice(choices) => prop::sample::select(choices.values).prop_map(Value::from).boxed(),
        _ => scalar(),
    };
    prop_oneof![6 => near, 1 => anything()].boxed()
}

fn object_like(fields: &'static [Field]) -> BoxedStrategy<Value> {
    let fields: Vec<_> =
        fields.iter().map(|field| (Just(field.name.to_owned()), like(&field.kind))).collect();
    fields.prop_map(|entries| Value::Object(entries.into_iter().collect())).boxed()
}

fn raw_like(model: &'static ModelDef) -> BoxedStrategy<Value> {
    let links: Vec<_> = model
        .links()
        .map(|relation| {
            let Join::Links { attributes } = relation.join else { unreachable!("links are links") };
            let fields = attributes.map_or(&[][..], |shape| shape.fields);
            let link = (scalar(), object_like(fields)).prop_map(|(id, mut object)| {
                object["remote_id"] = id;
                object
            });
            let item = prop_oneof![scalar(), link];
            (
                Just(relation.name),
                prop_oneof![prop::collection::vec(item, 0..3).prop_map(Value::Array), anything()],
            )
        })
        .collect();
    (prop_oneof![3 => Just(json!("id-1")), 1 => scalar()], object_like(model.shape.fields), links)
        .prop_map(|(id, mut object, links)| {
            object["id"] = id;
            for (name, value) in links {
                object[name] = value;
            }
            object
        })
        .boxed()
}

fn holds(model: &'static ModelDef, mapping: &Mapping, raw: &Value) -> Result<(), TestCaseError> {
    let null = Value::Null;
    let context = Context { settings: &null, parent: None, lookup: &null, now: &null };
    let outcome = mapping.apply("s", raw, &context);
    prop_assert!(outcome.records.len() <= 1);
    for record in &outcome.records {
        for field in model.shape.fields {
            present(field, &record.fields.clone().into_map())
                .map_err(|error| TestCaseError::fail(format!("{error} of {raw}")))?;
        }
        for (name, links) in &record.links {
            let relation = model.relation(name).expect("a relation of the model");
            let Join::Links { attributes } = relation.join else { panic!("{name} has no links") };
            for link in links {
                prop_assert!(!link.remote_id.trim().is_empty());
                if let Some(shape) = attributes {
                    structure(shape, &Value::Object(link.attributes.clone()))
                        .map_err(TestCaseError::fail)?;
                }
            }
        }
        let sealed = seal("t:1", record);
        prop_assert!(serde_json::from_str::<Value>(&sealed.body).is_ok());
    }
    let stored = outcome.records.iter().flat_map(|record| &record.issues);
    for issue in outcome.issues.iter().chain(stored) {
        prop_assert!(!issue.expected.is_empty() && issue.got.chars().count() <= 201);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outputs_fit_the_model((at, raw) in (0..models().len()).prop_flat_map(|at| (Just(at), raw_like(models()[at])))) {
        let model = models()[at];
        holds(model, &plain(model), &raw)?;
    }

    #[test]
    fn any_json_is_taken(at in 0..models().len(), raw in anything()) {
        let model = models()[at];
        holds(model, &plain(model), &raw)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", lines in prop::collection::vec(
        prop::sample::select(vec!["from: s", "fields:", "  first_name: .a", "- from: x", "remote_id: .id", "  a: [", "zone: UTC",
            "  gender: {value: .g, enum: {a: MALE}}", "each: .[]", "  groups: [.a, .b]", "\t", "---", "&a *a", "<<: x"]), 0..8)) {
        let _ = Mapping::parse("hris_employees.yaml", &text);
        let _ = Mapping::parse("hris_employees.yaml", &lines.join("\n"));
        let _ = cadre_map::Overlay::parse(&json!({"hris_employees": {"first_name": {"column": text.as_str()}, "last_name": {"jq": text}}}));
    }
}
