//! From the address of a posting to its form, and from a filled form to what came of it.
//!
//! What a page means is decided in the crate `cadre-apply`; here is what has to be fetched for that.

use std::sync::Arc;

use cadre_apply::{Answer, Form, Outcome, Page, Posted as Listed, Sheet, Shows, outcome};
use cadre_connector::HttpRequest;
use serde_json::{Value, json};
use url::Url;

use super::visit::{NoPage, Patience, Posted, Visited, visit};
use crate::settings::Parts;

/// Most pages from the posting to its form.
const PAGES: usize = 4;
const HTML: &str = "text/html,application/xhtml+xml";

/// What a posting shows.
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

/// A form where it stands.
struct Found {
    form: Form,
    sheet: Box<Sheet>,
    /// The visit that brought it.
    visited: Visited,
}

/// What the way from a posting to its form ends with.
enum Way {
    Form(Found),
    NoForm(String),
    Gone(String),
    Failed(String),
}

/// Looks at a posting.
pub(super) async fn look(parts: &Parts, url: &str, patience: Patience) -> Result<Looked, NoPage> {
    let Ok(url) = Url::parse(url) else {
        return Ok(Looked::NoForm("Its address cannot be read.".to_owned()));
    };
    let (way, job) = follow(parts, url, patience).await?;
    Ok(match way {
        Way::Form(found) => Looked::Form { form: found.form, job },
        Way::NoForm(words) => Looked::NoForm(words),
        Way::Gone(words) => Looked::Gone(words),
        Way::Failed(words) => Looked::Failed(words),
    })
}

/// Goes from the page of a posting to the page with its form; and what the pages say of the job.
async fn follow(parts: &Parts, url: Url, patience: Patience) -> Result<(Way, Value), NoPage> {
    let mut job = json!({});
    let board = ask_board(parts, &url, patience).await?;
    let mut request = page_request(url);
    let is_missing = matches!(&board, Some((None, _)));
    if let Some((Some(posted), visited)) = board {
        job = posted.job;
        if let Some((form, sheet)) = posted.form {
            return Ok((Way::Form(Found { form, sheet, visited }), job));
        }
        request.url =
            posted.page.map_or(request.url.clone(), |page| with_query_of(page, &request.url));
    }
    for _ in 0..PAGES {
        let visited = visit(parts, request, patience).await?;
        if let Some(way) = refused(visited.response.status) {
            return Ok((way, job));
        }
        let (shows, said) = read(&visited).await;
        merge(&mut job, said);
        match shows {
            Shows::Form(form, sheet) => {
                return Ok((Way::Form(Found { form, sheet, visited }), job));
            }
            Shows::Closed(words) => return Ok((Way::Gone(words), job)),
            Shows::Nothing(words) if is_missing => {
                return Ok((Way::Gone(format!("Its board does not list it. {words}")), job));
            }
            Shows::Nothing(words) if is_past(parts, &job) => {
                let words = format!("Its time to apply is over. {words}");
                return Ok((Way::Gone(words), job));
            }
            Shows::Nothing(words) => return Ok((Way::NoForm(words), job)),
            Shows::Elsewhere(next) => request = visited.onward(page_request(next)),
        }
    }
    let words = format!("It leads from page to page, more than {PAGES}, without a form.");
    Ok((Way::NoForm(words), job))
}

/// What the job board of a posting says of it; `None` where it is on none that is known, or where the board
/// has no word that can be read: the page is what counts then. A posting that the board does not have is
/// `None` beside the visit.
async fn ask_board(
    parts: &Parts,
    url: &Url,
    patience: Patience,
) -> Result<Option<(Option<Listed>, Visited)>, NoPage> {
    let boards = parts.settings.apply.boards.clone();
    let Some(read) = boards.find(url).map(|on| on.read.clone()) else { return Ok(None) };
    let mut request = HttpRequest::new("GET", read);
    request.set_header("Accept", "application/json, application/xml;q=0.9");
    let visited = match visit(parts, request, patience).await {
        Ok(visited) if visited.response.status == 200 => visited,
        Err(busy @ NoPage::Busy(_)) => return Err(busy),
        Ok(_) | Err(_) => return Ok(None),
    };
    let (url, body) = (url.clone(), visited.response.body.clone());
    let reading = tokio::task::spawn_blocking(move || boards.find(&url).map(|on| on.posted(&body)));
    match reading.await {
        Ok(Some(Ok(posted))) => Ok(Some((posted, visited))),
        Ok(Some(Err(why))) => {
            tracing::warn!(
                why,
                host = visited.url.host_str(),
                "a job board answered in another shape"
            );
            Ok(None)
        }
        Ok(None) | Err(_) => Ok(None),
    }
}

/// An address with the parameters of another one that it does not have itself.
fn with_query_of(mut page: Url, other: &Url) -> Url {
    let known: Vec<String> = page.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let more: Vec<(String, String)> = other
        .query_pairs()
        .filter(|(name, _)| known.iter().all(|known| known != name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if !more.is_empty() {
        page.query_pairs_mut().extend_pairs(more);
    }
    page
}

fn page_request(url: Url) -> HttpRequest {
    let mut request = HttpRequest::new("GET", url);
    request.set_header("Accept", HTML);
    request
}

/// What a status other than success means for the posting.
fn refused(status: u16) -> Option<Way> {
    let words = format!("Its page answers {status}.");
    match status {
        200..=299 => None,
        404 | 410 => Some(Way::Gone(words)),
        400..=499 => Some(Way::NoForm(words)),
        _ => Some(Way::Failed(words)),
    }
}

/// What an answer shows. Reading takes milliseconds for most pages and longer for some, and is done where
/// it keeps nobody waiting.
async fn read(visited: &Visited) -> (Shows, Value) {
    let url = visited.url.clone();
    let kind = visited.response.header("content-type").map(str::to_owned);
    let body = visited.response.body.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let page = Page::read(&url, kind.as_deref(), &body);
        (page.shows(), page.job())
    });
    reading
        .await
        .unwrap_or_else(|_| (Shows::Nothing("Its page cannot be read.".to_owned()), Value::Null))
}

/// Takes over what a further page says and no page before has said.
fn merge(job: &mut Value, said: Value) {
    let (Some(known), Value::Object(said)) = (job.as_object_mut(), said) else { return };
    for (name, value) in said {
        let entry = known.entry(name).or_insert(Value::Null);
        if entry.is_null() {
            *entry = value;
        }
    }
}

/// Whether the last day on which one could apply is over.
fn is_past(parts: &Parts, job: &Value) -> bool {
    let day = job["closed_at"].as_str().and_then(|text| text.get(..10)?.parse().ok());
    let today = jiff::Timestamp::from_millisecond(parts.clock.now_ms())
        .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    day.zip(today.ok()).is_some_and(|(day, today): (jiff::civil::Date, _)| day < today)
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

/// An application on its way: the request of its next step.
pub(super) struct Step {
    pub request: HttpRequest,
    /// The form of the step, and its answers.
    form: Arc<Form>,
    answers: Vec<Answer>,
}

/// What an answer to a filled form says.
pub(super) enum Sent {
    Accepted(String),
    Duplicate(String),
    Closed(String),
    Refused(String),
    /// There is one more step.
    Further(Box<Step>),
    /// Nobody can tell.
    Unclear(String),
    /// Nothing has reached the host.
    Unreached(NoPage),
}

/// Fetches the page anew and fills its form in. Nothing of the application goes out yet.
pub(super) async fn open(
    parts: &Parts,
    form: &Form,
    url: &Url,
    answers: &[Answer],
) -> Result<Step, NotOpen> {
    let patience = Patience::Caller(parts.settings.apply.page_timeout);
    let (way, _) = follow(parts, url.clone(), patience).await.map_err(NotOpen::NoPage)?;
    let found = match way {
        Way::Form(found) => found,
        Way::Gone(words) => return Err(NotOpen::Closed(words)),
        Way::Failed(words) => return Err(NotOpen::NoPage(NoPage::Unreached(words))),
        Way::NoForm(words) => return Err(NotOpen::Changed(words)),
    };
    if let Some(words) = form.changed(&found.form, answers) {
        return Err(NotOpen::Changed(words));
    }
    let request = filled(&found.sheet, form, answers, &found.visited)
        .ok_or_else(|| NotOpen::Changed("Its form cannot be sent.".to_owned()))?;
    Ok(Step { request, form: Arc::new(form.clone()), answers: answers.to_vec() })
}

/// The request that sends a filled form as a browser would.
fn filled(sheet: &Sheet, form: &Form, answers: &[Answer], page: &Visited) -> Option<HttpRequest> {
    let sent = sheet.submission(form, answers)?;
    let mut request = HttpRequest::new(sent.method, sent.url);
    request.set_header("Accept", HTML);
    if let Some(kind) = &sent.content_type {
        request.set_header("Content-Type", kind);
        request.set_header("Origin", &page.url.origin().ascii_serialization());
        request.body = Some(sent.body.into());
    }
    Some(page.onward(request))
}

/// What came of a step that was sent.
pub(super) async fn judge(posted: &Posted, step: &Step) -> Sent {
    let visited = match posted {
        Posted::Answered(visited) => visited,
        Posted::NotSent(why) => return Sent::Unreached(why.clone()),
        Posted::Unknown(why) => return Sent::Unclear(why.words()),
    };
    let status = visited.response.status;
    let words = format!("The page answered {status}");
    match said(visited, step).await {
        Some(Outcome::Accepted) => {
            Sent::Accepted(format!("{words} and thanks for the application."))
        }
        Some(Outcome::Duplicate) => {
            Sent::Duplicate(format!("{words} and says that the candidate has applied before."))
        }
        Some(Outcome::Closed) => Sent::Closed(format!("{words} and says that the job is closed.")),
        Some(Outcome::Refused(why)) => Sent::Refused(format!("{words}. {why}")),
        Some(Outcome::Further(form, sheet)) => further(step, form, &sheet, visited, &words),
        Some(Outcome::Unclear) | None => {
            Sent::Unclear(format!("{words}, and nothing that says what became of the application."))
        }
    }
}

async fn said(visited: &Visited, step: &Step) -> Option<Outcome> {
    let url = visited.url.clone();
    let kind = visited.response.header("content-type").map(str::to_owned);
    let (body, status) = (visited.response.body.clone(), visited.response.status);
    let form = step.form.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let page = Page::read(&url, kind.as_deref(), &body);
        outcome(&page, &body, status, &form)
    });
    reading.await.ok()
}

/// The next step, where what was answered before is enough for it.
fn further(step: &Step, form: Form, sheet: &Sheet, page: &Visited, words: &str) -> Sent {
    match step.form.carried(&step.answers, &form) {
        Err(missing) => Sent::Unclear(format!("{words} with a further step. {missing}")),
        Ok(answers) => match filled(sheet, &form, &answers, page) {
            Some(request) => {
                // Later steps can ask again for what this one has not asked for.
                let (form, answers) = step.form.joined(&step.answers, form, answers);
                Sent::Further(Box::new(Step { request, form: Arc::new(form), answers }))
            }
            None => Sent::Unclear(format!("{words} with a further step that cannot be sent.")),
        },
    }
}
