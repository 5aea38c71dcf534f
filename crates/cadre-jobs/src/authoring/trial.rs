//! Reading the beginning of a tool's streams, to look at what it says and what is made of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cadre_connector::{
    Account, Excerpt, Exchange, Failure, HttpSend, Io, OAuthClient, Observer, Page, ReadLimits,
    Session, Stream,
};
use cadre_map::Context;
use cadre_model::mapped::Issue;
use cadre_model::secret::Secret;
use cadre_model::time::Clock;
use cadre_store::StoredGrant;
use serde_json::Value;

use crate::cases::plain;
use crate::catalog::Entry;
use crate::grants::Held;

/// What is asked, and how.
pub struct Asked {
    /// What the customer would have entered.
    pub account: Account,
    /// The access token, where the tool's customers consent on a page of its own.
    pub access_token: Option<Secret>,
    /// The streams, with those that they hang on; all that are mapped if it is empty.
    pub streams: Vec<String>,
    /// The model whose streams are read and whose records are shown.
    pub model: Option<String>,
    /// How much is read.
    pub excerpt: Excerpt,
    /// Whether servers inside private networks may be asked.
    pub allow_private: bool,
}

/// What was read.
#[derive(Default)]
pub struct Trial {
    /// By root stream.
    pub streams: Vec<StreamRead>,
    /// What ended it before its time.
    pub failure: Option<Failure>,
    /// Everything that was asked, without secrets.
    pub exchanges: Vec<Exchange>,
    /// `$now`.
    pub now: String,
}

/// What was read of a stream.
pub struct StreamRead {
    /// Its name.
    pub stream: String,
    /// Its records, and those of its sub-requests.
    pub records: Vec<RecordRead>,
    /// Whether the tool has more pages.
    pub more: bool,
    /// How many records there are in all, where the tool says so.
    pub total: Option<u64>,
    /// What did not end the read.
    pub problems: Vec<Failure>,
}

/// A raw record, and what is made of it.
pub struct RecordRead {
    /// The stream that it came from.
    pub stream: String,
    /// As the tool has it.
    pub raw: Value,
    /// Model and record; nothing that is null, references as remote ids.
    pub unified: Vec<(&'static str, Value)>,
    /// Model and remote id of what the tool says is deleted.
    pub deleted: Vec<(&'static str, String)>,
    /// What does not fit.
    pub issues: Vec<Issue>,
}

/// The streams that a trial reads.
///
/// # Errors
///
/// Words that name what is not there, and what is.
pub fn wanted(
    entry: &Entry,
    streams: &[String],
    model: Option<&str>,
) -> Result<BTreeSet<String>, String> {
    if let Some(strange) = streams.iter().find(|name| entry.connector.stream(name).is_none()) {
        let known: Vec<&str> = entry.connector.streams().iter().map(Stream::name).collect();
        return Err(format!("there is no stream \"{strange}\"; there are {}", known.join(", ")));
    }
    let maps = entry.maps.iter().filter(|map| model.is_none_or(|model| map.model().id == model));
    let mapped: BTreeSet<String> =
        maps.flat_map(|map| map.streams().map(str::to_owned).collect::<Vec<_>>()).collect();
    if let Some(model) = model.filter(|_| mapped.is_empty()) {
        let known: Vec<&str> = entry.maps.iter().map(|map| map.model().id).collect();
        return Err(format!("nothing is mapped to \"{model}\"; there are {}", known.join(", ")));
    }
    if streams.is_empty() { Ok(mapped) } else { Ok(streams.iter().cloned().collect()) }
}

/// Reads the beginning of the streams.
///
/// # Errors
///
/// Words, when a stream or model is not there. What the tool refuses stands in the trial.
pub async fn read(
    entry: &Entry,
    asked: Asked,
    http: Arc<dyn HttpSend>,
    clock: Arc<dyn Clock>,
) -> Result<Trial, String> {
    let wanted = wanted(entry, &asked.streams, asked.model.as_deref())?;
    let heard = Arc::new(Heard::default());
    let session = session(entry, &asked, http, clock, heard.clone()).only(wanted.iter().cloned());
    let mut trial =
        Trial { now: session.now().as_str().unwrap_or_default().to_owned(), ..Trial::default() };
    trial.failure = read_streams(entry, &asked, &session, &wanted, &mut trial.streams).await.err();
    trial.exchanges = std::mem::take(&mut heard.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(trial)
}

fn session(
    entry: &Entry,
    asked: &Asked,
    http: Arc<dyn HttpSend>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Session {
    let limits = ReadLimits {
        // Somebody waits at a terminal.
        max_attempts: 2,
        excerpt: Some(asked.excerpt),
        allow_private: asked.allow_private,
        ..ReadLimits::default()
    };
    let io = Io { http, clock, observer, limits };
    let session = Session::new(entry.connector.clone(), asked.account.clone(), io);
    let Some(token) = &asked.access_token else { return session };
    let grant = StoredGrant { access_token: token.clone(), refresh_token: None, expires_at: None };
    let client = OAuthClient { client_id: String::new(), client_secret: Secret::default() };
    session.with_grant(Some(client), Arc::new(Held::new(Some(grant))))
}

async fn read_streams(
    entry: &Entry,
    asked: &Asked,
    session: &Session,
    wanted: &BTreeSet<String>,
    read: &mut Vec<StreamRead>,
) -> Result<(), Failure> {
    session.lookups().await?;
    let roots: BTreeSet<String> = wanted.iter().map(|stream| entry.root_of(stream)).collect();
    let names = entry.connector.streams().iter().map(Stream::name);
    for stream in names.filter(|name| roots.contains(*name)) {
        let mut found = StreamRead {
            stream: stream.to_owned(),
            records: Vec::new(),
            more: false,
            total: None,
            problems: Vec::new(),
        };
        let mut reader = session.read(stream, None);
        let mut pages = 0;
        while let Some(page) = reader.next().await {
            match page {
                Ok(page) => take(entry, asked, session, page, &mut found),
                Err(failure) if entry.may_be_missing(stream, &failure) => {
                    found.problems.push(failure);
                }
                Err(failure) => {
                    read.push(found);
                    return Err(failure);
                }
            }
            pages += 1;
            if pages >= asked.excerpt.pages {
                break;
            }
        }
        read.push(found);
    }
    Ok(())
}

fn take(entry: &Entry, asked: &Asked, session: &Session, page: Page, found: &mut StreamRead) {
    found.more = page.next.is_some();
    found.total = page.total.or(found.total);
    found.problems.extend(page.problems);
    let shown = asked.model.as_deref();
    for raw in page.records {
        let context = Context {
            settings: session.settings(),
            parent: raw.parent.as_deref(),
            lookup: session.lookup_values(),
            now: session.now(),
        };
        let mut record = RecordRead {
            stream: raw.stream.to_string(),
            raw: Value::Null,
            unified: Vec::new(),
            deleted: Vec::new(),
            issues: Vec::new(),
        };
        for map in entry.maps.iter().filter(|map| shown.is_none_or(|model| map.model().id == model))
        {
            let outcome = map.apply(&raw.stream, &raw.value, &context);
            record.issues.extend(outcome.issues);
            record.deleted.extend(outcome.deleted.into_iter().map(|id| (map.model().id, id)));
            for mapped in outcome.records {
                record.unified.push((mapped.model.id, plain(&mapped)));
                record.issues.extend(mapped.issues);
            }
        }
        record.raw = raw.value;
        found.records.push(record);
    }
}

/// Keeps what is asked.
#[derive(Default)]
struct Heard(Mutex<Vec<Exchange>>);

impl Observer for Heard {
    fn exchange(&self, exchange: &Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange.clone());
    }

    fn wants_bodies(&self) -> bool {
        false
    }

    fn wait(&self, why: &str, ms: u64) {
        tracing::info!(ms, "waiting: {why}");
    }
}
