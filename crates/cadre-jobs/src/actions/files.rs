//! Files of a body: fetched where they are named by address, and held against what the tool takes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cadre_connector::manifest::Restrictions;
use cadre_connector::{HttpRequest, HttpSend};
use cadre_model::action::{Checked, Wrong};
use cadre_model::fault::Fault;
use serde_json::{Map, Value};

use super::prepare::{refuse, wrong};

/// How long fetching one file may take.
const FETCH: Duration = Duration::from_secs(30);

/// Gets the files of a body.
pub(crate) struct Fetcher<'a> {
    /// The guarded client.
    pub(crate) http: &'a dyn HttpSend,
    /// Largest file, in bytes.
    pub(crate) most_bytes: u64,
    /// What the tool takes.
    pub(crate) restrictions: Option<&'a Restrictions>,
}

impl Fetcher<'_> {
    /// Gives every file its content: `{name, type, content_type, base64, size}`.
    pub(crate) async fn fetch(&self, checked: &Checked, input: &mut Value) -> Result<(), Fault> {
        let mut problems = Vec::new();
        let mut total = 0;
        for file in &checked.files {
            // An answer to a question is one level deeper once it has the form of the tool.
            let Some(given) = input.pointer(&file.pointer).and_then(Value::as_object).cloned()
            else {
                continue;
            };
            match self.content(&file.path, &given).await {
                Ok((kind, base64)) => {
                    let size = base64.len() / 4 * 3
                        - base64.bytes().rev().take_while(|b| *b == b'=').count();
                    total += size as u64;
                    let mut whole = Map::new();
                    for name in ["name", "type"] {
                        if let Some(value) = given.get(name) {
                            whole.insert(name.to_owned(), value.clone());
                        }
                    }
                    whole.insert("content_type".to_owned(), kind.into());
                    whole.insert("size".to_owned(), size.into());
                    whole.insert("base64".to_owned(), base64.into());
                    if let Some(place) = input.pointer_mut(&file.pointer) {
                        *place = Value::Object(whole);
                    }
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(restrictions) = self.restrictions {
            restrict(restrictions, input, total, &mut problems);
        }
        refuse(problems)
    }

    async fn content(
        &self,
        path: &str,
        file: &Map<String, Value>,
    ) -> Result<(String, String), Wrong> {
        let text = |name: &str| file.get(name).and_then(Value::as_str);
        let most = self.most_bytes;
        if let Some(data) = text("data") {
            if data.len() as u64 / 4 * 3 > most {
                let expected = format!("at most {most} bytes");
                return Err(wrong(&format!("{path}.data"), &expected, "more".into()));
            }
            return Ok((text("content_type").unwrap_or_default().to_owned(), data.to_owned()));
        }
        let place = format!("{path}.data_url");
        let bad = |got: String| {
            wrong(&place, "the address of a file that opens without credentials", got)
        };
        let url = text("data_url").and_then(|url| url.parse().ok());
        let Some(url) = url else { return Err(bad("no URL".to_owned())) };
        let mut request = HttpRequest::new("GET", url);
        request.set_header("Accept", "*/*");
        request.max_body_bytes = most;
        let answer =
            self.http.send(request, FETCH).await.map_err(|error| bad(error.to_string()))?;
        if !(200..300).contains(&answer.status) {
            return Err(bad(format!("an answer with status {}", answer.status)));
        }
        let served = answer.header("content-type").and_then(|kind| kind.split(';').next());
        let kind = text("content_type").or(served).unwrap_or("application/octet-stream").trim();
        Ok((kind.to_owned(), STANDARD.encode(&answer.body)))
    }
}

/// Holds the files against what the tool takes.
fn restrict(rules: &Restrictions, input: &Value, total: u64, problems: &mut Vec<Wrong>) {
    let (files, at) = match (&input["attachments"], &input["attachment"]) {
        (Value::Array(files), _) => (files.as_slice(), "body.attachments"),
        (_, file @ Value::Object(_)) => (std::slice::from_ref(file), "body.attachment"),
        _ => return,
    };
    if rules.total_size_bytes.is_some_and(|most| total > most) {
        let most = rules.total_size_bytes.unwrap_or_default();
        problems.push(wrong(
            at,
            &format!("files of {most} bytes together"),
            format!("{total} bytes"),
        ));
    }
    for (n, file) in files.iter().enumerate() {
        let here = if at == "body.attachment" { at.to_owned() } else { format!("{at}[{n}]") };
        let kind = file["type"].as_str().unwrap_or_default();
        let Some(rule) = rules.types.get(kind) else {
            let known: Vec<&str> = rules.types.keys().map(String::as_str).collect();
            let expected = format!("one of {}, which the tool takes", known.join(", "));
            problems.push(wrong(&format!("{here}.type"), &expected, kind.to_owned()));
            continue;
        };
        let size = file["size"].as_u64().unwrap_or_default();
        if let Some(most) = rule.max_file_size_bytes.filter(|most| size > *most) {
            problems.push(wrong(
                &here,
                &format!("a file of at most {most} bytes"),
                format!("{size} bytes"),
            ));
        }
        let media = file["content_type"].as_str().unwrap_or_default();
        if let Some(types) = &rule.accepted_mime_types
            && !types.iter().any(|known| known == media)
        {
            let expected = format!("a file of the type {}", types.join(", "));
            problems.push(wrong(&here, &expected, media.to_owned()));
        }
    }
    if at == "body.attachment" {
        return;
    }
    for (kind, rule) in &rules.types {
        let count = files.iter().filter(|file| file["type"] == kind.as_str()).count() as u64;
        if let Some(most) = rule.max_amount.filter(|most| count > *most) {
            problems.push(wrong(
                at,
                &format!("at most {most} of the type {kind}"),
                count.to_string(),
            ));
        }
        if let Some(least) = rule.min_amount.filter(|least| count < *least) {
            problems.push(wrong(
                at,
                &format!("at least {least} of the type {kind}"),
                count.to_string(),
            ));
        }
    }
}
