//! Every route, in groups by audience.

use axum::extract::{Extension, RawPathParams, RawQuery, State};
use axum::routing::{MethodFilter, MethodRouter, get, on, patch, post, put};
use axum::{Router, middleware};
use cadre_model::action::{Action, bulk_actions, restricted_actions, single_actions};
use cadre_model::live::{LIVE_READS, LiveRead};
use cadre_model::registry;
use http::request::Parts;
use std::sync::Arc;

use crate::api::actions::{self as do_action, IdempotencyKey};
use crate::api::lists::List;
use crate::api::{
    attachments, bulk, check_api_key, events, fields, files, force_sync, health, hooks,
    integrations, interactions, passthrough, provisioning, scim, tools, unknown, webhook_endpoints,
};
use crate::body::JsonBody;
use crate::console::{self, login, sign_on};
use crate::recorder::{self, Call};
use crate::reply;
use crate::scope::{Caller, ForIntegration, NamedIntegration, PathPart};
use crate::state::AppState;
use crate::{assets, openapi};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody.
    Public,
    /// Software with an API key.
    Key,
    /// Software with an API key, for one integration.
    Integration,
    /// People who are logged in.
    Visitor,
    /// Whoever was given the link: the path itself is the proof.
    Link,
    /// A tool that pushes, with the token of its integration; refused in the words of its protocol.
    Tool,
}

/// Every route that is neither a list of records nor a live read: method, path, who may use it.
pub const ROUTES: &[(&str, &str, Audience)] = &[
    ("GET", "/v1/check-api-key", Audience::Key),
    ("POST", "/v1/force-sync", Audience::Integration),
    ("GET", "/v1/integrations/{integration_id}", Audience::Key),
    ("DELETE", "/v1/integrations/{integration_id}", Audience::Key),
    ("PUT", "/v1/integrations/{integration_id}/enabled", Audience::Key),
    ("GET", "/v1/integrations/{integration_id}/custom-fields", Audience::Key),
    ("PUT", "/v1/integrations/{integration_id}/custom-fields/{custom_field_id}", Audience::Key),
    ("GET", "/v1/integrations/{integration_id}/integration-fields", Audience::Key),
    (
        "PATCH",
        "/v1/integrations/{integration_id}/integration-fields/{integration_field_id}",
        Audience::Key,
    ),
    ("GET", "/v1/integrations/{integration_id}/mapping", Audience::Key),
    ("PUT", "/v1/integrations/{integration_id}/mapping", Audience::Key),
    ("POST", "/v1/integrations/{integration_id}/mapping/preview", Audience::Key),
    ("POST", "/v1/integrations/{integration_id}/relink", Audience::Key),
    ("POST", "/v1/integrations/{integration_id}/setup-link", Audience::Key),
    ("GET", "/v1/integrations/{integration_id}/setup", Audience::Key),
    ("PUT", "/v1/integrations/{integration_id}/setup", Audience::Key),
    ("POST", "/v1/connect/create-link", Audience::Key),
    ("GET", "/v1/connect/integration-by-token/{token}", Audience::Key),
    ("POST", "/v1/connect/activate-integration", Audience::Key),
    ("GET", "/v1/tools/{category}", Audience::Key),
    ("POST", "/v1/passthrough/{tool}/{api}", Audience::Integration),
    ("POST", "/v1/hris/provisioning-groups/{group_id}/diff", Audience::Integration),
    ("POST", "/v1/hris/provisioning-groups/{group_id}/setup-links", Audience::Integration),
    ("GET", "/v1/ai-apply/career-sites", Audience::Key),
    ("POST", "/v1/ai-apply/career-sites", Audience::Key),
    ("GET", "/v1/ai-apply/job-feeds", Audience::Key),
    ("POST", "/v1/ai-apply/job-feeds", Audience::Key),
    ("POST", "/v1/ai-apply/job-feeds/{job_feed_id}/bulk-import", Audience::Key),
    ("GET", "/v1/ai-apply/postings", Audience::Key),
    ("POST", "/v1/ai-apply/postings", Audience::Key),
    ("POST", "/v1/ai-apply/postings/{posting_id}/parse", Audience::Key),
    ("POST", "/v1/ai-apply/postings/{posting_id}/inquire", Audience::Key),
    ("POST", "/v1/ai-apply/apply", Audience::Key),
    ("GET", "/v1/ai-apply/applications", Audience::Key),
    ("GET", "/v1/ai-apply/unified-api/jobs", Audience::Key),
    ("POST", "/v1/ai-apply/unified-api/jobs/{job_id}/applications", Audience::Key),
    ("GET", "/v1/events", Audience::Key),
    ("GET", "/v1/interactions", Audience::Key),
    ("GET", "/v1/interactions/{interaction_id}", Audience::Key),
    ("GET", "/v1/webhook-endpoints", Audience::Key),
    ("POST", "/v1/webhook-endpoints", Audience::Key),
    ("GET", "/v1/webhook-endpoints/{endpoint_id}", Audience::Key),
    ("PATCH", "/v1/webhook-endpoints/{endpoint_id}", Audience::Key),
    ("DELETE", "/v1/webhook-endpoints/{endpoint_id}", Audience::Key),
    ("GET", "/v1/webhook-endpoints/{endpoint_id}/deliveries", Audience::Key),
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/test", Audience::Key),
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/replay", Audience::Key),
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/rotate-secret", Audience::Key),
    ("GET", "/files/{ticket}", Audience::Link),
    ("POST", "/hooks/{token}", Audience::Link),
    ("GET", "/hooks/{token}/{request}", Audience::Link),
    ("POST", "/hooks/{token}/{request}", Audience::Link),
    ("GET", "/v1/assessment/packages", Audience::Integration),
    ("PUT", "/v1/assessment/packages", Audience::Integration),
    ("GET", "/v1/assessment/orders", Audience::Integration),
    ("GET", "/v1/assessment/orders/open", Audience::Integration),
    ("GET", "/scim/{token}/v2/{*path}", Audience::Tool),
    ("POST", "/scim/{token}/v2/{*path}", Audience::Tool),
    ("PUT", "/scim/{token}/v2/{*path}", Audience::Tool),
    ("PATCH", "/scim/{token}/v2/{*path}", Audience::Tool),
    ("DELETE", "/scim/{token}/v2/{*path}", Audience::Tool),
    ("GET", "/v1/openapi.json", Audience::Public),
    ("GET", "/health", Audience::Public),
    ("GET", "/ready", Audience::Public),
    ("GET", "/assets/cadre.css", Audience::Public),
    ("GET", "/assets/tools/{tool}/logo.svg", Audience::Public),
    ("GET", "/assets/console.js", Audience::Public),
    ("GET", "/assets/htmx.js", Audience::Public),
    ("GET", "/assets/connect.css", Audience::Public),
    ("GET", "/assets/connect.js", Audience::Public),
    ("GET", "/connect/{token}", Audience::Link),
    ("GET", "/connect/{token}/tools/{tool}", Audience::Link),
    ("GET", "/connect/{token}/tools/{tool}/credentials", Audience::Link),
    ("POST", "/connect/{token}/tools/{tool}/credentials", Audience::Link),
    ("GET", "/connect/{token}/waiting/{tool}", Audience::Link),
    ("GET", "/connect/{token}/setup", Audience::Link),
    ("GET", "/connect/{token}/setup/{step}", Audience::Link),
    ("POST", "/connect/{token}/setup/{step}", Audience::Link),
    ("GET", "/connect/{token}/done", Audience::Link),
    ("GET", "/oauth/start/{word}", Audience::Link),
    ("GET", "/oauth/callback", Audience::Link),
    ("GET", "/login", Audience::Public),
    ("POST", "/login", Audience::Public),
    ("GET", "/login/oidc", Audience::Public),
    ("GET", "/login/oidc/callback", Audience::Public),
    ("POST", "/logout", Audience::Public),
];

/// Every route with its method and audience, lists of records included.
#[must_use]
pub fn routes() -> Vec<(&'static str, String, Audience)> {
    let fixed = ROUTES.iter().map(|(method, path, who)| (*method, (*path).to_owned(), *who));
    let lists = lists().into_iter().map(|(path, _)| ("GET", path, Audience::Integration));
    let live = LIVE_READS.iter();
    let live = live.map(|read| ("GET", format!("/v1{}", read.path), Audience::Integration));
    let done = single_actions()
        .map(|action| (action.method, format!("/v1{}", action.path), Audience::Integration));
    let files = restricted_actions().into_iter();
    let files = files
        .map(|action| ("GET", format!("/v1/ats/actions/{}", action.id), Audience::Integration));
    let pages = console::routes().into_iter();
    let pages = pages.map(|page| (page.method, page.path.to_owned(), Audience::Visitor));
    let many = bulk_actions().flat_map(|action| {
        let path = format!("/v1{}/bulk", action.path);
        let task = format!("{path}/{{task_id}}");
        [("POST", path, Audience::Integration), ("GET", task, Audience::Integration)]
    });
    fixed.chain(pages).chain(lists).chain(live).chain(done).chain(files).chain(many).collect()
}

/// Every list of records, by its path.
fn lists() -> Vec<(String, List)> {
    let mut lists = Vec::new();
    for model in registry::models() {
        if let Some(path) = model.path {
            lists.push((format!("/v1{path}"), List { model, filters: model.filters }));
        }
    }
    for (path, id) in registry::older_paths() {
        if let Some(model) = registry::model(id) {
            lists.push((format!("/v1{path}"), List { model, filters: &[] }));
        }
    }
    lists
}

/// Everything that is served.
pub fn router(state: AppState) -> Router {
    let document: Arc<str> = openapi::document(&state.public_url).to_string().into();
    let mut router = Router::new()
        .route("/v1/check-api-key", get(check_api_key::get))
        .route("/v1/force-sync", post(force_sync::post))
        .route(
            "/v1/integrations/{integration_id}",
            get(integrations::get).delete(integrations::delete),
        )
        .route("/v1/integrations/{integration_id}/enabled", put(integrations::put_enabled))
        .route("/v1/tools/{category}", get(tools::get))
        .route("/v1/passthrough/{tool}/{api}", post(passthrough::post))
        .route("/v1/hris/provisioning-groups/{group_id}/diff", post(provisioning::diff))
        .route("/v1/events", get(events::get))
        .route("/v1/interactions", get(interactions::list))
        .route("/v1/interactions/{interaction_id}", get(interactions::get))
        .merge(webhook_routes())
        .merge(field_routes())
        .merge(connect_routes())
        .merge(apply_routes())
        .route("/files/{ticket}", get(files::get))
        .route("/hooks/{token}", post(hooks::post))
        .route("/hooks/{token}/{request}", get(hooks::ask).post(hooks::ask))
        .merge(assessment_routes())
        .route(
            "/scim/{token}/v2/{*path}",
            get(scim::any).post(scim::any).put(scim::any).patch(scim::any).delete(scim::any),
        )
        .route("/v1/openapi.json", get(move || async move { reply::json(document.to_string()) }))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/assets/cadre.css", get(assets::style))
        .route("/assets/tools/{tool}/logo.svg", get(assets::logo))
        .route("/assets/console.js", get(assets::script))
        .route("/assets/htmx.js", get(assets::htmx))
        .route("/login", get(login::get).post(login::post))
        .route("/login/oidc", get(sign_on::start))
        .route("/login/oidc/callback", get(sign_on::callback))
        .route("/logout", post(login::logout))
        .merge(console::router(&state));
    for (path, list) in lists() {
        router = router.route(&path, list_route(list));
    }
    for read in LIVE_READS {
        router = router.route(&format!("/v1{}", read.path), live_route(read));
    }
    for action in single_actions() {
        router = router.route(&format!("/v1{}", action.path), action_route(action));
    }
    for action in bulk_actions() {
        let path = format!("/v1{}/bulk", action.path);
        router = router.route(&format!("{path}/{{task_id}}"), task_route(action));
        router = router.route(&path, bulk_route(action));
    }
    for action in restricted_actions() {
        let path = format!("/v1/ats/actions/{}", action.id);
        router = router.route(&path, restrictions_route(action));
    }
    let recording = middleware::from_fn_with_state(state.clone(), recorder::record);
    let routes: Router = router.fallback(unknown::any).with_state(state);
    // Around the routes as a whole: a refused method names the methods that are allowed, and what
    // the framework itself answers is seen too.
    Router::new().fallback_service(routes).layer(recording)
}

/// Links for end customers, and the pages that they open.
fn connect_routes() -> Router<AppState> {
    use crate::api::connect as links;
    use crate::api::setup as steps;
    use crate::connect::{choose, consent, credentials, done, review, script, setup, style};
    const TOOL: &str = "/connect/{token}/tools/{tool}";
    Router::new()
        .route("/v1/connect/create-link", post(links::create_link))
        .route("/v1/connect/integration-by-token/{token}", get(links::integration_by_token))
        .route("/v1/connect/activate-integration", post(links::activate_integration))
        .route("/v1/integrations/{integration_id}/relink", post(links::relink))
        .route("/v1/integrations/{integration_id}/setup-link", post(links::setup_link))
        .route("/v1/integrations/{integration_id}/setup", get(steps::get).put(steps::put))
        .route("/v1/hris/provisioning-groups/{group_id}/setup-links", post(links::older_setup_link))
        .route("/assets/connect.css", get(style))
        .route("/assets/connect.js", get(script))
        .route("/connect/{token}", get(choose::get))
        .route(TOOL, get(review::get))
        .route(&format!("{TOOL}/credentials"), get(credentials::get).post(credentials::post))
        .route("/connect/{token}/waiting/{tool}", get(done::waiting))
        .route("/connect/{token}/setup", get(setup::get))
        .route("/connect/{token}/setup/{step}", get(setup::step).post(setup::done))
        .route("/connect/{token}/done", get(done::get))
        .route("/oauth/start/{word}", get(consent::start))
        .route("/oauth/callback", get(consent::callback))
}

/// Public postings.
fn apply_routes() -> Router<AppState> {
    use crate::api::apply::{applications, feeds, inquire, postings, sites, unified};
    const HERE: &str = "/v1/ai-apply";
    Router::new()
        .route(&format!("{HERE}/career-sites"), get(sites::list).post(sites::create))
        .route(&format!("{HERE}/job-feeds"), get(feeds::list).post(feeds::create))
        .route(&format!("{HERE}/job-feeds/{{job_feed_id}}/bulk-import"), post(feeds::import))
        .route(&format!("{HERE}/postings"), get(postings::list).post(postings::create))
        .route(&format!("{HERE}/postings/{{posting_id}}/parse"), post(postings::parse))
        .route(&format!("{HERE}/postings/{{posting_id}}/inquire"), post(inquire::form))
        .route(&format!("{HERE}/apply"), post(inquire::apply))
        .route(&format!("{HERE}/applications"), get(applications::list))
        .route(&format!("{HERE}/unified-api/jobs"), get(unified::jobs))
        .route(&format!("{HERE}/unified-api/jobs/{{job_id}}/applications"), post(unified::apply))
}

/// Who is told about events.
fn webhook_routes() -> Router<AppState> {
    use webhook_endpoints as endpoints;
    const ONE: &str = "/v1/webhook-endpoints/{endpoint_id}";
    Router::new()
        .route("/v1/webhook-endpoints", get(endpoints::list).post(endpoints::create))
        .route(ONE, get(endpoints::get).patch(endpoints::change).delete(endpoints::delete))
        .route(&format!("{ONE}/deliveries"), get(endpoints::deliveries))
        .route(&format!("{ONE}/test"), post(endpoints::test))
        .route(&format!("{ONE}/replay"), post(endpoints::replay))
        .route(&format!("{ONE}/rotate-secret"), post(endpoints::rotate_secret))
}

/// What can be ordered in a customer's tool, and what was.
fn assessment_routes() -> Router<AppState> {
    use crate::api::assessment;
    Router::new()
        .route(
            "/v1/assessment/packages",
            get(assessment::get_packages).put(assessment::put_packages),
        )
        .route("/v1/assessment/orders", get(assessment::orders))
        .route("/v1/assessment/orders/open", get(assessment::open_orders))
}

/// Fields beyond the unified model.
fn field_routes() -> Router<AppState> {
    const ONE: &str = "/v1/integrations/{integration_id}";
    Router::new()
        .route(&format!("{ONE}/custom-fields"), get(fields::custom_list))
        .route(&format!("{ONE}/custom-fields/{{custom_field_id}}"), put(fields::custom_put))
        .route(&format!("{ONE}/integration-fields"), get(fields::integration_list))
        .route(
            &format!("{ONE}/integration-fields/{{integration_field_id}}"),
            patch(fields::integration_patch),
        )
        .route(&format!("{ONE}/mapping"), get(fields::mapping_get).put(fields::mapping_put))
        .route(&format!("{ONE}/mapping/preview"), post(fields::mapping_preview))
}

/// The route of one live read: every answer so far is a list of files.
fn live_route(read: &'static LiveRead) -> MethodRouter<AppState> {
    get(
        async move |state: State<AppState>,
                    caller: Caller,
                    id: PathPart,
                    here: ForIntegration,
                    call: Extension<Arc<Call>>| {
            attachments::get(read, state, caller, id, here, call).await
        },
    )
}

/// The route of one action: the generic handler, told which action it is.
fn action_route(action: &'static Action) -> MethodRouter<AppState> {
    let method = match action.method {
        "GET" => MethodFilter::GET,
        "PUT" => MethodFilter::PUT,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::POST,
    };
    on(
        method,
        async move |state: State<AppState>,
                    caller: Caller,
                    about: RawPathParams,
                    named: NamedIntegration,
                    key: IdempotencyKey,
                    query: RawQuery,
                    call: Extension<Arc<Call>>,
                    body: JsonBody| {
            let asked = do_action::asked(action, query, body)?;
            do_action::post(action, state, caller, about, named, key, call, asked).await
        },
    )
}

/// The route that orders many actions of a kind.
fn bulk_route(action: &'static Action) -> MethodRouter<AppState> {
    post(
        async move |state: State<AppState>,
                    caller: Caller,
                    named: NamedIntegration,
                    call: Extension<Arc<Call>>,
                    body: JsonBody| {
            bulk::post(action, state, caller, named, call, body).await
        },
    )
}

/// The route that shows how many actions of a kind stand.
fn task_route(action: &'static Action) -> MethodRouter<AppState> {
    get(async move |state: State<AppState>, here: ForIntegration, id: PathPart| {
        bulk::get(action, state, here, id).await
    })
}

/// The route that says which files an action takes.
fn restrictions_route(action: &'static Action) -> MethodRouter<AppState> {
    get(async move |state: State<AppState>, caller: Caller, here: ForIntegration| {
        do_action::restrictions(action, state, caller, here).await
    })
}

/// The route of one list: the generic handler, told which list it is.
fn list_route(list: List) -> MethodRouter<AppState> {
    get(async move |state: State<AppState>, call: Extension<Arc<Call>>, parts: Parts| {
        list.get(state, call, parts).await
    })
}
