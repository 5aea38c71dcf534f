//! Assessments that are ordered in a customer's tool.
//!
//! The tool calls us: its connector says under `assessment` what its requests mean. An order is stored
//! with its event in one transaction. What the receiver of the event answers decides: 422 rejects the
//! order, with words for the people in the tool; an `assessment_url` is where the candidate is sent. The
//! tool waits for that answer for a moment; without one the order stands.

use std::time::Duration;

use cadre_connector::manifest::{AssessmentCall, AssessmentRequest, AssessmentSection};
use cadre_jq::Vars;
use cadre_model::fault::{Code, Fault};
use cadre_store::{
    AssessmentOrder, EndpointState, Event, EventType, Integration, IntegrationScope,
    IntegrationStatus, InteractionKind, NewInteraction, NewOrder, Package,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::hooks::{Incoming, form, headers, proved};
use crate::settings::Parts;
use crate::webhooks::Outcome;

/// How long a tool waits for the receiver of an order.
const WAIT: Duration = Duration::from_secs(5);
/// The same where the candidate waits too; tools give up after fifteen seconds.
const WAIT_INLINE: Duration = Duration::from_secs(12);
/// How often is looked whether the receiver has answered.
const LOOK: Duration = Duration::from_millis(100);
/// Longest words of a rejection, in characters.
const WORDS: usize = 1_000;
/// Longest body that is kept in the log, in characters.
const KEPT: usize = 16 * 1024;

/// A call of a tool below its address.
#[derive(Debug, Clone)]
pub struct Called {
    /// The method, in upper case.
    pub method: String,
    /// The last part of the address.
    pub request: String,
    /// The query, as it came.
    pub query: String,
    /// Headers and body.
    pub incoming: Incoming,
}

/// What a tool is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// Why an order is not taken by us.
fn unfit(packages: &[Package], order: &NewOrder) -> Option<String> {
    if !packages.iter().any(|package| package.id == order.package_id) {
        return Some(format!("There is no package `{}`.", order.package_id));
    }
    let email = order.body["candidate"]["email"].as_str();
    let fits = email.is_some_and(cadre_model::email::is_email);
    (!fits).then(|| "The candidate has no e-mail address.".to_owned())
}

/// Answers a call; `None` when nothing is to be learnt from it: the address is nobody's, or the call proves
/// nothing.
///
/// # Errors
///
/// When the database fails; the tool is to call again.
pub async fn serve(
    parts: &Parts,
    token: &str,
    called: &Called,
) -> Result<Option<Answered>, cadre_store::Error> {
    let store = &parts.store;
    let Some((scope, hook)) = store.system_hook(token).await? else { return Ok(None) };
    let Some(integration) = store.integration_get(&scope).await? else { return Ok(None) };
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(None) };
    let manifest = entry.connector.manifest();
    let Some(section) = &manifest.assessment else { return Ok(None) };
    let query = form(called.query.as_bytes());
    let text = String::from_utf8_lossy(&called.incoming.body);
    let mut log = NewInteraction {
        environment_id: scope.environment_id().to_owned(),
        integration_id: Some(scope.id().to_owned()),
        title: format!(
            "{} asks: {}",
            manifest.label,
            called.request.chars().take(60).collect::<String>()
        ),
        method: Some(called.method.clone()),
        request: Some(json!({
            "query": query, "body": text.chars().take(KEPT).collect::<String>(),
        })),
        ..NewInteraction::new(InteractionKind::WebhookIn, parts.clock.now_ms())
    };
    let answered = if proved(&section.proof, &hook, &called.incoming, &integration.settings) {
        store.hook_called(&scope).await?;
        Some(answer(parts, &scope, &integration, section, (called, query)).await?)
    } else {
        let words = "The call does not prove that it comes from the tool.";
        log.fault = Some(Fault::new(Code::PlatformAuthenticationInvalid, words));
        None
    };
    log.status = Some(answered.as_ref().map_or(401, |answered| answered.status));
    log.response = answered.as_ref().map(|answered| answered.body.clone());
    log.ended_at = Some(parts.clock.now_ms());
    store.interaction_write(log).await?;
    Ok(answered)
}

async fn answer(
    parts: &Parts,
    scope: &IntegrationScope,
    integration: &Integration,
    section: &AssessmentSection,
    (called, query): (&Called, Value),
) -> Result<Answered, cadre_store::Error> {
    let known = section.requests.get(&called.request);
    let Some(request) = known.filter(|request| request.method.as_str() == called.method) else {
        return Ok(plain(404, "There is no such request."));
    };
    if integration.status == IntegrationStatus::Inactive {
        return Ok(plain(403, "The integration is switched off."));
    }
    let packages = parts.store.assessment_packages(scope).await?;
    let body: Value = serde_json::from_slice(&called.incoming.body).unwrap_or_default();
    let asked = json!({ "query": query, "body": body });
    let headers = headers(&called.incoming);
    let vars = Vars::new().with("$settings", &integration.settings).with("$headers", &headers);
    let of = |expression: &Option<cadre_connector::manifest::Expression>, input: &Value| {
        let Some(expression) = expression else { return Ok(json!({})) };
        expression.value(input, &vars).map_err(|error| plain(400, &error.to_string()))
    };
    let made = match request.does {
        AssessmentCall::Complaint => of(&request.answer, &asked),
        AssessmentCall::ListPackages => {
            of(&request.answer, &json!({ "packages": shown(&packages) }))
        }
        AssessmentCall::Status => {
            let id = match of(&request.order_id, &asked) {
                Ok(id) => id.as_str().unwrap_or_default().to_owned(),
                Err(refusal) => return Ok(refusal),
            };
            match parts.store.assessment_order(scope, &id).await? {
                Some(order) => of(&request.answer, &json!({ "order": whole(&order) })),
                None => Ok(Value::Null),
            }
        }
        AssessmentCall::Order => {
            let order = match of(&request.order, &asked) {
                Ok(order) => read(&order),
                Err(refusal) => return Ok(refusal),
            };
            return placed(parts, scope, request, &packages, &order, &of).await;
        }
    };
    Ok(match made {
        Ok(Value::Null) => plain(404, "There is no such order."),
        Ok(body) => Answered { status: 200, body },
        Err(refusal) => refusal,
    })
}

/// Stores an order and waits for what its receiver says.
async fn placed(
    parts: &Parts,
    scope: &IntegrationScope,
    request: &AssessmentRequest,
    packages: &[Package],
    new: &NewOrder,
    of: &impl Fn(&Option<cadre_connector::manifest::Expression>, &Value) -> Result<Value, Answered>,
) -> Result<Answered, cadre_store::Error> {
    let refused = |reason: &str, order: Value| {
        let body = of(&request.rejected, &json!({ "reason": reason, "order": order }));
        body.map_or_else(
            |refusal| refusal,
            |body| Answered { status: request.rejected_status, body },
        )
    };
    if let Some(reason) = unfit(packages, new) {
        return Ok(refused(&reason, Value::Null));
    }
    let order = place(parts, scope, new).await?;
    if let Some(reason) = &order.rejection {
        return Ok(refused(reason, whole(&order)));
    }
    if order.inline && order.assessment_url.is_none() {
        return Ok(plain(
            504,
            "The receiver of the order did not say in time where the candidate is sent.",
        ));
    }
    let body = of(&request.answer, &json!({ "order": whole(&order) }));
    Ok(body.map_or_else(|refusal| refusal, |body| Answered { status: 200, body }))
}

/// Stores an order, and waits for a moment for what its receiver says.
async fn place(
    parts: &Parts,
    scope: &IntegrationScope,
    new: &NewOrder,
) -> Result<AssessmentOrder, cadre_store::Error> {
    let store = &parts.store;
    let mut order = store.assessment_order_create(scope, new).await?;
    let until = Instant::now() + if new.inline { WAIT_INLINE } else { WAIT };
    let heard = listens(parts, scope, new.inline).await?;
    loop {
        order = store.assessment_order(scope, &order.id).await?.unwrap_or(order);
        if !heard || order.answered_at.is_some() || Instant::now() >= until {
            return Ok(order);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether somebody is told of orders at all.
async fn listens(
    parts: &Parts,
    scope: &IntegrationScope,
    inline: bool,
) -> Result<bool, cadre_store::Error> {
    let Some(environment) = parts.store.system_scope(scope.environment_id()).await? else {
        return Ok(false);
    };
    let wanted = match inline {
        true => EventType::InlineAssessmentOrderReceived,
        false => EventType::AssessmentOrderReceived,
    };
    let endpoints = parts.store.endpoint_list(&environment).await?;
    Ok(endpoints.iter().any(|endpoint| {
        endpoint.state == EndpointState::Enabled
            && (endpoint.types.is_empty() || endpoint.types.contains(&wanted))
    }))
}

/// An order that a person makes in the dashboard, for tools whose connector allows that.
///
/// # Errors
///
/// Why it is not taken; the inner error when the database fails.
pub async fn order_by_hand(
    parts: &Parts,
    scope: &IntegrationScope,
    order: &Value,
) -> Result<Result<String, String>, cadre_store::Error> {
    let new = read(order);
    let packages = parts.store.assessment_packages(scope).await?;
    if let Some(reason) = unfit(&packages, &new) {
        return Ok(Err(reason));
    }
    Ok(Ok(parts.store.assessment_order_create(scope, &new).await?.id))
}

/// What the receiver of an event said, where the event is an order. A rejection is an answer like any
/// other: the message is not sent again.
pub(crate) async fn heard(parts: &Parts, event: &Event, mut outcome: Outcome) -> Outcome {
    let ordered = [EventType::AssessmentOrderReceived, EventType::InlineAssessmentOrderReceived];
    let rejected = outcome.status == Some(422);
    if !ordered.contains(&event.event_type) || !(outcome.delivered || rejected) {
        return outcome;
    }
    let said: Value =
        serde_json::from_str(outcome.answer.as_deref().unwrap_or_default()).unwrap_or_default();
    let message = ["/message", "/error/message", "/data/message"].into_iter();
    let message = message.filter_map(|place| said.pointer(place)?.as_str()).next();
    let message: String =
        message.unwrap_or("The order was rejected.").chars().take(WORDS).collect();
    let url = said["assessment_url"].as_str().filter(|text| {
        url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
    });
    let store = &parts.store;
    let integration_id = event.integration_id.as_deref().unwrap_or_default();
    let noted = async {
        let Some(scope) = store.system_integration_scope(integration_id).await? else {
            return Ok(());
        };
        let id = event.payload["id"].as_str().unwrap_or_default();
        let rejection = rejected.then_some(message.as_str());
        store.assessment_order_answered(&scope, id, rejection, url).await
    };
    match noted.await {
        Ok(()) if rejected => {
            outcome.delivered = true;
            outcome.fault = None;
            outcome.pause_ms = None;
        }
        Ok(()) => {}
        // What was not noted is asked once more.
        Err(error) => {
            tracing::warn!(%error, "the answer to an order was not noted");
            outcome.delivered = false;
        }
    }
    outcome
}

fn plain(status: u16, message: &str) -> Answered {
    Answered { status, body: json!({ "message": message }) }
}

/// Packages as the expressions of a connector see them.
fn shown(packages: &[Package]) -> Vec<Value> {
    let one = |package: &Package| {
        json!({
            "id": package.id, "type": package.kind, "name": package.name,
            "description": package.description,
        })
    };
    packages.iter().map(one).collect()
}

/// An order as the expressions of a connector see it.
fn whole(order: &AssessmentOrder) -> Value {
    let mut whole = order.shown();
    whole["assessment_url"] = order.assessment_url.clone().into();
    whole["rejection"] = order.rejection.clone().into();
    whole["result"] = order.result.clone().unwrap_or_default();
    whole["context"] = order.context.clone();
    whole
}

/// What a connector says of an order, in the form in which callers see it.
fn read(order: &Value) -> NewOrder {
    let text = |value: &Value| match value {
        Value::String(text) if !text.trim().is_empty() => Value::from(text.clone()),
        Value::Number(number) => Value::from(number.to_string()),
        _ => Value::Null,
    };
    let texts = |of: &Value, names: &[&str]| -> Value {
        let pairs = names.iter().map(|name| ((*name).to_owned(), text(&of[*name])));
        Value::Object(pairs.collect())
    };
    let job = &order["job"];
    let mut shown = texts(job, &["remote_id", "name", "job_code", "description"]);
    let address = ["street_1", "street_2", "city", "state", "zip_code", "country", "raw"];
    shown["location"] = match &job["location"] {
        Value::Object(_) => texts(&job["location"], &address),
        _ => Value::Null,
    };
    let team = job["hiring_team"].as_array().into_iter().flatten().map(|member| {
        let mut one = texts(member, &["remote_id", "email", "first_name", "last_name"]);
        let roles = member["hiring_team_roles"].as_array().into_iter().flatten();
        let known = |role: &&Value| matches!(role.as_str(), Some("RECRUITER" | "HIRING_MANAGER"));
        one["hiring_team_roles"] = roles.filter(known).cloned().collect();
        one
    });
    shown["hiring_team"] = team.collect();
    let candidate = ["remote_id", "email", "first_name", "last_name", "phone"];
    NewOrder {
        package_id: text(&order["package_id"]).as_str().unwrap_or_default().to_owned(),
        inline: order["inline"] == true,
        body: json!({
            "candidate": texts(&order["candidate"], &candidate),
            "application": texts(&order["application"], &["remote_id"]),
            "job": shown,
        }),
        context: order["context"].clone(),
    }
}
