//! Live work: asking a tool while a caller waits for the answer.
//!
//! It has a deadline of its own, far shorter than a sync's, so that a caller hears what is wrong
//! instead of waiting. Its exchanges belong to the interaction of the call.

use std::sync::Arc;

use bytes::Bytes;
use cadre_connector::{Account, Failure, Io, ReadLimits, Session};
use cadre_map::{Context, INLINE};
use cadre_model::action::Checked;
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::record_id;
use cadre_model::live::LiveRead;
use cadre_model::mapped::{Issue, Mapped};
use cadre_model::registry;
use cadre_store::{Integration, IntegrationScope};
use serde_json::{Value, json};

pub use cadre_connector::{PassRequest, Passed};

use crate::actions::files::Fetcher;
use crate::catalog::Entry;
use crate::grants::with_stored_grant;
use crate::observe::Log;
use crate::settings::Parts;

/// Attempts of one request while a caller waits.
const ATTEMPTS: u32 = 3;

/// Why live work failed, and the rule that said so.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Code, message and hint.
    pub fault: Box<Fault>,
    /// The rule, where the tool was asked.
    pub rule: Option<String>,
}

impl From<Fault> for Judged {
    fn from(fault: Fault) -> Self {
        Self { fault: Box::new(fault), rule: None }
    }
}

impl From<Failure> for Judged {
    fn from(failure: Failure) -> Self {
        Self { fault: Box::new(failure.fault), rule: Some(failure.rule) }
    }
}

impl From<cadre_store::Error> for Judged {
    fn from(error: cadre_store::Error) -> Self {
        Fault::unknown(error).into()
    }
}

/// What a live read found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files.
    pub files: Vec<File>,
    /// What did not fit, in words.
    pub warnings: Vec<String>,
}

/// A file that the tool has.
#[derive(Debug, Clone)]
pub struct File {
    /// The id of the record.
    pub id: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// The id of the application it came with.
    pub application_id: Option<String>,
    /// `CV`, `COVER_LETTER` or `OTHER`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The media type of its content.
    pub content_type: String,
    /// Where its content is.
    pub place: Place,
    /// When the tool made it, as text.
    pub created_at: Value,
    /// When the tool last changed it, as text.
    pub updated_at: Value,
}

/// Where the content of a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At an address that opens without credentials.
    Open(String),
    /// At a path of the tool that needs them.
    Locked(String),
}

/// One piece of live work with an integration's tool.
pub struct Live {
    parts: Parts,
    scope: IntegrationScope,
    entry: Arc<Entry>,
    session: Session,
    log: Arc<Log>,
}

impl Live {
    /// Gets ready to ask; the exchanges will belong to the interaction.
    ///
    /// # Errors
    ///
    /// When the connector is not there, or the credentials cannot be read.
    pub async fn open(
        parts: &Parts,
        scope: &IntegrationScope,
        integration: &Integration,
        interaction_id: &str,
    ) -> Result<Live, Judged> {
        let entry = parts.catalog.get(&integration.tool).ok_or_else(|| {
            let words = format!("There is no connector for {} here.", integration.tool);
            Fault::new(Code::IntegrationActionNotAvailable, words)
        })?;
        let secrets = parts.store.integration_secrets(scope).await?;
        let account = Account { settings: integration.settings.clone(), secrets };
        let log = Arc::new(Log::new(interaction_id.to_owned(), u64::MAX, parts.clock.clone()));
        let timeout = parts.settings.live_timeout;
        let read = &parts.settings.read;
        let limits = ReadLimits {
            max_attempts: read.max_attempts.min(ATTEMPTS),
            max_total_wait: read.max_total_wait.min(timeout),
            max_body_bytes: read.max_body_bytes.min(parts.settings.file_bytes),
            total: Some(timeout),
            ..read.clone()
        };
        let io = Io {
            http: parts.http.clone(),
            clock: parts.clock.clone(),
            observer: log.clone(),
            limits,
        };
        let session = parts.standings.session(scope.id(), entry.connector.clone(), account, io);
        let session = with_stored_grant(parts, session, scope);
        Ok(Live { parts: parts.clone(), scope: scope.clone(), entry, session, log })
    }

    /// Asks a live read about the record with this id.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` when there is no such record; what the tool said.
    pub async fn read(&self, read: &'static LiveRead, id: &str) -> Result<Found, Judged> {
        let record = self.record(read, id).await?;
        let answered = self.session.live(read.id, &record).await;
        self.log.write(&self.parts.store).await;
        let Some(map) = self.entry.live.get(read.id) else {
            let label = &self.entry.connector.manifest().label;
            let words = format!("{label} does not offer `{}`.", read.id);
            return Err(Fault::new(Code::IntegrationActionNotAvailable, words).into());
        };
        let context = Context {
            settings: self.session.settings(),
            parent: None,
            lookup: &Value::Null,
            now: self.session.now(),
        };
        let mut found = Found::default();
        for raw in answered? {
            let outcome = map.apply(INLINE, &raw, &context);
            found.warnings.extend(outcome.issues.iter().map(words));
            for mapped in outcome.records {
                found.warnings.extend(mapped.issues.iter().map(words));
                match file(self.scope.id(), &mapped) {
                    Ok(file) => found.files.push(file),
                    Err(why) => found.warnings.push(why),
                }
            }
        }
        Ok(found)
    }

    /// Fetches the content of a file from a path of the tool.
    ///
    /// # Errors
    ///
    /// What the tool said; also when the file is too large.
    pub async fn file(&self, path: &str) -> Result<Bytes, Judged> {
        let content = self.session.file(path, self.parts.settings.file_bytes).await;
        self.log.write(&self.parts.store).await;
        Ok(content?)
    }

    /// Passes a request through.
    ///
    /// # Errors
    ///
    /// When the request may not be sent, or there is no answer.
    pub async fn pass(&self, request: &PassRequest) -> Result<Passed, Judged> {
        let passed = self.session.pass(request).await;
        self.log.write(&self.parts.store).await;
        Ok(passed?)
    }

    /// `$record`: the ids that the tool knows the record and its neighbours by.
    async fn record(&self, read: &'static LiveRead, id: &str) -> Result<Value, Judged> {
        let Some(model) = registry::model(read.of) else {
            return Err(Fault::unknown(format!("{} is no model", read.of)).into());
        };
        let found = self.parts.store.record_find(&self.scope, model, id).await?;
        let shown: String = id.chars().take(100).collect();
        let refusal = |why: &str| {
            let words = format!(
                "Invalid request: `path.{}`: `{shown}` {why} in {}.",
                read.parameter, read.of
            );
            Fault::new(Code::PlatformInputInvalid, words)
                .hint("Use the `id` of a record that the list of this integration shows.")
        };
        let Some(found) = found else { return Err(refusal("is no record").into()) };
        if found.remote_deleted_at.is_some() {
            return Err(refusal("is a record that was deleted in the tool").into());
        }
        let mut record = found.references;
        record.insert("id".to_owned(), id.into());
        record.insert("remote_id".to_owned(), found.remote_id.into());
        Ok(Value::Object(record))
    }
}

/// The body of a form of parts that was checked: its type and its bytes. Files named by address are fetched
/// through the guard.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` when a file cannot be had.
pub async fn form(parts: &Parts, checked: &Checked) -> Result<(String, Bytes), Fault> {
    let mut input = checked.value.clone();
    let fetcher = Fetcher {
        http: parts.http.as_ref(),
        most_bytes: parts.settings.file_bytes,
        restrictions: None,
    };
    fetcher.fetch(checked, &mut input).await?;
    let items = input["multipart_form_data"].as_array().cloned().unwrap_or_default();
    let written = items.into_iter().map(|item| {
        let (name, value) = (&item["name"], &item["value"]);
        match value {
            Value::Object(file) => json!({
                "name": name, "file_name": file.get("name"), "content_type": file.get("content_type"),
                "base64": file.get("base64"),
            }),
            plain => json!({ "name": name, "value": plain }),
        }
    });
    let (kind, body) =
        cadre_connector::multipart(&Value::Array(written.collect())).map_err(Fault::unknown)?;
    Ok((kind, body.into()))
}

/// A value that did not fit, as a caller reads it.
fn words(issue: &Issue) -> String {
    let of = issue.remote_id.as_deref().map(|id| format!(" of `{id}`")).unwrap_or_default();
    let field = issue.field.as_deref().unwrap_or("the record");
    format!("{field}{of}: expected {}, got {}.", issue.expected, issue.got)
}

fn file(integration_id: &str, mapped: &Mapped) -> Result<File, String> {
    let fields = &mapped.fields;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let open =
        text("data_url").filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    let place = match (open, text("file_path")) {
        (Some(url), _) => Place::Open(url),
        (None, Some(path)) => Place::Locked(path),
        (None, None) => {
            return Err(format!("The tool does not say where `{}` is.", mapped.remote_id));
        }
    };
    let name = text("file_name").unwrap_or_else(|| mapped.remote_id.clone());
    let content_type = text("content_type").unwrap_or_else(|| media_type(&name).to_owned());
    let stamp = |name: &str| fields.get(name).cloned().unwrap_or_default();
    Ok(File {
        id: record_id(integration_id, mapped.model.id, &mapped.remote_id),
        remote_id: mapped.remote_id.clone(),
        application_id: text("application_id")
            .map(|remote| record_id(integration_id, "ats_applications", &remote)),
        kind: text("type").unwrap_or_else(|| "OTHER".to_owned()),
        name,
        content_type,
        place,
        created_at: stamp("remote_created_at"),
        updated_at: stamp("remote_updated_at"),
    })
}

/// The media type that the ending of a name suggests.
fn media_type(name: &str) -> &'static str {
    const BY_ENDING: &[(&str, &str)] = &[
        ("pdf", "application/pdf"),
        ("doc", "application/msword"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xls", "application/vnd.ms-excel"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("odt", "application/vnd.oasis.opendocument.text"),
        ("rtf", "application/rtf"),
        ("txt", "text/plain"),
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("zip", "application/zip"),
    ];
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let known = BY_ENDING.iter().find(|(known, _)| ending.as_deref() == Some(*known));
    known.map_or("application/octet-stream", |(_, kind)| kind)
}
