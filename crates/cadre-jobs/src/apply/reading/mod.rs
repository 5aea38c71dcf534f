//! What a page means: which form on it is the application, what it says of the job, how a filled form is
//! sent, and what the answer says.
//!
//! This is the seam between the queue and whatever understands pages. Here plain HTML forms and the
//! structured data of a page are read.

mod controls;
mod form;
mod job;
mod markup;
mod words;

use cadre_connector::{HttpRequest, multipart};
use serde_json::{Value, json};
use url::Url;

pub use form::{Answer, Form};

use self::controls::{Page, RawForm};
use self::form::Part;
use super::cookies::Jar;
use super::visit::{NoPage, Patience, Posted, Visited, visit};
use crate::settings::Parts;

/// What a question can be known to ask for, as the contract names it.
pub(super) const UNIFIED_KEYS: &[&str] = &[
    "EMAIL",
    "RESIDENCE_TYPE",
    "RESIDENCE_FULL_STRING",
    "RESIDENCE_COUNTRY",
    "RESIDENCE_CITY",
    "RESIDENCE_STATE",
    "RESIDENCE_LINE_1",
    "RESIDENCE_LINE_2",
    "RESIDENCE_ZIP_CODE",
    "APPLICANT_POOL_CONSENT",
    "TERMS_AND_CONDITIONS",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "GENDER",
    "EXPECTED_START_DATE",
    "RESUME",
    "BIRTH_DATE",
    "PHONE_NUMBER_TYPE",
    "FULL_PHONE_NUMBER",
    "PHONE_COUNTRY_CODE",
    "PHONE_NATIONAL_NUMBER",
    "PHONE_EXTENSION",
];

/// What a page shows.
pub(super) enum Looked {
    /// The form, and what is said of the job.
    Form { form: Form, job: Value },
    /// There is none, and why.
    NoForm(String),
    /// The job is over.
    Gone(String),
    /// The page cannot be read this time.
    Failed(String),
}

/// Looks at a page.
pub(super) async fn look(parts: &Parts, url: &str, patience: Patience) -> Result<Looked, NoPage> {
    let Ok(url) = Url::parse(url) else {
        return Ok(Looked::NoForm("Its address cannot be read.".to_owned()));
    };
    let visited = visit(parts, page_request(url), patience).await?;
    Ok(read(&visited).1)
}

fn page_request(url: Url) -> HttpRequest {
    let mut request = HttpRequest::new("GET", url);
    request.set_header("Accept", "text/html,application/xhtml+xml");
    request
}

/// What an answer to a visit shows; with the form as it stands there.
fn read(visited: &Visited) -> (Option<RawForm>, Looked) {
    match visited.response.status {
        200..=299 => {}
        404 | 410 => {
            let words = format!("Its page answers {}.", visited.response.status);
            return (None, Looked::Gone(words));
        }
        status @ 400..=499 => {
            return (None, Looked::NoForm(format!("Its page answers {status}.")));
        }
        status => return (None, Looked::Failed(format!("Its page answers {status}."))),
    }
    let text = String::from_utf8_lossy(&visited.response.body);
    let page = Page::read(&markup::tokens(&text));
    let best = page
        .forms
        .iter()
        .filter(|raw| {
            raw.method == "post" && !raw.controls.iter().any(|one| one.kind == "password")
        })
        .map(|raw| (raw, Form::of(raw)))
        .filter(|(_, form)| form.is_application())
        .max_by_key(|(_, form)| form.len());
    match best {
        Some((raw, form)) => {
            let job = job::said(&page.data);
            (Some(raw.clone()), Looked::Form { form, job })
        }
        None if words::says_closed(&page.text) => {
            (None, Looked::Gone("Its page says that the job is closed.".to_owned()))
        }
        None => {
            (None, Looked::NoForm("Its page has no application form that can be read.".to_owned()))
        }
    }
}

/// Why an application cannot be begun.
pub(super) enum NotOpen {
    /// There is no page.
    NoPage(NoPage),
    /// The job is closed.
    Closed(String),
    /// The form is another one than the answers were given for.
    Changed(String),
}

/// What an answer to a filled form says.
pub(super) enum Sent {
    Accepted(String),
    Duplicate(String),
    Closed(String),
    Refused(String),
    /// Nobody can tell.
    Unclear(String),
    /// Nothing has reached the host.
    Unreached(NoPage),
}

/// Fetches the page anew and fills its form in: the request that applies. Nothing of the application goes
/// out yet.
pub(super) async fn open(
    parts: &Parts,
    form: &Form,
    url: &Url,
    answers: &[Answer],
) -> Result<HttpRequest, NotOpen> {
    let patience = Patience::Caller(parts.settings.apply.page_timeout);
    let visited =
        visit(parts, page_request(url.clone()), patience).await.map_err(NotOpen::NoPage)?;
    let (raw, now) = match read(&visited) {
        (Some(raw), Looked::Form { form, .. }) => (raw, form),
        (_, Looked::Gone(words)) => return Err(NotOpen::Closed(words)),
        (_, Looked::Failed(words)) => return Err(NotOpen::NoPage(NoPage::Unreached(words))),
        (_, Looked::NoForm(words)) => return Err(NotOpen::Changed(words)),
        (None, Looked::Form { .. }) => {
            return Err(NotOpen::Changed("Its form is not the one it was.".to_owned()));
        }
    };
    if let Some(words) = form.changed(&now, answers) {
        return Err(NotOpen::Changed(words));
    }
    let unsendable = || NotOpen::Changed("Its form cannot be sent.".to_owned());
    let target = form::target(&raw, &visited.url).ok_or_else(unsendable)?;
    let mut request = HttpRequest::new("POST", target);
    let filled = form.filled(&raw, answers);
    let (kind, body) = written(&raw, &filled).ok_or_else(unsendable)?;
    request.set_header("Content-Type", &kind);
    request.set_header("Referer", visited.url.as_str());
    request.set_header("Origin", &visited.url.origin().ascii_serialization());
    request.set_header("Accept", "text/html,application/xhtml+xml");
    request.body = Some(body.into());
    if request.url.origin() == visited.url.origin() {
        Jar::of(&visited.response).add_to(&mut request);
    }
    Ok(request)
}

/// A filled form as it goes over the wire: its type and its bytes.
fn written(raw: &RawForm, filled: &[Part]) -> Option<(String, Vec<u8>)> {
    if raw.encoding != "multipart/form-data" {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        for part in filled {
            match part {
                Part::Text(name, value) => text.append_pair(name, value),
                // A form that is not made for files sends their names.
                Part::File { name, file_name, .. } => text.append_pair(name, file_name),
            };
        }
        return Some(("application/x-www-form-urlencoded".to_owned(), text.finish().into_bytes()));
    }
    let parts = filled.iter().map(|part| match part {
        Part::Text(name, value) => json!({ "name": name, "value": value }),
        Part::File { name, file_name, content_type, base64 } => json!({
            "name": name, "file_name": file_name, "content_type": content_type, "base64": base64,
        }),
    });
    multipart(&parts.collect()).ok()
}

/// What came of a filled form that was sent.
pub(super) fn judge(posted: &Posted) -> Sent {
    let visited = match posted {
        Posted::Answered(visited) => visited,
        Posted::NotSent(why) => return Sent::Unreached(why.clone()),
        Posted::Unknown(why) => return Sent::Unclear(why.words()),
    };
    let status = visited.response.status;
    let text = String::from_utf8_lossy(&visited.response.body);
    let page = Page::read(&markup::tokens(&text));
    let words = format!("The page answered {status}");
    if words::says_duplicate(&page.text) || status == 409 {
        return Sent::Duplicate(format!("{words} and says that the candidate has applied before."));
    }
    if words::says_closed(&page.text) || matches!(status, 404 | 410) {
        return Sent::Closed(format!("{words} and says that the job is closed."));
    }
    if (200..300).contains(&status) && words::says_success(&page.text) {
        return Sent::Accepted(format!("{words} and thanks for the application."));
    }
    let again = page.forms.iter().any(|raw| Form::of(raw).is_application());
    match status {
        400 | 422 => Sent::Refused(format!("{words}: it does not take the answers.")),
        200..=299 if again => {
            Sent::Refused(format!("{words} with the form again: it does not take the answers."))
        }
        _ => {
            Sent::Unclear(format!("{words}, and nothing that says what became of the application."))
        }
    }
}
