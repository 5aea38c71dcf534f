//! `/v1/ai-apply/postings/{posting_id}/inquire` and `/v1/ai-apply/apply`: a form, and applying with it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_jobs::apply::{Answer, Clicks, Order, inquire};
use cadre_model::email::is_email;
use cadre_model::time::wire;
use cadre_store::Application;
use serde::Serialize;
use serde_json::Value;

use super::postings::find;
use crate::body::{Asked, JsonBody};
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart};
use crate::state::AppState;

/// Most further visits of one application.
const MOST_CLICKS: u64 = 30;
/// Over how many minutes they are spread when nothing is said.
const USUAL_MINUTES: u32 = 60;
/// Over how many minutes they can be spread at most: a month.
const MOST_MINUTES: u64 = 31 * 24 * 60;

/// A form.
#[derive(Debug, Serialize)]
pub struct FormOut {
    application_form: Value,
    submission_token: String,
}

/// An application that was taken in.
#[derive(Debug, Serialize)]
pub struct AppliedOut {
    id: String,
    posting_id: String,
    status: &'static str,
    created_at: String,
    updated_at: String,
}

impl From<&Application> for AppliedOut {
    fn from(application: &Application) -> Self {
        Self {
            id: application.id.clone(),
            posting_id: application.posting_id.clone(),
            status: application.status.as_str(),
            created_at: wire(application.created_at),
            updated_at: wire(application.updated_at),
        }
    }
}

/// Hands the form of a posting out.
pub async fn form(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(id): PathPart,
) -> Result<Data<FormOut>, Refused> {
    let posting = find(&state, &caller, &id).await?;
    let handed = inquire::inquire(&state.parts, &caller.scope, &posting).await?;
    Ok(Data(FormOut { application_form: handed.blocks, submission_token: handed.token }))
}

/// Applies with a form that was handed out.
pub async fn apply(
    State(state): State<AppState>,
    caller: Caller,
    Extension(call): Extension<Arc<Call>>,
    body: JsonBody,
) -> Result<Data<AppliedOut>, Refused> {
    let mut asked = Asked::of(&body);
    let token = asked.text("submission_token", "a token that came with a form", |_| true);
    let email = asked.text("candidate_email", "an e-mail address", is_email);
    let answers = answers(&body, &mut asked);
    let query_params = query_params(&body, &mut asked);
    let clicks = clicks(&body, &mut asked);
    asked.end()?;
    let order = Order {
        token: token.unwrap_or_default().to_owned(),
        candidate_email: email.unwrap_or_default().to_owned(),
        answers,
        query_params,
        clicks,
        interaction_id: call.id.clone(),
    };
    let placed = inquire::apply(&state.parts, &caller.scope, order).await?;
    Ok(Data(placed.application().into()))
}

fn answers(body: &JsonBody, asked: &mut Asked<'_>) -> Vec<Answer> {
    let expected = "a list of objects with `question_id` and `answer`";
    let Some(Value::Array(given)) = body.0.get("screening_question_answers") else {
        asked.wrong("screening_question_answers", expected);
        return Vec::new();
    };
    let mut answers = Vec::new();
    for (at, one) in given.iter().enumerate() {
        match (one["question_id"].as_str(), one.get("answer").filter(|answer| !answer.is_null())) {
            (Some(id), Some(answer)) => {
                answers.push(Answer { question_id: id.to_owned(), answer: answer.clone() });
            }
            _ => {
                let place = format!("screening_question_answers[{at}]");
                asked.wrong(&place, "an object with `question_id` and `answer`");
            }
        }
    }
    answers
}

pub(super) fn query_params(body: &JsonBody, asked: &mut Asked<'_>) -> Vec<(String, String)> {
    let expected = "an object whose values are texts";
    match body.0.get("query_params") {
        None => Vec::new(),
        Some(Value::Object(given)) if given.values().all(Value::is_string) => {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            given.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        }
        Some(_) => {
            asked.wrong("query_params", expected);
            Vec::new()
        }
    }
}

fn clicks(body: &JsonBody, asked: &mut Asked<'_>) -> Option<Clicks> {
    let count = body.0.get("additional_clicks").map(|value| value.as_u64());
    let minutes = body.0.get("additional_clicks_scatter_duration").map(|value| value.as_u64());
    if count.is_some_and(|count| count.is_none_or(|count| count > MOST_CLICKS)) {
        asked.wrong("additional_clicks", &format!("a whole number from 0 to {MOST_CLICKS}"));
    }
    let name = "additional_clicks_scatter_duration";
    if minutes.is_some_and(|minutes| {
        !minutes.is_some_and(|minutes| (1..=MOST_MINUTES).contains(&minutes))
    }) {
        asked.wrong(name, &format!("a whole number of minutes from 1 to {MOST_MINUTES}"));
    } else if minutes.is_some() && count.is_none() {
        asked.wrong(name, "nothing without `additional_clicks`");
    }
    let count = u32::try_from(count.flatten()?).ok().filter(|count| *count > 0)?;
    let minutes = minutes.flatten().and_then(|minutes| u32::try_from(minutes).ok());
    Some(Clicks { count, minutes: minutes.unwrap_or(USUAL_MINUTES) })
}
