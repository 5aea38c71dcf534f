//! Sending applications: the page is fetched anew, its form filled in, and sent once.
//!
//! Nothing of an application goes out before its stage says so in the database. Whatever happens after
//! that without a clear answer makes it uncertain, and a person settles it: nobody applies twice because
//! a connection broke.

use cadre_apply::Form;
use cadre_connector::HttpRequest;
use cadre_model::fault::{Code, Fault};
use cadre_store::{
    ApplicationStatus, ArchivedReason, Error, ExchangeRow, InteractionKind, LeasedApplication,
    NewInteraction, Posting,
};
use serde_json::{Value, json};

use super::clicks::with_query;
use super::inquire::Kept;
use super::parse::lease_ms;
use super::reading::{self, Sent, Step};
use super::visit::{NoPage, Posted, post};
use crate::settings::Parts;

/// How often the page is tried before a person has to look.
const ATTEMPTS: i64 = 10;
/// The pause after the first attempt that did not reach the page.
const FIRST_PAUSE_MS: i64 = 60_000;
/// Most steps of a form that are sent one after the other.
const STEPS: usize = 8;
/// The longest pause between two attempts.
const LONGEST_PAUSE_MS: i64 = 6 * 3_600_000;

/// What came of an attempt.
enum End {
    /// It is known.
    Known(ApplicationStatus, String),
    /// Nothing of the application went out; it can be tried again.
    Later(String, Option<i64>),
    /// It went out, or cannot be sent as it is: a person has to look.
    Uncertain(String),
    /// Somebody else goes on with it.
    Lost,
}

/// Sends an application, and writes down what came of it.
pub(super) async fn send(parts: &Parts, leased: &LeasedApplication) -> Result<(), Error> {
    let posting = parts.store.posting_get(&leased.scope, &leased.application.posting_id).await?;
    let Some(posting) = posting else {
        let words = "The posting is not there any more.";
        return parts.store.application_end(leased, ApplicationStatus::Failed, Some(words)).await;
    };
    let mut log = SendLog::begin(parts, leased, &posting);
    let end = attempt(parts, leased, &posting, &mut log).await?;
    log.end(parts, &end).await?;
    let store = &parts.store;
    match end {
        End::Known(status, words) => {
            if status == ApplicationStatus::Failed && log.closed {
                let reason = ArchivedReason::TakenOffline;
                store.posting_archive(&leased.scope, &posting.id, reason).await?;
            }
            store.application_end(leased, status, Some(&words)).await
        }
        End::Later(words, _) if leased.application.attempts >= ATTEMPTS => {
            let words = format!("It was tried {ATTEMPTS} times. {words}");
            store.application_uncertain(leased, &words).await
        }
        End::Later(words, wait) => {
            let doubled = FIRST_PAUSE_MS << (leased.application.attempts.clamp(1, 12) - 1);
            let wait = wait.unwrap_or(doubled).min(LONGEST_PAUSE_MS);
            store.application_put_off(leased, parts.clock.now_ms() + wait, &words).await
        }
        End::Uncertain(words) => store.application_uncertain(leased, &words).await,
        End::Lost => Ok(()),
    }
}

async fn attempt(
    parts: &Parts,
    leased: &LeasedApplication,
    posting: &Posting,
    log: &mut SendLog,
) -> Result<End, Error> {
    let failed = |words: &str| Ok(End::Known(ApplicationStatus::Failed, words.to_owned()));
    if posting.archived_at.is_some() {
        return failed("The posting was archived before the application was sent.");
    }
    let form =
        parts.store.posting_form(&leased.scope, &posting.id, &leased.application.form_id).await?;
    let form = form.and_then(|form| Form::read(&form.body).ok());
    let kept = serde_json::from_slice::<Kept>(&leased.content).ok();
    let (Some(form), Some(kept)) = (form, kept) else {
        return Ok(End::Uncertain("What was kept of the application cannot be read.".to_owned()));
    };
    let Some(url) = with_query(&posting.url, &kept.query_params) else {
        return failed("The address of the posting cannot be read.");
    };
    let step = match reading::open(parts, &form, &url, &kept.answers).await {
        Ok(step) => step,
        Err(reading::NotOpen::NoPage(why)) => return Ok(later(why)),
        Err(reading::NotOpen::Closed(words)) => {
            log.closed = true;
            return Ok(End::Known(ApplicationStatus::Failed, words));
        }
        Err(reading::NotOpen::Changed(words)) => return Ok(End::Uncertain(words)),
    };
    if !parts.store.application_sending(leased, lease_ms(parts)).await? {
        return Ok(End::Lost);
    }
    Ok(walk(parts, step, log).await)
}

/// Sends the steps of a form until one of them says what came of the application.
async fn walk(parts: &Parts, first: Step, log: &mut SendLog) -> End {
    let mut step = first;
    for at in 0..STEPS {
        let posted = post(parts, step.request.clone()).await;
        log.exchange(parts, &step.request, &posted);
        return match reading::judge(&posted, &step).await {
            Sent::Accepted(words) => End::Known(ApplicationStatus::Submitted, words),
            Sent::Duplicate(words) => End::Known(ApplicationStatus::Duplicate, words),
            Sent::Closed(words) => {
                log.closed = true;
                End::Known(ApplicationStatus::Failed, words)
            }
            Sent::Refused(words) => End::Known(ApplicationStatus::Failed, words),
            Sent::Unclear(words) => End::Uncertain(words),
            // Once a step has gone out, the whole is not begun again.
            Sent::Unreached(why) if at > 0 => End::Uncertain(why.words()),
            Sent::Unreached(why) => later(why),
            Sent::Further(next) => {
                step = *next;
                continue;
            }
        };
    }
    End::Uncertain(format!("The form goes on and on, more than {STEPS} steps."))
}

fn later(why: NoPage) -> End {
    let wait = match &why {
        NoPage::Busy(wait) | NoPage::Later(_, Some(wait)) => i64::try_from(wait.as_millis()).ok(),
        NoPage::Forbidden => return End::Known(ApplicationStatus::Failed, why.words()),
        NoPage::Later(_, None) | NoPage::Unreached(_) | NoPage::Unanswered(_) => None,
    };
    End::Later(why.words(), wait)
}

/// The interaction of an attempt. What the candidate said is not in it.
struct SendLog {
    interaction: NewInteraction,
    exchanges: Vec<ExchangeRow>,
    closed: bool,
}

impl SendLog {
    fn begin(parts: &Parts, leased: &LeasedApplication, posting: &Posting) -> Self {
        let mut interaction = NewInteraction::new(InteractionKind::Action, parts.clock.now_ms());
        interaction.environment_id = leased.scope.id().to_owned();
        interaction.parent_id = leased.application.interaction_id.clone();
        interaction.title = format!("Application to {}", posting.url);
        interaction.request = Some(json!({
            "application_id": leased.application.id, "posting_id": posting.id,
            "attempt": leased.application.attempts,
        }));
        Self { interaction, exchanges: Vec::new(), closed: false }
    }

    fn exchange(&mut self, parts: &Parts, request: &HttpRequest, posted: &Posted) {
        let (answer, error) = match posted {
            Posted::Answered(visited) => (Some(&visited.response), None),
            Posted::NotSent(why) | Posted::Unknown(why) => (None, Some(why.words())),
        };
        let kind = answer.and_then(|answer| answer.header("content-type")).unwrap_or_default();
        let mut shown = request.url.clone();
        shown.set_query(request.url.query().map(|_| "…"));
        self.exchanges.push(ExchangeRow {
            seq: i64::try_from(self.exchanges.len()).unwrap_or(i64::MAX),
            at: parts.clock.now_ms(),
            method: request.method.clone(),
            url: shown.to_string(),
            request_headers: json!({ "content-type": request.header("content-type") }),
            request_body: None,
            status: answer.map(|answer| answer.status),
            response_headers: json!({ "content-type": kind }),
            response_body: None,
            duration_ms: 0,
            rule: None,
            error,
        });
    }

    async fn end(&mut self, parts: &Parts, end: &End) -> Result<(), Error> {
        let (words, code) = match end {
            End::Known(ApplicationStatus::Failed, words) => (words, Some(Code::RemoteInputInvalid)),
            End::Known(_, words) => (words, None),
            End::Later(words, _) => (words, Some(Code::RemoteServiceUnavailable)),
            End::Uncertain(words) => (words, Some(Code::RemoteUnknownHttpError)),
            End::Lost => return Ok(()),
        };
        self.interaction.fault = code.map(|code| Fault::new(code, words.as_str()));
        self.interaction.response = Some(Value::from(words.as_str()));
        self.interaction.ended_at = Some(parts.clock.now_ms());
        parts.store.interaction_write(self.interaction.clone()).await?;
        parts.store.exchange_write(&self.interaction.id, &self.exchanges).await
    }
}
