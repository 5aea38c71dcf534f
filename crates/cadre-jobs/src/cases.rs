//! Running a connector's cases: recorded exchanges in, records, issues or an error out.
//!
//! The same code checks a folder on the command line and every connector in the tests. Nothing is
//! sent anywhere; the clock stands at the case's `now`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cadre_connector::{
    Account, Excerpt, Failure, Io, NoObserver, OAuthClient, Page, ReadLimits, Replay, Session,
};
use cadre_map::{Context, INLINE, Mapping, Overlay};
use cadre_model::mapped::{Issue, Mapped};
use cadre_model::shape::Kind;
use cadre_model::time::{FixedClock, wire};
use cadre_store::StoredGrant;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::catalog::Entry;
use crate::grants::Held;

mod action;
mod compare;

/// How a case went.
#[derive(Debug)]
pub struct Outcome {
    /// Name of the case: its folder.
    pub case: String,
    /// What differs from what was expected; nothing if all is well.
    pub differences: Vec<String>,
    /// Whether nobody has verified by hand yet what it expects.
    pub unverified: bool,
}

/// A case: what a tool answers, and what must come of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where the exchanges come from: a page of the vendor.
    source: String,
    /// What the case is about.
    #[serde(default)]
    #[expect(dead_code, reason = "for whoever reads the case")]
    about: String,
    /// `true` until somebody has worked out by hand what the case expects.
    #[serde(default)]
    unverified: bool,
    /// `$now`, RFC 3339; by default the beginning of 1970.
    #[schemars(with = "Option<String>")]
    now: Option<jiff::Timestamp>,
    /// What the customer entered in the form, without secrets.
    #[serde(default)]
    settings: Map<String, Value>,
    /// The secrets that the customer entered, made up.
    #[serde(default)]
    secrets: Map<String, Value>,
    /// The streams that are read; by default all.
    streams: Option<Vec<String>>,
    /// Reads only the beginning of each stream.
    excerpt: Option<ExcerptCase>,
    /// The moment since when changes are wanted, of streams that can tell.
    #[schemars(with = "Option<String>")]
    since: Option<jiff::Timestamp>,
    /// An integration's own mapping, over the connector's.
    mapping: Option<Value>,
    /// A live read in place of streams.
    live: Option<LiveCase>,
    /// An action in place of streams.
    action: Option<action::ActionCase>,
}

/// How much of each stream is read.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExcerptCase {
    /// Most pages of a stream.
    pages: u64,
    /// Most records of a page whose sub-requests are asked.
    parents: usize,
}

/// A live read in place of streams.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LiveCase {
    /// Id of the operation.
    operation: String,
    /// `$record`.
    record: Value,
}

/// The JSON Schema of `case.yaml`, for editors.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Case).to_value()
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
        let (differences, unverified) = match run(&path, &entry).await {
            Ok(ran) => ran,
            Err(words) => (vec![words], false),
        };
        outcomes.push(Outcome { case, differences, unverified });
    }
    outcomes
}

async fn run(path: &Path, entry: &Arc<Entry>) -> Result<(Vec<String>, bool), String> {
    let case = read_description(path)?;
    let replay = Arc::new(Replay::load(path)?);
    let found = read_case(path, &case, entry, replay.clone()).await?;
    let mut differences = Vec::new();
    compare::compare(path, &found, &mut differences)?;
    if case.action.is_some() {
        action::compare(path, &found, &mut differences)?;
    }
    differences.extend(replay.leftovers());
    Ok((differences, case.unverified))
}

fn read_description(path: &Path) -> Result<Case, String> {
    let text = read(path, "case.yaml")?.ok_or("case.yaml is missing")?;
    let case: Case =
        serde_saphyr::from_str(&text).map_err(|error| format!("case.yaml: {error}"))?;
    if case.source.trim().is_empty() {
        return Err("case.yaml: `source` says where the exchanges come from; it is empty".into());
    }
    Ok(case)
}

/// What comes of a case's exchanges, in the files that a case keeps it in.
pub(crate) async fn expected(
    path: &Path,
    entry: &Arc<Entry>,
) -> Result<BTreeMap<&'static str, Value>, String> {
    let case = read_description(path)?;
    let replay = Arc::new(Replay::load(path)?);
    let found = read_case(path, &case, entry, replay.clone()).await?;
    if let Some(first) = replay.leftovers().into_iter().next() {
        return Err(first);
    }
    let mut files = BTreeMap::new();
    if !found.records.is_empty() || found.failure.is_none() {
        files.insert("records.json", json!(found.records));
    }
    if !found.deleted.is_empty() {
        files.insert("deleted.json", json!(found.deleted));
    }
    if let Some(failure) = &found.failure {
        let error = json!({"code": failure.fault.code.as_str(), "retry": failure.retry});
        files.insert("error.json", error);
    }
    let issues = found.issues.iter().map(|issue| {
        let (remote_id, field) = (&issue.remote_id, &issue.field);
        json!({"model": issue.model, "remote_id": remote_id, "field": field, "problem": issue.problem})
    });
    let issues: Vec<Value> = issues.collect();
    if !issues.is_empty() {
        files.insert("issues.json", issues.into());
    }
    Ok(files)
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
        limits: ReadLimits {
            skip_waits: true,
            max_attempts: 2,
            excerpt: case.excerpt.map(|own| Excerpt { pages: own.pages, parents: own.parents }),
            ..ReadLimits::default()
        },
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
pub(crate) fn plain(mapped: &Mapped) -> Value {
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
