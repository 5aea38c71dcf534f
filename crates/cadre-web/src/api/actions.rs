//! Every action: one handler, generic over the declaration.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, RawPathParams, RawQuery, State};
use cadre_jobs::actions::{Finished, Order, perform};
use cadre_model::action::{Action, Answer, check};
use cadre_model::fault::{Code, Fault};
use cadre_model::registry;
use cadre_store::InteractionKind;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::attachments::refused;
use super::integrations::field_names;
use crate::body::JsonBody;
use crate::gate;
use crate::listing::{Pairs, fault};
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::{Data, Warned};
use crate::scope::{Caller, ForIntegration, NamedIntegration};
use crate::state::AppState;

/// The header that names a request, so that a repetition is known as one.
pub const IDEMPOTENCY_HEADER: &str = "Idempotency-Key";
/// Longest key.
const LONGEST_KEY: usize = 255;

/// The key that names a request, where its caller gives one.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_HEADER) else { return Ok(Self(None)) };
        // The draft has a text in quotes; many clients leave the quotes out.
        let text = value.to_str().unwrap_or_default().trim();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        if bare.is_empty() || bare.len() > LONGEST_KEY {
            return Err(Refused::new(
                Code::PlatformInputInvalid,
                format!(
                    "Invalid request: `header.{IDEMPOTENCY_HEADER}`: expected a text of 1 to {LONGEST_KEY} \
                     characters, got {} characters.",
                    bare.len()
                ),
            ));
        }
        Ok(Self(Some(bare.to_owned())))
    }
}

/// What is asked: the body, or the query where there is none.
///
/// # Errors
///
/// When the query cannot be read.
pub fn asked(
    action: &Action,
    RawQuery(query): RawQuery,
    JsonBody(body): JsonBody,
) -> Result<Map<String, Value>, Refused> {
    if action.method != "GET" {
        return Ok(body);
    }
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query.as_deref(), &mut problems);
    let mut asked = Map::new();
    for field in action.body {
        if let Some(text) = pairs.one(field.name, &mut problems) {
            asked.insert(field.name.to_owned(), text.into());
        }
    }
    if problems.is_empty() { Ok(asked) } else { Err(fault(&problems).into()) }
}

/// Does what an action says.
///
/// # Errors
///
/// Everything that is wrong with the body, at once; then whatever stands between the caller and the
/// tool; then what the tool said.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a part of the request, proven before it begins"
)]
pub async fn post(
    action: &'static Action,
    State(state): State<AppState>,
    caller: Caller,
    about: RawPathParams,
    NamedIntegration(integration): NamedIntegration,
    IdempotencyKey(key): IdempotencyKey,
    Extension(call): Extension<Arc<Call>>,
    body: Map<String, Value>,
) -> Result<Warned<Value>, Refused> {
    let checked = check(action.body, &body);
    let wrong: Vec<String> = checked.wrong.iter().map(ToString::to_string).collect();
    let here = ForIntegration::find(&state, &caller, Some(&call), &integration).await;
    if let Ok(here) = &here {
        gate::tell_room(&state, &call, &here.scope, InteractionKind::Action).await;
    }
    // What is wrong with the request comes before what is wrong with the integration.
    if !wrong.is_empty() {
        let message = format!("Invalid request: {}.", wrong.join("; "));
        return Err(Refused::new(Code::PlatformInputInvalid, message));
    }
    let here = here?;
    let config = gate::scope_config(&state, &caller.scope, &here.integration).await?;
    gate::permits(&state, &here, &config, action).await?;
    let slot = gate::room(&state, &call, &here.scope, InteractionKind::Action).await?;
    let hidden = match action.answer {
        Answer::Record(id) | Answer::RecordWith(id, _, _) => registry::model(id)
            .into_iter()
            .flat_map(field_names)
            .filter(|name| !config.field_enabled(id, name))
            .collect(),
        Answer::Nothing | Answer::Own(_) | Answer::Made(..) => Default::default(),
    };
    let order = Order {
        action,
        about: about.iter().next().map(|(_, value)| value.to_owned()),
        checked,
        key,
        interaction_id: call.id.clone(),
        hidden,
    };
    // Apart from the request: a caller who hangs up does not leave a write half done.
    let work = tokio::spawn(async move {
        let done = perform(&state.parts, &here.scope, &here.integration, order).await;
        slot.release().await;
        done
    });
    let done = work.await.map_err(|error| Refused::from(Fault::unknown(error)))?;
    let Finished { data, warnings } = done.map_err(|judged| refused(&call, judged))?;
    Ok(Warned { data, warnings })
}

/// Which files an action takes.
///
/// # Errors
///
/// Whatever would stand between the caller and the action.
pub async fn restrictions(
    action: &'static Action,
    State(state): State<AppState>,
    caller: Caller,
    here: ForIntegration,
) -> Result<Data<Value>, Refused> {
    let config = gate::scope_config(&state, &caller.scope, &here.integration).await?;
    gate::permits(&state, &here, &config, action).await?;
    let entry = state.catalog.get(&here.integration.tool);
    let section = entry.as_ref().and_then(|entry| entry.connector.actions().get(action.id));
    let Some(rules) = section.and_then(|section| section.attachments.as_ref()) else {
        return Ok(Data(json!({ "attachment_restrictions": null })));
    };
    let many = action.body.iter().any(|field| field.name == "attachments");
    let kinds = ["CV", "COVER_LETTER", "OTHER"].map(|kind| {
        let Some(rule) = rules.types.get(kind) else {
            return (kind.to_owned(), json!({ "is_supported": false }));
        };
        let mut shown = json!({
            "is_supported": true,
            "max_file_size_bytes": rule.max_file_size_bytes,
            "accepted_mime_types": rule.accepted_mime_types,
        });
        if many {
            shown["min_amount"] = json!(rule.min_amount);
            shown["max_amount"] = json!(rule.max_amount);
        }
        (kind.to_owned(), shown)
    });
    let mut shown = json!({ "types": Value::Object(kinds.into_iter().collect()) });
    if many {
        shown["total_size_bytes"] = json!(rules.total_size_bytes);
    }
    Ok(Data(json!({ "attachment_restrictions": shown })))
}
