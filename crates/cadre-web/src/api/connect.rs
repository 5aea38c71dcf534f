//! `/v1/connect/…` and the links of an integration: links for end customers, and which integration
//! came of one.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_jobs::setup::steps;
use cadre_model::email::is_email;
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::{
    EndUser, EnvironmentScope, Integration, LinkPurpose, LinkRequest, LinkType, NewConnectLink,
};
use serde::{Deserialize, Serialize};

use crate::body::{Asked, JsonBody};
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, ForIntegration, IntegrationInPath, PathPart, unavailable};
use crate::state::AppState;

/// How long an activation token can be exchanged.
const ACTIVATION_MS: i64 = 15 * 60 * 1000;
const ACTIVATION: &str = "activation";

const CATEGORIES: &[&str] = &["HRIS", "ATS", "ASSESSMENT", "LMS"];
const LANGUAGES: &[&str] = &["en", "de", "fr", "it", "es"];
const LINK_TYPES: &[&str] = &["EMBEDDED", "MAGIC_LINK"];

/// A link for an end customer.
#[derive(Debug, Serialize)]
pub struct LinkOut {
    link: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    static_ips: Option<Vec<String>>,
}

/// Makes a link with which an end customer links an account.
pub async fn create_link(
    State(state): State<AppState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Data<LinkOut>, Refused> {
    let mut asked = Asked::of(&body);
    let email = asked.text("end_user_email", "an e-mail address", is_email);
    let organization = asked.text("end_user_organization_name", "text", |text| !text.is_empty());
    let origin_id = asked.text_or_null("end_user_origin_id", "text or null");
    let category = asked.choice("integration_category", CATEGORIES).unwrap_or("HRIS");
    let tool = asked.text_or_null("integration_tool", "the slug of a tool, or null");
    let language = asked.choice_or_null("language", LANGUAGES);
    let scope_config_id = asked.text_or_null("scope_config_id", "an id, or null");
    let link_type = link_type(asked.choice("link_type", LINK_TYPES));
    if let Some(tool) = tool {
        tool_fits(&state, &mut asked, tool, category);
    }
    let environment = asked.text_or_null("remote_environment", "text or null");
    if environment.is_some() {
        let words = "nothing: no tool here has several environments";
        asked.wrong("remote_environment", words);
    }
    let filtering = asked.flag("enable_filtering");
    if filtering && category != "HRIS" {
        asked.wrong("enable_filtering", "`false`: filters are of employees, in the category HRIS");
    }
    let field_mapping = asked.flag("enable_field_mapping");
    let static_ips = asked.flag("enable_static_ips").then(|| state.static_ips.to_vec());
    if static_ips.as_ref().is_some_and(Vec::is_empty) {
        asked.wrong("enable_static_ips", "`false`: the operator has named no `static_ips`");
    }
    if let Some(id) = scope_config_id {
        scope_config_is_there(&state, &caller.scope, &mut asked, id).await?;
    }
    asked.end()?;
    let request = LinkRequest {
        end_user: EndUser {
            organization_name: organization.unwrap_or_default().to_owned(),
            creator_email: email.map(str::to_owned),
            origin_id: origin_id.map(str::to_owned),
        },
        category: category.to_owned(),
        tool: tool.map(str::to_owned),
        language: language.map(str::to_owned),
        scope_config_id: scope_config_id.map(str::to_owned),
        filtering,
        field_mapping,
    };
    let new =
        NewConnectLink { purpose: LinkPurpose::Connect, link_type, integration_id: None, request };
    let (link, _) = make(&state, &caller.scope, new).await?;
    Ok(Data(LinkOut { link, static_ips }))
}

/// Makes a link with which an end customer renews the credentials of an integration.
pub async fn relink(
    State(state): State<AppState>,
    caller: Caller,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<LinkOut>, Refused> {
    let mut asked = Asked::of(&body);
    let language = asked.choice_or_null("language", LANGUAGES);
    let scope_config_id = asked.text_or_null("scope_config_id", "an id, or null");
    let link_type = link_type(asked.choice("link_type", LINK_TYPES));
    if let Some(id) = scope_config_id {
        scope_config_is_there(&state, &caller.scope, &mut asked, id).await?;
    }
    asked.end()?;
    let mut new = about(&here.integration, LinkPurpose::Relink, link_type, language);
    new.request.scope_config_id = scope_config_id.map(str::to_owned);
    let (link, _) = make(&state, &caller.scope, new).await?;
    Ok(Data(LinkOut { link, static_ips: None }))
}

/// Makes a link with which an end customer finishes the set-up of an integration.
pub async fn setup_link(
    State(state): State<AppState>,
    caller: Caller,
    IntegrationInPath(here): IntegrationInPath,
    body: JsonBody,
) -> Result<Data<LinkOut>, Refused> {
    let mut asked = Asked::of(&body);
    let language = asked.choice_or_null("language", LANGUAGES);
    let word = body.0.get("link_type").and_then(|word| word.as_str());
    if !word.is_some_and(|word| LINK_TYPES.contains(&word)) {
        asked.wrong("link_type", &format!("one of {}", LINK_TYPES.join(", ")));
    }
    asked.end()?;
    let new = setup_of(&state, &here.integration, link_type(word), language)?;
    let (link, _) = make(&state, &caller.scope, new).await?;
    Ok(Data(LinkOut { link, static_ips: None }))
}

/// A link to the set-up, as the older operation answers it.
#[derive(Debug, Serialize)]
pub struct OlderLinkOut {
    url: String,
    expires_at: String,
}

/// The older way to the same link; the only group is `default`.
pub async fn older_setup_link(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(group): PathPart,
    here: ForIntegration,
    body: JsonBody,
) -> Result<Data<OlderLinkOut>, Refused> {
    let mut asked = Asked::of(&body);
    let language = asked.choice_or_null("language", LANGUAGES);
    asked.end()?;
    if group != "default" {
        let words = "`path.group_id`: expected \"default\", the only group there is.";
        return Err(Refused::new(Code::PlatformInputInvalid, words));
    }
    let new = setup_of(&state, &here.integration, LinkType::Embedded, language)?;
    let (url, ends) = make(&state, &caller.scope, new).await?;
    Ok(Data(OlderLinkOut { url, expires_at: wire(ends) }))
}

/// A link to the steps of an integration's set-up, where there are any.
pub(crate) fn setup_of(
    state: &AppState,
    integration: &Integration,
    link_type: LinkType,
    language: Option<&str>,
) -> Result<NewConnectLink, Refused> {
    let entry = state.catalog.get(&integration.tool);
    let steps = entry.map_or(0, |entry| steps(&entry, &integration.setup).len());
    if steps == 0 {
        return Err(Refused::from(
            Fault::new(
                Code::PlatformInputInvalid,
                format!("No step of the set-up is switched on for `{}`.", integration.id),
            )
            .hint("Switch filtering or field mapping on for the integration, then ask again."),
        ));
    }
    Ok(about(integration, LinkPurpose::Setup, link_type, language))
}

/// The integration that an activation token is about.
#[derive(Debug, Serialize)]
pub struct ActivatedOut {
    tool: String,
    id: String,
    end_user_origin_id: Option<String>,
    end_user_organization_name: String,
    end_user_email: Option<String>,
    setup_status: &'static str,
}

/// Which integration an end customer has linked.
pub async fn integration_by_token(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(token): PathPart,
    Extension(call): Extension<Arc<Call>>,
) -> Result<Data<ActivatedOut>, Refused> {
    call.hide_path("/v1/connect/integration-by-token/[token]");
    activated(&state, &caller, &call, &token).await
}

/// The same with the token in the body, as older callers have it.
pub async fn activate_integration(
    State(state): State<AppState>,
    caller: Caller,
    Extension(call): Extension<Arc<Call>>,
    body: JsonBody,
) -> Result<Data<ActivatedOut>, Refused> {
    let mut asked = Asked::of(&body);
    let token = asked.text("token", "an activation token", |token| !token.is_empty());
    asked.end()?;
    activated(&state, &caller, &call, token.unwrap_or_default()).await
}

async fn activated(
    state: &AppState,
    caller: &Caller,
    call: &Call,
    token: &str,
) -> Result<Data<ActivatedOut>, Refused> {
    let activation = Activation::read(state, caller.scope.id(), token)?;
    let here = ForIntegration::find(state, caller, Some(call), &activation.integration_id).await?;
    let integration = here.integration;
    Ok(Data(ActivatedOut {
        tool: integration.tool,
        id: integration.id,
        end_user_origin_id: integration.end_user.origin_id,
        end_user_organization_name: integration.end_user.organization_name,
        end_user_email: integration.end_user.creator_email.filter(|email| is_email(email)),
        setup_status: integration.setup_status.as_str(),
    }))
}

/// What an activation token holds: it is sealed and stored nowhere. Short names: it stands in a URL.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Activation {
    #[serde(rename = "v")]
    environment_id: String,
    #[serde(rename = "i")]
    integration_id: String,
    #[serde(rename = "e")]
    ends_at: i64,
}

impl Activation {
    /// A token that says which integration somebody has linked.
    pub(crate) fn token(
        state: &AppState,
        scope: &EnvironmentScope,
        integration_id: &str,
    ) -> String {
        let activation = Activation {
            environment_id: scope.id().to_owned(),
            integration_id: integration_id.to_owned(),
            ends_at: state.clock.now_ms() + ACTIVATION_MS,
        };
        let content = serde_json::to_vec(&activation).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(state.store.ticket_seal(ACTIVATION, &content))
    }

    fn read(state: &AppState, environment_id: &str, token: &str) -> Result<Self, Refused> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok();
        let content = sealed.and_then(|sealed| state.store.ticket_open(ACTIVATION, &sealed));
        let activation: Option<Activation> =
            content.and_then(|content| serde_json::from_slice(&content).ok());
        // A token of another environment is as unknown as one that nobody made.
        let known = activation.filter(|activation| activation.environment_id == environment_id);
        let refusal = |words: &str| {
            let hint = "Exchange the token at once when the flow ends; or read the id from the \
                        webhook `integration-created`.";
            Refused::from(Fault::new(Code::PlatformInputInvalid, words).hint(hint))
        };
        let activation = known.ok_or_else(|| refusal("The activation token is not known here."))?;
        if activation.ends_at <= state.clock.now_ms() {
            return Err(refusal("The activation token has ended: it lasts 15 minutes."));
        }
        Ok(activation)
    }
}

/// A link about an integration that is there.
pub(crate) fn about(
    integration: &Integration,
    purpose: LinkPurpose,
    link_type: LinkType,
    language: Option<&str>,
) -> NewConnectLink {
    NewConnectLink {
        purpose,
        link_type,
        integration_id: Some(integration.id.clone()),
        request: LinkRequest {
            end_user: integration.end_user.clone(),
            category: integration.category.clone(),
            tool: Some(integration.tool.clone()),
            language: language.map(str::to_owned),
            scope_config_id: None,
            filtering: false,
            field_mapping: false,
        },
    }
}

/// Makes a link: its URL, and when it ends.
pub(crate) async fn make(
    state: &AppState,
    scope: &EnvironmentScope,
    new: NewConnectLink,
) -> Result<(String, i64), Refused> {
    let (token, ends) = state.store.connect_link_create(scope, new).await.map_err(unavailable)?;
    Ok((format!("{}/connect/{}", state.public_url, token.expose()), ends))
}

fn link_type(word: Option<&str>) -> LinkType {
    if word == Some("MAGIC_LINK") { LinkType::MagicLink } else { LinkType::Embedded }
}

/// Notes it where there is no such tool, or none of the category.
fn tool_fits(state: &AppState, asked: &mut Asked<'_>, tool: &str, category: &str) {
    let of = |entry: &cadre_jobs::Entry| {
        let categories = &entry.connector.manifest().categories;
        categories.iter().any(|of| of.as_str() == category)
    };
    if state.catalog.get(tool).is_some_and(|entry| of(&entry)) {
        return;
    }
    let fitting = state.catalog.entries().filter(|entry| of(entry));
    let fitting: Vec<String> = fitting.map(|entry| entry.tool().to_owned()).collect();
    let words = match fitting.as_slice() {
        [] => format!("null: there is no tool of the category {category} here"),
        fitting => format!("a tool of the category {category} ({})", fitting.join(", ")),
    };
    asked.wrong("integration_tool", &words);
}

async fn scope_config_is_there(
    state: &AppState,
    scope: &EnvironmentScope,
    asked: &mut Asked<'_>,
    id: &str,
) -> Result<(), Refused> {
    let found = state.store.scope_config_get(scope, id).await.map_err(unavailable)?;
    if found.is_none() {
        asked.wrong("scope_config_id", "the id of a scope configuration of this environment");
    }
    Ok(())
}
