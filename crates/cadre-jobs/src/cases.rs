//! Running a connector's cases: recorded exchanges in, records, issues or an error out.
//!
//! The same code checks a folder on the command line and every connector in the tests. Nothing is
//! sent anywhere; the clock stands at the case's `now`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cadre_connector::{
    Account, Failure, Io, NoObserver, OAuthClient, Page, ReadLimits, Replay, Session,
};
use cadre_map::{Context, INLINE, Mapping, Overlay};
use cadre_model::mapped::{Issue, Mapped};
use cadre_model::shape::Kind;
use cadre_model::time::{FixedClock, wire};
use cadre_store::StoredGrant;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::catalog::Entry;
use crate::grants::Held;

mod action;

/// How a case went.
#[derive(Debug)]
pub struct Outcome {
    /// Name of the case: its folder.
    pub case: String,
    /// What differs from what was expected; nothing if all is well.
    pub differences: Vec<String>,
}

/// `case.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where the exchanges come from.
    source: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for whoever reads the case")]
    about: String,
    now: Option<jiff::Timestamp>,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    secrets: Map<String, Value>,
    streams: Option<Vec<String>>,
    /// The moment since when changes are wanted, of streams that can tell.
    since: Option<jiff::Timestamp>,
    mapping: Option<Value>,
    live: Option<LiveCase>,
    action: Option<action::ActionCase>,
}

/// A live read in place of streams.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LiveCase {
    operation: String,
    /// `$record`.
    record: Value,
}

/// What a run over a case yields.
#[derive(Default)]
struct Yield {
    records: BTreeMap<&'static str, Vec<Value>>,
    /// Remote ids of what the tool says is deleted, by model.
    deleted: BTreeMap<&'static str, BTreeSet<String>>,
    issues: Vec<Issue>,
    failure: Option<Failure>,
    /// What an action answered.
    done: Option<action::Done>,
}

/// Runs every case of a connector folder, by name.
pub async fn run_all(folder: &Path, entry: Arc<Entry>) -> Vec<Outcome> {
    let mut cases: Vec<_> = std::fs::read_dir(folder.join("cases"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|found| found.path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    let mut outcomes = Vec::new();
    for path in cases {
        let case = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let differences = match run(&path, &entry).await {
            Ok(differences) => differences,
            Err(words) => vec![words],
        };
        outcomes.push(Outcome { case, differences });
    }
    outcomes
}

async fn run(path: &Path, entry: &Arc<Entry>) -> Result<Vec<String>, String> {
    let text = read(path, "case.yaml")?.ok_or("case.yaml is missing")?;
    let case: Case =
        serde_saphyr::from_str(&text).map_err(|error| format!("case.yaml: {error}"))?;
    if case.source.trim().is_empty() {
        return Err("case.yaml: `source` says where the exchanges come from; it is empty".into());
    }
    let replay = Arc::new(Replay::load(path)?);
    let found = read_case(path, &case, entry, replay.clone()).await?;
    let mut differences = Vec::new();
    compare(path, &found, &mut differences)?;
    if case.action.is_some() {
        action::compare(path, &found, &mut differences)?;
    }
    differences.extend(replay.leftovers());
    Ok(differences)
}

async fn read_case(
    path: &Path,
    case: &Case,
    entry: &Arc<Entry>,
    replay: Arc<Replay>,
) -> Result<Yield, String> {
    let mut form = case.settings.clone();
    form.extend(case.secrets.clone());
    let manifest = entry.connector.manifest();
    // What the tool proves itself with when it orders is ours, and stands in no form.
    let hook = manifest.assessment.as_ref().and_then(|_| form.remove("hook"));
    // What a customer could not type into the form must not be needed for a case to work.
    let Account { settings, mut secrets } = manifest.accept(&form).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("case.yaml: {}", words.join("; "))
    })?;
    if let Some(hook) = hook.as_ref().and_then(Value::as_str) {
        secrets.insert("hook".to_owned(), hook.into());
    }
    let maps = maps(case, entry)?;
    let now = case.now.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let io = Io {
        http: replay.clone(),
        clock: Arc::new(FixedClock::new(now)),
        observer: Arc::new(NoObserver),
        limits: ReadLimits { skip_waits: true, max_attempts: 2, ..ReadLimits::default() },
    };
    let wanted: BTreeSet<String> = match &case.streams {
        Some(streams) => streams.iter().cloned().collect(),
        None => maps.iter().flat_map(Mapping::streams).map(str::to_owned).collect(),
    };
    let grant = StoredGrant {
        access_token: "case".into(),
        refresh_token: Some("case".into()),
        expires_at: None,
    };
    let client = OAuthClient { client_id: "case".to_owned(), client_secret: "case".into() };
    let session = Session::new(entry.connector.clone(), Account { settings, secrets }, io)
        .with_grant(Some(client), Arc::new(Held::new(Some(grant))))
        .only(wanted.iter().cloned());
    let since = case.since.map(|since| wire(since.as_millisecond()));
    let names = entry.connector.streams().iter().map(|stream| stream.name().to_owned());
    let session = session.since(names.filter_map(|name| Some((name, since.clone()?))));
    let mut found = Yield::default();
    if let Some(action) = &case.action {
        action.run(path, entry, &session, &maps, &*replay, &mut found).await?;
        return Ok(found);
    }
    if let Some(live) = &case.live {
        read_live(live, entry, &session, &mut found).await?;
        return Ok(found);
    }
    if let Err(failure) = session.lookups().await {
        found.failure = Some(failure);
        return Ok(found);
    }
    let roots: BTreeSet<String> = wanted.iter().map(|stream| entry.root_of(stream)).collect();
    let names = entry.connector.streams().iter().map(cadre_connector::Stream::name);
    for stream in names.filter(|name| roots.contains(*name)) {
        let mut reader = session.read(stream, None);
        while let Some(page) = reader.next().await {
            match page {
                Ok(page) => take(&page, &session, &maps, &mut found),
                Err(failure) if entry.may_be_missing(stream, &failure) => break,
                Err(failure) => {
                    found.failure = Some(failure);
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

async fn read_live(
    live: &LiveCase,
    entry: &Entry,
    session: &Session,
    found: &mut Yield,
) -> Result<(), String> {
    let Some((operation, map)) = entry.live.get_key_value(live.operation.as_str()) else {
        return Err(format!("case.yaml: live: there is no `{}`", live.operation));
    };
    let answered = match session.live(operation, &live.record).await {
        Ok(answered) => answered,
        Err(failure) => {
            found.failure = Some(failure);
            return Ok(());
        }
    };
    let context = Context {
        settings: session.settings(),
        parent: None,
        lookup: &Value::Null,
        now: session.now(),
    };
    for raw in &answered {
        let outcome = map.apply(INLINE, raw, &context);
        found.issues.extend(outcome.issues);
        for mapped in outcome.records {
            found.records.entry(operation).or_default().push(plain(&mapped));
            found.issues.extend(mapped.issues);
        }
    }
    Ok(())
}

fn maps(case: &Case, entry: &Entry) -> Result<Vec<Mapping>, String> {
    let Some(own) = &case.mapping else { return Ok(entry.maps.clone()) };
    let overlay = Overlay::parse(own).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("case.yaml: mapping: {}", words.join("; "))
    })?;
    Ok(entry.maps.iter().map(|map| map.with(&overlay)).collect())
}

fn take(page: &Page, session: &Session, maps: &[Mapping], found: &mut Yield) {
    for raw in &page.records {
        let context = Context {
            settings: session.settings(),
            parent: raw.parent.as_deref(),
            lookup: session.lookup_values(),
            now: session.now(),
        };
        for map in maps {
            let outcome = map.apply(&raw.stream, &raw.value, &context);
            found.issues.extend(outcome.issues);
            if !outcome.deleted.is_empty() {
                found.deleted.entry(map.model().id).or_default().extend(outcome.deleted);
            }
            for mapped in outcome.records {
                found.records.entry(mapped.model.id).or_default().push(plain(&mapped));
                found.issues.extend(mapped.issues);
            }
        }
    }
}

/// A record as a person writes it down: nothing that is null, references as remote ids.
fn plain(mapped: &Mapped) -> Value {
    let mut object = Map::new();
    object.insert("remote_id".into(), mapped.remote_id.clone().into());
    for field in mapped.model.shape.fields {
        if let Some(value) = mapped.fields.get(field.name).map(without_nulls)
            && !value.is_null()
            && !(matches!(field.kind, Kind::List(_)) && value == json!([]))
        {
            object.insert(field.name.into(), value);
        }
    }
    for (name, links) in mapped.links.iter().filter(|(_, links)| !links.is_empty()) {
        let links = links.iter().map(|link| {
            if link.attributes.is_empty() {
                return Value::String(link.remote_id.clone());
            }
            let mut item =
                Map::from_iter([("remote_id".to_owned(), link.remote_id.clone().into())]);
            item.extend(link.attributes.clone());
            without_nulls(&Value::Object(item))
        });
        object.insert((*name).into(), links.collect());
    }
    Value::Object(object)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), without_nulls(value)))
            .filter(|(_, value)| !value.is_null())
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

fn compare(path: &Path, found: &Yield, differences: &mut Vec<String>) -> Result<(), String> {
    let expected_error: Option<Value> = read_json(path, "error.json")?;
    match (&expected_error, &found.failure) {
        (Some(expected), Some(failure)) => compare_error(expected, failure, differences),
        (Some(expected), None) => {
            differences
                .push(format!("expected the error {}, but the run ended well", expected["code"]));
        }
        (None, Some(failure)) => differences.push(format!(
            "the run failed with {}: {} (rule: {})",
            failure.fault.code, failure.fault.message, failure.rule
        )),
        (None, None) => {}
    }
    let expected: Option<BTreeMap<String, Vec<Value>>> = read_json(path, "records.json")?;
    match expected {
        Some(expected) => compare_records(&expected, &found.records, differences),
        None if found.done.is_some() => {
            compare_records(&BTreeMap::new(), &found.records, differences);
        }
        None if expected_error.is_none() => {
            differences.push(
                "neither records.json nor error.json is there: the case expects nothing".into(),
            );
        }
        None => {}
    }
    let expected: BTreeMap<String, BTreeSet<String>> =
        read_json(path, "deleted.json")?.unwrap_or_default();
    let came: BTreeMap<String, BTreeSet<String>> =
        found.deleted.iter().map(|(model, ids)| ((*model).to_owned(), ids.clone())).collect();
    if expected != came {
        differences.push(format!("deleted: expected {expected:?}, got {came:?}"));
    }
    let expected: Vec<Value> = read_json(path, "issues.json")?.unwrap_or_default();
    compare_issues(&expected, &found.issues, differences);
    Ok(())
}

fn compare_error(expected: &Value, failure: &Failure, differences: &mut Vec<String>) {
    let code = failure.fault.code.as_str();
    if expected["code"] != code {
        differences.push(format!(
            "error: expected {}, got {code}: {} (rule: {})",
            expected["code"], failure.fault.message, failure.rule
        ));
    }
    if let Some(part) = expected["message"].as_str()
        && !failure.fault.message.contains(part)
    {
        differences.push(format!(
            "error: the message was expected to contain {part:?}, it is {:?}",
            failure.fault.message
        ));
    }
    if let Some(retry) = expected["retry"].as_bool()
        && retry != failure.retry
    {
        differences.push(format!("error: retry was expected to be {retry}"));
    }
}

fn compare_records(
    expected: &BTreeMap<String, Vec<Value>>,
    found: &BTreeMap<&'static str, Vec<Value>>,
    differences: &mut Vec<String>,
) {
    let models: BTreeSet<&str> =
        expected.keys().map(String::as_str).chain(found.keys().copied()).collect();
    for model in models {
        let expected = by_remote_id(expected.get(model).map_or(&[][..], Vec::as_slice));
        let found = by_remote_id(found.get(model).map_or(&[][..], Vec::as_slice));
        for (remote_id, record) in &expected {
            match found.get(remote_id) {
                Some(came) => {
                    compare_fields(&format!("{model} {remote_id}"), record, came, differences)
                }
                None => differences.push(format!("{model} {remote_id}: expected, but not there")),
            }
        }
        for (remote_id, record) in found.iter().filter(|(id, _)| !expected.contains_key(*id)) {
            differences.push(format!("{model} {remote_id}: not expected: {record}"));
        }
    }
}

/// Records by remote id; a second one of the same id counts apart.
fn by_remote_id(records: &[Value]) -> BTreeMap<String, &Value> {
    let mut map = BTreeMap::new();
    for record in records {
        let id = record["remote_id"].as_str().unwrap_or("(no remote_id)");
        // The same record twice is one record; two that differ count apart.
        let mut key = id.to_owned();
        while map.get(&key).is_some_and(|there| *there != record) {
            key.push_str(" (again)");
        }
        map.insert(key, record);
    }
    map
}

fn compare_fields(what: &str, expected: &Value, came: &Value, differences: &mut Vec<String>) {
    let empty = Map::new();
    let (expected, came) =
        (expected.as_object().unwrap_or(&empty), came.as_object().unwrap_or(&empty));
    let names: BTreeSet<&String> = expected.keys().chain(came.keys()).collect();
    for name in names {
        let (expected, came) = (expected.get(name), came.get(name));
        let same = match (expected, came) {
            (Some(expected), Some(came)) => alike(expected, came),
            (expected, came) => expected.is_none() && came.is_none(),
        };
        if !same {
            let print = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
            differences.push(format!(
                "{what}: {name}: expected {}, got {}",
                print(expected),
                print(came)
            ));
        }
    }
}

/// Equal, where 38 and 38.0 are the same number.
fn alike(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| alike(a, b)))
        }
        _ => expected == came,
    }
}

fn compare_issues(expected: &[Value], found: &[Issue], differences: &mut Vec<String>) {
    let mut left: Vec<&Issue> = found.iter().collect();
    for issue in expected {
        let fits = |found: &&Issue| {
            let found = serde_json::to_value(found).unwrap_or_default();
            ["model", "remote_id", "field", "problem"]
                .iter()
                .all(|name| issue.get(name).is_none_or(|value| *value == found[name]))
        };
        match left.iter().position(fits) {
            Some(at) => {
                left.remove(at);
            }
            None => differences.push(format!("issue expected, but not there: {issue}")),
        }
    }
    for issue in left {
        differences.push(format!(
            "issue not expected: {} {:?} {:?}: {}; expected {}, got {}",
            issue.model, issue.remote_id, issue.field, issue.problem, issue.expected, issue.got
        ));
    }
}

fn read(path: &Path, name: &str) -> Result<Option<String>, String> {
    match std::fs::read_to_string(path.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path, name: &str) -> Result<Option<T>, String> {
    read(path, name)?
        .map(|text| serde_json::from_str(&text).map_err(|error| format!("{name}: {error}")))
        .transpose()
}
