//! A case out of what a tool really said: captured, scrubbed, and marked as not verified.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cadre_connector::{Account, Excerpt, HttpRequest, HttpResponse, HttpSend, SendError};
use cadre_model::secret::Secret;
use serde_json::{Map, Value, json};

use super::scrub::Scrub;
use crate::cases;
use crate::catalog::Entry;

mod account;
mod exchange;

/// Sends requests on, and keeps what was said.
pub struct Recorder {
    inner: Arc<dyn HttpSend>,
    said: Mutex<Vec<Said>>,
}

/// A request and what came of it.
struct Said {
    request: HttpRequest,
    answer: Result<HttpResponse, SendError>,
}

impl Recorder {
    /// Listens between a reader and the tool.
    #[must_use]
    pub fn new(inner: Arc<dyn HttpSend>) -> Recorder {
        Recorder { inner, said: Mutex::default() }
    }
}

#[async_trait]
impl HttpSend for Recorder {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        let answer = self.inner.send(request.clone(), deadline).await;
        let said = Said { request, answer: answer.clone() };
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(said);
        answer
    }
}

/// What a case is made of, beside what was said.
pub struct Session<'a> {
    /// The connector's folder.
    pub folder: &'a Path,
    /// The connector.
    pub entry: &'a Arc<Entry>,
    /// Name of the case.
    pub case: &'a str,
    /// What the customer entered.
    pub account: &'a Account,
    /// What a consent brought.
    pub access_token: Option<&'a Secret>,
    /// The streams that were read; all that are mapped if it is empty.
    pub streams: &'a [String],
    /// How much was read.
    pub excerpt: Excerpt,
    /// `$now` of the read.
    pub now: &'a str,
}

/// What was written.
pub struct Recording {
    /// Folder of the case.
    pub folder: PathBuf,
    /// Names of its files.
    pub files: Vec<String>,
    /// How many exchanges it holds.
    pub exchanges: usize,
    /// What was scrubbed, and at which places.
    pub scrubbed: BTreeMap<&'static str, BTreeSet<String>>,
    /// What a person must look at.
    pub warnings: Vec<String>,
}

/// Where a case of this name is kept.
///
/// # Errors
///
/// When the name is none, or there is such a case already.
pub fn case_folder(folder: &Path, case: &str) -> Result<PathBuf, String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if case.is_empty() || !case.chars().all(letter) {
        return Err(format!(
            "\"{case}\" is no name for a case: expected lower-case letters, digits and -, such as \"two-pages\""
        ));
    }
    let path = folder.join("cases").join(case);
    if path.symlink_metadata().is_ok() {
        return Err(format!("{} is there already; choose another name", path.display()));
    }
    Ok(path)
}

/// Writes the case. Nothing is written when a secret or an address would be left in it.
///
/// # Errors
///
/// Words that say what cannot be kept.
pub async fn write(recorder: &Recorder, of: &Session<'_>) -> Result<Recording, String> {
    let path = case_folder(of.folder, of.case)?;
    let mut scrub = Scrub::default();
    let mut warnings = Vec::new();
    let form = account::made_up(of, &mut scrub, &mut warnings)?;
    let said = std::mem::take(&mut *recorder.said.lock().unwrap_or_else(PoisonError::into_inner));
    if said.is_empty() {
        return Err("nothing was said over HTTP, so there is nothing to record".to_owned());
    }
    let kept = exchange::headers_that_count(of.folder, of.entry);
    for one in &said {
        exchange::learn(one, &mut scrub);
    }
    let mut exchanges = Vec::new();
    for (at, one) in said.iter().enumerate() {
        let place = format!("exchange {}", at + 1);
        let made = exchange::clean(one, &kept, &mut scrub, &mut |words| {
            warnings.push(format!("{place}: {words}"));
        });
        exchanges.extend(made);
    }
    let text = format!("{:#}\n", Value::Array(exchanges.clone()));
    if let Some(what) = scrub.left_in(&text) {
        return Err(format!(
            "{what} would be left in exchanges.json, so nothing was written; record less with --stream, or \
             write the case by hand"
        ));
    }
    let mut files = BTreeMap::new();
    files.insert("exchanges.json", text);
    files.insert("case.yaml", description(of, &form, &scrub));
    put(&path, &files)?;
    match cases::expected(&path, of.entry).await {
        Ok(expected) => {
            let texts: BTreeMap<&str, String> =
                expected.into_iter().map(|(name, value)| (name, format!("{value:#}\n"))).collect();
            put(&path, &texts)?;
            files.extend(texts);
        }
        Err(words) => warnings.push(format!(
            "the scrubbed exchanges do not lead through the same read, so nothing is expected yet: {words}"
        )),
    }
    Ok(Recording {
        folder: path,
        files: files.into_keys().map(str::to_owned).collect(),
        exchanges: exchanges.len(),
        scrubbed: scrub.found(),
        warnings,
    })
}

fn put(folder: &Path, files: &BTreeMap<&str, String>) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// `case.yaml`.
fn description(of: &Session<'_>, form: &account::Form, scrub: &Scrub) -> String {
    let mut text = String::from(HEAD);
    for (what, places) in scrub.found() {
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        text.push_str(&format!("#   {what}: {}\n", places.join(", ").replace('\n', " ")));
    }
    let label = &of.entry.connector.manifest().label;
    let quoted = |text: &str| Value::from(text).to_string();
    text.push_str("unverified: true\n");
    text.push_str(&format!("source: {}\n", quoted(&format!("recorded from {label}"))));
    text.push_str("about: The beginning of what an account holds.\n");
    text.push_str(&format!("now: {}\n", of.now));
    text.push_str(&format!("settings: {}\n", Value::Object(form.settings.clone())));
    text.push_str(&format!("secrets: {}\n", Value::Object(form.secrets.clone())));
    if !of.streams.is_empty() {
        text.push_str(&format!("streams: {}\n", json!(of.streams)));
    }
    let Excerpt { pages, parents } = of.excerpt;
    text.push_str(&format!(
        "excerpt: {}\n",
        Value::Object(Map::from_iter([
            ("pages".to_owned(), pages.into()),
            ("parents".to_owned(), parents.into()),
        ]))
    ));
    text
}

const HEAD: &str = "# yaml-language-server: $schema=../../../.schema/case.json
#
# Recorded by `cadre connector record`. What the files beside this one expect came out of the mapping, and proves
# nothing yet: compare each value with what the tool means by it, correct what is wrong, then take `unverified` away.
#
# Made-up values stand in place of:
";
