//! Handing a form out, and taking an application with it in.
//!
//! The token that goes with a form says which environment, posting and version of the form it is for and
//! when it ends. It is sealed under the master key and stored nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_apply::{Answer, Form};
use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_model::time::wire;
use cadre_store::{
    EnvironmentScope, NewApplication, PlacedApplication, Posting, PostingForm, Seen,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::clicks::Clicks;
use super::parse::{self, next_look};
use super::unified::Candidacy;
use super::visit::{NoPage, Patience};
use crate::settings::Parts;

const TOKEN: &str = "submission";

/// A form that was handed out.
#[derive(Debug)]
pub struct HandedOut {
    /// The blocks of the form, as callers know them.
    pub blocks: Value,
    /// What to apply with.
    pub token: String,
}

/// An application as a caller asks for it.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// What came with the form; nothing for an application as an ATS takes it.
    pub token: String,
    /// Who applies; an address.
    pub candidate_email: String,
    /// Answers by the id of their question.
    pub answers: Vec<Answer>,
    /// Parameters that are added to the address of the page.
    pub query_params: Vec<(String, String)>,
    /// Further visits of the page.
    pub clicks: Option<Clicks>,
    /// The interaction of the call.
    pub interaction_id: String,
}

/// What is kept of an application until it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub answers: Vec<Answer>,
    pub query_params: Vec<(String, String)>,
}

/// What a token holds. Short names: callers carry it about.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    #[serde(rename = "v")]
    environment_id: String,
    #[serde(rename = "p")]
    posting_id: String,
    #[serde(rename = "f")]
    form_id: String,
    #[serde(rename = "n")]
    nonce: String,
    #[serde(rename = "e")]
    ends_at: i64,
}

/// Hands the form of a posting out, after a look at its page where the last one was a while ago.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` when nobody can apply to the posting; `REMOTE.SERVICE_UNAVAILABLE` or
/// `REMOTE.RATE_LIMIT_EXCEEDED` when its page cannot be had just now and no form is known.
pub async fn inquire(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
) -> Result<HandedOut, Fault> {
    let (form_id, form) = current(parts, scope, posting).await?;
    hand_out(parts, scope, &posting.id, &form_id, &form).await
}

/// Hands out the form that is known, without a look at the page; `None` when there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn stored(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
) -> Result<Option<Form>, Fault> {
    let Some(id) = &posting.form_id else { return Ok(None) };
    let form = parts.store.posting_form(scope, &posting.id, id).await.map_err(Fault::unknown)?;
    form.map(read).transpose()
}

async fn hand_out(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting_id: &str,
    form_id: &str,
    form: &Form,
) -> Result<HandedOut, Fault> {
    let noted = parts.store.posting_form_handed_out(scope, posting_id, form_id).await;
    noted.map_err(Fault::unknown)?;
    let lasts = i64::try_from(parts.settings.apply.token_lasts.as_millis()).unwrap_or(i64::MAX / 2);
    let token = Token {
        environment_id: scope.id().to_owned(),
        posting_id: posting_id.to_owned(),
        form_id: form_id.to_owned(),
        nonce: random_id(),
        ends_at: parts.clock.now_ms() + lasts,
    };
    let content = serde_json::to_vec(&token).map_err(Fault::unknown)?;
    let token = URL_SAFE_NO_PAD.encode(parts.store.ticket_seal(TOKEN, &content));
    Ok(HandedOut { blocks: form.blocks(), token })
}

/// The form as the page has it, or as it was last read where the page cannot be had.
async fn current(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
) -> Result<(String, Form), Fault> {
    if posting.archived_at.is_some() {
        return Err(over(posting));
    }
    let fresh_ms =
        i64::try_from(parts.settings.apply.fresh_for.as_millis()).unwrap_or(i64::MAX / 2);
    let fresh = posting.parsed_at.is_some_and(|at| at + fresh_ms > parts.clock.now_ms());
    if let (true, Some(id), Some(form)) = (
        fresh && posting.parse_failures == 0,
        &posting.form_id,
        stored(parts, scope, posting).await?,
    ) {
        return Ok((id.clone(), form));
    }
    let patience = Patience::Caller(parts.settings.live_timeout / 2);
    let looked = parse::look(parts, scope, posting, patience).await;
    let trouble = match looked {
        Ok(seen) => {
            let next = next_look(parts, posting, &seen);
            let written = parts.store.posting_seen(scope, &posting.id, &seen, next).await;
            written.map_err(Fault::unknown)?;
            match seen {
                Seen::Form { id, body, .. } => {
                    // What was stored under the id before counts: it may say more than was read just now.
                    let kept = parts.store.posting_form(scope, &posting.id, &id).await;
                    let body = kept.map_err(Fault::unknown)?.map_or(body, |kept| kept.body);
                    let form = Form::read(&body).map_err(Fault::unknown)?;
                    return Ok((id, form));
                }
                Seen::Gone(why) => return Err(refused(format!("The posting is over: {why}"))),
                Seen::NoForm(why) => refused(format!("Nobody can apply to the posting: {why}")),
                Seen::Failed(why) => Fault::new(Code::RemoteServiceUnavailable, why),
            }
        }
        Err(NoPage::Busy(wait)) => {
            let words = "The host of the posting is being asked as often as it should be.";
            Fault::new(Code::RemoteRateLimitExceeded, words).retry_after(wait.as_secs().max(1))
        }
        Err(NoPage::Forbidden) => refused(NoPage::Forbidden.words()),
        Err(other) => Fault::new(Code::RemoteServiceUnavailable, other.words()),
    };
    match (&posting.form_id, stored(parts, scope, posting).await?) {
        (Some(id), Some(form)) => Ok((id.clone(), form)),
        _ => Err(trouble),
    }
}

fn over(posting: &Posting) -> Fault {
    let at = posting.archived_at.map(wire).unwrap_or_default();
    let reason = posting.archived_reason.map_or("no reason is known", |reason| reason.as_str());
    refused(format!("The posting `{}` is archived since {at} ({reason}).", posting.id))
}

fn refused(words: String) -> Fault {
    Fault::new(Code::PlatformInputInvalid, words)
        .hint("Look at `availability` in the list of postings before asking for a form.")
}

fn read(form: PostingForm) -> Result<Form, Fault> {
    Form::read(&form.body).map_err(Fault::unknown)
}

/// Takes an application in: checks it against the very form that its token was handed out with, keeps
/// it, and leaves sending to the queue.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` that names everything that is wrong.
pub async fn apply(
    parts: &Parts,
    scope: &EnvironmentScope,
    order: Order,
) -> Result<PlacedApplication, Fault> {
    let token = open(parts, scope, &order.token)?;
    let form = parts.store.posting_form(scope, &token.posting_id, &token.form_id).await;
    let form = form.map_err(Fault::unknown)?.ok_or_else(|| {
        wrong_token("expected the token of a form that is still kept; ask for the form again")
    })?;
    let posting =
        parts.store.posting_get(scope, &token.posting_id).await.map_err(Fault::unknown)?;
    let posting = posting
        .ok_or_else(|| wrong_token("expected the token of a posting of this environment"))?;
    let form = (token.form_id, read(form)?);
    keep(parts, scope, &posting, form, (&token.nonce, order)).await
}

/// Takes an application in as an ATS would: the form is the one that the page has now, and what the
/// candidate says answers its questions.
///
/// # Errors
///
/// As [`apply`] and [`inquire`].
pub async fn apply_as_candidate(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
    candidacy: &Candidacy,
    mut order: Order,
) -> Result<PlacedApplication, Fault> {
    let form = current(parts, scope, posting).await?;
    order.answers = candidacy.answers(&form.1.blocks());
    keep(parts, scope, posting, form, ("", order)).await
}

/// Checks the answers of an application against a form, and keeps it.
async fn keep(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
    (form_id, form): (String, Form),
    (nonce, order): (&str, Order),
) -> Result<PlacedApplication, Fault> {
    let problems = form.check(&order.answers);
    if !problems.is_empty() {
        let words = format!("Invalid request: {}.", problems.join("; "));
        return Err(Fault::new(Code::PlatformInputInvalid, words));
    }
    if posting.archived_at.is_some() {
        return Err(over(posting));
    }
    let answers = json!([order.answers, order.query_params]).to_string();
    let kept = Kept { answers: order.answers, query_params: order.query_params };
    let new = NewApplication {
        posting_id: posting.id.clone(),
        form_id,
        candidate: digest(&[scope.id(), &order.candidate_email.trim().to_lowercase()]),
        request: digest(&[nonce, &order.candidate_email, &answers]),
        content: serde_json::to_vec(&kept).map_err(Fault::unknown)?,
        interaction_id: order.interaction_id,
    };
    let placed = parts.store.application_place(scope, &new).await.map_err(Fault::unknown)?;
    if let (PlacedApplication::Queued(application), Some(clicks)) = (&placed, order.clicks) {
        let query = &kept.query_params;
        clicks.plan(parts, scope, application, query).await.map_err(Fault::unknown)?;
    }
    Ok(placed)
}

fn open(parts: &Parts, scope: &EnvironmentScope, text: &str) -> Result<Token, Fault> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok();
    let content = sealed.and_then(|sealed| parts.store.ticket_open(TOKEN, &sealed));
    let token: Option<Token> = content.and_then(|content| serde_json::from_slice(&content).ok());
    // A token of another environment is as unknown as one that nobody made.
    let token = token.filter(|token| token.environment_id == scope.id());
    let token = token.ok_or_else(|| wrong_token("expected a token that came with a form"))?;
    if token.ends_at <= parts.clock.now_ms() {
        let at = wire(token.ends_at);
        return Err(wrong_token(&format!(
            "expected a token that holds, got one that ended at {at}"
        )));
    }
    Ok(token)
}

fn wrong_token(words: &str) -> Fault {
    let words = format!("Invalid request: `body.submission_token`: {words}.");
    Fault::new(Code::PlatformInputInvalid, words)
        .hint("Ask for the form again with `POST /ai-apply/postings/{posting_id}/inquire`.")
}

/// A digest of texts, each with its length, so that no two lists run together.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hasher.finalize())
}
