//! The error corpus: failures as the vendors document them, judged by the connectors. See `corpus/README.md`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cadre_connector::{
    Account, Failure, Grant, GrantKeeper, HttpRequest, HttpResponse, HttpSend, Io, NoObserver,
    ReadLimits, Recorded, SendError, Session, StepContext, Taken,
};
use cadre_jobs::catalog::{Entry, Folder};
use cadre_model::time::FixedClock;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Fewest cases.
const FEWEST: usize = 150;
/// Most wrong ones, in percent.
const MOST_WRONG: usize = 5;
const RECONNECT: &str = "INTEGRATION.AUTHENTICATION_INVALID";
/// In `expect.code`: this is no failure.
const NO_FAILURE: &str = "none";

/// `<tool>.yaml`: what the cases of a tool have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    /// The connect form, filled in.
    form: Map<String, Value>,
    /// Good answers: of the log-in, of what comes before.
    #[serde(default)]
    before: Vec<Before>,
}

/// `<tool>/<name>.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    source: String,
    says: String,
    /// Values of the form, over those of the tool.
    #[serde(default)]
    form: Map<String, Value>,
    /// The log-in is what fails: it has no good answer.
    #[serde(default)]
    log_in: bool,
    stream: Option<String>,
    live: Option<String>,
    action: Option<String>,
    /// The step of the action; without it the only one.
    step: Option<String>,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    record: Value,
    #[serde(default)]
    steps: Value,
    #[serde(default)]
    before: Vec<Before>,
    #[serde(default)]
    answer: Answer,
    expect: Expect,
}

/// A request that gets an answer of its own.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    /// A part of "METHOD URL BODY".
    asked: String,
    /// Of a whole tool: the stream that it is of. It counts where another stream is asked for.
    stream: Option<String>,
    answer: Answer,
}

/// What the vendor answers; each transport has its own fields.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A text is the body as it is; anything else is sent as JSON.
    #[serde(default)]
    body: Value,
    /// In place of an answer: `refused`, `unanswered`, `timeout`, `cut`.
    none: Option<String>,
    /// LDAP: result code and diagnostic message.
    result: Option<u32>,
    #[serde(default)]
    text: String,
    /// SFTP: the files that are there.
    files: Option<BTreeMap<String, String>>,
    /// SFTP and LDAP: what the server says before it closes the connection.
    greeting: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    code: String,
    retry: Option<bool>,
    message_contains: Option<String>,
}

/// A vendor that gives one answer to everything, but for what has an answer of its own.
struct Vendor {
    before: Vec<Before>,
    answer: Answer,
    recorded: Option<Recorded>,
}

#[async_trait]
impl HttpSend for Vendor {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        let body = request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let asked = format!("{} {} {body}", request.method, request.url);
        let own = self.before.iter().find(|before| asked.contains(&before.asked));
        own.map_or(&self.answer, |before| &before.answer).over_http(deadline)
    }

    fn recorded(&self) -> Option<&Recorded> {
        self.recorded.as_ref()
    }
}

impl Answer {
    fn over_http(&self, deadline: Duration) -> Result<HttpResponse, SendError> {
        match self.none.as_deref() {
            Some("refused") => return Err(SendError::Connect("connection refused".into())),
            Some("unanswered") => return Err(SendError::Unanswered("closed".into())),
            Some("timeout") => return Err(SendError::Timeout(deadline)),
            Some("cut") => return Err(SendError::Cut("closed in the middle".into())),
            Some(other) => return Err(SendError::Unsendable(format!("unknown: {other}"))),
            None => {}
        }
        let mut headers: Vec<(String, String)> = self.headers.clone().into_iter().collect();
        let body = match &self.body {
            Value::Null => Bytes::new(),
            Value::String(text) => Bytes::from(text.clone()),
            json => {
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    headers.push(("Content-Type".into(), "application/json".into()));
                }
                Bytes::from(json.to_string())
            }
        };
        Ok(HttpResponse { status: self.status.unwrap_or(200), headers, body })
    }

    /// What stands in for a server that is not asked over HTTP.
    fn recorded(&self) -> Option<Recorded> {
        let mut recorded = Recorded::default();
        if let Some(result) = self.result {
            recorded.entries.push(serde_json::json!({"result": result, "text": self.text}));
        } else if let Some(files) = &self.files {
            recorded.files =
                files.iter().map(|(name, text)| (name.clone(), text.clone().into())).collect();
        } else {
            return None;
        }
        Some(recorded)
    }

    /// A server on loopback that greets whoever comes, and hangs up; its port.
    fn greets(&self) -> Option<u16> {
        let greeting = self.greeting.clone()?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            // As often as a check may try; the thread ends with the process otherwise.
            for mut connection in listener.incoming().take(8).flatten() {
                let _ = connection.write_all(greeting.as_bytes());
                let _ = connection.shutdown(std::net::Shutdown::Write);
                // What the other side says is taken in: closing before would break the connection off.
                let _ = connection.set_read_timeout(Some(Duration::from_secs(1)));
                let _ = std::io::copy(&mut connection, &mut std::io::sink());
            }
        });
        Some(port)
    }
}

/// Asks what the case says, and gives back what went wrong.
async fn failure(
    entry: &Arc<Entry>,
    common: &Common,
    case: &Case,
) -> Result<Option<Failure>, String> {
    let mut form = common.form.clone();
    form.extend(case.form.clone());
    if let Some(port) = case.answer.greets() {
        for value in form.values_mut() {
            let filled = value.as_str().map(|text| text.replace("{port}", &port.to_string()));
            *value = filled.map_or_else(|| value.clone(), Value::String);
        }
    }
    let account = entry.connector.manifest().accept(&form).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        words.join("; ")
    })?;
    let mut before = case.before.clone();
    let mut good = common.before.clone();
    good.retain(|before| match (&before.stream, &case.stream) {
        (Some(of), asked) => asked.as_ref().is_some_and(|asked| asked != of),
        (None, _) => !case.log_in,
    });
    before.extend(good);
    let recorded = case.answer.recorded();
    let vendor = Vendor { before, answer: case.answer.clone(), recorded };
    let limits = ReadLimits {
        skip_waits: true,
        max_attempts: 2,
        allow_private: true,
        ..ReadLimits::default()
    };
    let now: jiff::Timestamp = "2026-09-01T00:00:00Z".parse().expect("a moment");
    let io = Io {
        http: Arc::new(vendor),
        clock: Arc::new(FixedClock::new(now)),
        observer: Arc::new(NoObserver),
        limits,
    };
    let session = session(entry, account, io, case);
    if let Some(stream) = &case.stream {
        return Ok(read(entry, &session, stream).await);
    }
    if let Some(operation) = &case.live {
        return Ok(session.live(operation, &case.record).await.err());
    }
    match &case.action {
        Some(action) => act(entry, &session, case, action).await,
        None => Ok(session.check().await.err()),
    }
}

fn session(entry: &Arc<Entry>, account: Account, io: Io, case: &Case) -> Session {
    let session = Session::new(entry.connector.clone(), account, io);
    session.with_grant(None, Arc::new(Granted)).only(case.stream.clone())
}

/// What customers granted who consent on a page of the tool: a token that nothing renews.
struct Granted;

#[async_trait]
impl GrantKeeper for Granted {
    async fn read(&self) -> Result<Option<Grant>, String> {
        Ok(Some(Grant { access_token: "granted".into(), refresh_token: None, expires_at: None }))
    }

    async fn lease(&self) -> Result<Option<String>, String> {
        Ok(Some(String::new()))
    }

    async fn renewed(&self, _lease: &str, _grant: Option<&Grant>) -> Result<(), String> {
        Ok(())
    }
}

async fn read(entry: &Entry, session: &Session, stream: &str) -> Option<Failure> {
    let mut reader = session.read(&entry.root_of(stream), None);
    while let Some(page) = reader.next().await {
        match page {
            Ok(page) => {
                if let Some(failure) = page.problems.into_iter().next() {
                    return Some(failure);
                }
            }
            Err(failure) => return Some(failure),
        }
    }
    None
}

async fn act(
    entry: &Entry,
    session: &Session,
    case: &Case,
    action: &str,
) -> Result<Option<Failure>, String> {
    let section = entry.connector.actions().get(action).ok_or(format!("no action `{action}`"))?;
    let step = case.step.as_deref().or_else(|| section.steps.keys().next().map(String::as_str));
    let step = step.filter(|step| section.steps.contains_key(*step)).ok_or("no such step")?;
    let (once, started) = (Value::from("once"), Value::from("2026-09-01T00:00:00.000Z"));
    let context = StepContext {
        input: &case.input,
        record: &case.record,
        steps: &case.steps,
        item: &Value::Null,
        once: &once,
        started: &started,
    };
    match session.take_step(action, step, &context, false).await {
        Taken::Done { .. } => Ok(None),
        Taken::Refused(failure) | Taken::Unknown(failure) => Ok(Some(failure)),
        Taken::OutOfTime { .. } => Err("out of time".into()),
    }
}

/// What is wrong with how the case was judged; nothing if all is well.
fn wrong(expect: &Expect, found: Option<&Failure>) -> Option<String> {
    let Some(failure) = found else {
        return (expect.code != NO_FAILURE).then(|| format!("expected {}, got none", expect.code));
    };
    let (code, message) = (failure.fault.code.as_str(), &failure.fault.message);
    let about = || format!("{message} (rule: {})", failure.rule);
    if code != expect.code {
        return Some(format!("expected {}, got {code}: {}", expect.code, about()));
    }
    if let Some(retry) = expect.retry.filter(|retry| *retry != failure.retry) {
        return Some(format!("retry was expected to be {retry}: {}", about()));
    }
    let part = expect.message_contains.as_ref().filter(|part| !message.contains(*part))?;
    Some(format!("the message was expected to contain {part:?}: {}", about()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut files: Vec<PathBuf> = found.map(|found| found.path()).collect();
    files.sort();
    files
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).expect("a file that can be read");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The codes of the contract.
fn codes(root: &Path) -> Vec<String> {
    let contract: Value = parse(&root.join("contract/errors.json"));
    let codes = contract["codes"].as_array().expect("a list of codes");
    codes.iter().filter_map(|code| code["code"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures are asked for with --nocapture")]
async fn failures_mean_what_the_vendors_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let codes = codes(&root);
    let corpus = root.join("corpus/errors");
    let (mut right, mut misses, mut reconnects) = (0, Vec::new(), Vec::new());
    let mut counts: Vec<String> = Vec::new();
    for folder in files(&corpus).iter().filter(|path| path.is_dir()) {
        let tool = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let connector = Folder::read(&root.join("connectors").join(&tool)).expect("a connector");
        let entry = Arc::new(Entry::load(&connector).expect("a connector without problems"));
        let common: Common = parse(&corpus.join(format!("{tool}.yaml")));
        let cases = files(folder);
        for path in &cases {
            let place = format!("{tool}/{}", path.file_name().expect("a name").to_string_lossy());
            let case: Case = parse(path);
            assert!(case.source.starts_with("https://"), "{place}: no source");
            assert!(!case.says.trim().is_empty(), "{place}: it says nothing");
            let known = case.expect.code == NO_FAILURE || codes.contains(&case.expect.code);
            assert!(known, "{place}: {} is no code of the contract", case.expect.code);
            let found = failure(&entry, &common, &case).await;
            let found = found.unwrap_or_else(|words| panic!("{place}: {words}"));
            let reconnect = found.as_ref().is_some_and(|of| of.fault.code.as_str() == RECONNECT);
            match wrong(&case.expect, found.as_ref()) {
                None => right += 1,
                Some(words) => {
                    if reconnect && case.expect.code != RECONNECT {
                        reconnects.push(place.clone());
                    }
                    misses.push(format!("{place}: {words}"));
                }
            }
        }
        counts.push(format!("{tool} {}", cases.len()));
    }
    let all = right + misses.len();
    println!("{right} of {all} right; {}\n{}", counts.join(", "), misses.join("\n"));
    assert!(all >= FEWEST, "only {all} cases");
    assert!(reconnects.is_empty(), "\"reconnect\", though the credential is good: {reconnects:?}");
    assert!(misses.len() * 100 <= all * MOST_WRONG, "{right} of {all}:\n{}", misses.join("\n"));
}
