//! Every page and act of the dashboard, each with the role that it needs.
//!
//! A route cannot be made without a role, and [`super::door`] stands before each: there is no page
//! that forgot to ask who looks, and no form that forgot to ask where it was filled in.

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use cadre_store::Role;

use super::{
    account, assessment, audit, coverage, data, door, environments, integration, integrations,
    issues, keys, links, log, logs, mapping, overview, people, posting, postings, record, scope,
    scopes, settings, syncs, tool, tryout, webhook, webhooks, welcome,
};
use crate::state::AppState;

/// A page or an act.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path.
    pub path: &'static str,
    /// The least that its visitor must be.
    pub needs: Role,
    handler: MethodRouter<AppState>,
}

/// A page that everybody may look at.
fn see<H: Handler<T, AppState>, T: 'static>(path: &'static str, handler: H) -> Route {
    Route { method: "GET", path, needs: Role::ReadOnly, handler: get(handler) }
}

/// A page for some.
fn see_as<H: Handler<T, AppState>, T: 'static>(
    needs: Role,
    path: &'static str,
    handler: H,
) -> Route {
    Route { needs, ..see(path, handler) }
}

/// An act.
fn act<H: Handler<T, AppState>, T: 'static>(needs: Role, path: &'static str, handler: H) -> Route {
    Route { method: "POST", path, needs, handler: post(handler) }
}

/// Every page and act.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        see("/", overview::home),
        see("/logs/{interaction}", log::anywhere),
        see("/account", account::get),
        act(Role::ReadOnly, "/account/password", account::password),
        see_as(Role::Admin, "/welcome", welcome::get),
        act(Role::Admin, "/welcome", welcome::post),
        see_as(Role::Admin, "/people", people::get),
        act(Role::Admin, "/people", people::add),
        act(Role::Admin, "/people/{person}", people::change),
        act(Role::Admin, "/people/{person}/password", people::password),
        see("/env/{env}", overview::get),
        see("/env/{env}/logs", logs::get),
        see("/env/{env}/logs/{interaction}", log::get),
        see("/env/{env}/coverage", coverage::get),
        see("/env/{env}/coverage/{tool}", tool::get),
        see_as(Role::Admin, "/env/{env}/audit", audit::get),
        see("/env/{env}/environments", environments::get),
        act(Role::Admin, "/env/{env}/environments", environments::add),
        see_as(Role::Developer, "/env/{env}/keys", keys::get),
        act(Role::Developer, "/env/{env}/keys", keys::create),
        act(Role::Developer, "/env/{env}/keys/{key}/revoke", keys::revoke),
    ];
    routes.extend(of_integrations());
    routes.extend(of_settings());
    routes.extend(of_scopes());
    routes.extend(of_webhooks());
    routes.extend(of_postings());
    routes
}

fn of_integrations() -> Vec<Route> {
    vec![
        see("/env/{env}/integrations", integrations::get),
        see("/env/{env}/integrations/{integration}", integration::get),
        see("/env/{env}/integrations/{integration}/syncs", syncs::get),
        see("/env/{env}/integrations/{integration}/syncs/progress", syncs::progress),
        see("/env/{env}/integrations/{integration}/syncs/{run}", syncs::receipt),
        see("/env/{env}/integrations/{integration}/issues", issues::get),
        see("/env/{env}/integrations/{integration}/scope", scope::get),
        see_as(Role::Support, "/env/{env}/integrations/{integration}/assessment", assessment::get),
        act(Role::Developer, "/env/{env}/integrations/{integration}/assessment", assessment::act),
        see_as(Role::Support, "/env/{env}/integrations/{integration}/data", data::get),
        see_as(Role::Support, "/env/{env}/integrations/{integration}/data/{model}", data::list),
        see_as(
            Role::Support,
            "/env/{env}/integrations/{integration}/data/{model}/{record}",
            record::get,
        ),
        act(Role::Support, "/env/{env}/integrations/{integration}/sync", integration::sync),
        act(Role::Support, "/env/{env}/integrations/{integration}/cancel", integration::cancel),
        act(Role::Support, "/env/{env}/integrations/{integration}/pause", integration::pause),
        act(Role::Support, "/env/{env}/integrations/{integration}/resume", integration::resume),
        act(Role::Developer, "/env/{env}/integrations/{integration}/delete", integration::delete),
        act(
            Role::Support,
            "/env/{env}/integrations/{integration}/drop/accept",
            issues::accept_drop,
        ),
        act(
            Role::Support,
            "/env/{env}/integrations/{integration}/drop/reject",
            issues::reject_drop,
        ),
        act(
            Role::Support,
            "/env/{env}/integrations/{integration}/quality/accept",
            issues::accept_quality,
        ),
        act(Role::Admin, "/env/{env}/integrations/{integration}/unlock", issues::unlock),
        act(Role::Support, "/env/{env}/integrations/{integration}/issues/{issue}", issues::set),
        act(Role::Developer, "/env/{env}/integrations/{integration}/scope", scope::change),
    ]
}

fn of_settings() -> Vec<Route> {
    const ONE: &str = "/env/{env}/integrations/{integration}/settings";
    vec![
        see(ONE, settings::get),
        act(Role::Support, "/env/{env}/integrations/{integration}/links", settings::link),
        act(Role::Developer, "/env/{env}/integrations/{integration}/steps", settings::switch),
        act(Role::Developer, "/env/{env}/integrations/{integration}/filter", settings::filter),
        act(Role::Developer, "/env/{env}/integrations/{integration}/interval", settings::interval),
        act(Role::Developer, "/env/{env}/integrations/{integration}/assign", settings::assign),
        see_as(Role::Support, "/env/{env}/integrations/{integration}/mapping", mapping::get),
        act(Role::Developer, "/env/{env}/integrations/{integration}/mapping", mapping::post),
        act(
            Role::Developer,
            "/env/{env}/integrations/{integration}/custom-fields",
            mapping::custom,
        ),
        see_as(Role::Developer, "/env/{env}/integrations/{integration}/actions", tryout::list),
        see_as(
            Role::Developer,
            "/env/{env}/integrations/{integration}/actions/{action}",
            tryout::get,
        ),
        act(
            Role::Developer,
            "/env/{env}/integrations/{integration}/actions/{action}",
            tryout::post,
        ),
    ]
}

fn of_scopes() -> Vec<Route> {
    vec![
        see_as(Role::Support, "/env/{env}/links", links::get),
        act(Role::Support, "/env/{env}/links", links::create),
        see("/env/{env}/scopes", scopes::get),
        act(Role::Developer, "/env/{env}/scopes", scopes::create),
        see("/env/{env}/scopes/{scope}", scopes::one),
        act(Role::Developer, "/env/{env}/scopes/{scope}", scopes::change),
        act(Role::Developer, "/env/{env}/scopes/{scope}/name", scopes::rename),
        act(Role::Developer, "/env/{env}/scopes/{scope}/default", scopes::make_default),
        act(Role::Developer, "/env/{env}/scopes/{scope}/delete", scopes::delete),
    ]
}

fn of_webhooks() -> Vec<Route> {
    vec![
        see("/env/{env}/webhooks", webhooks::get),
        act(Role::Developer, "/env/{env}/webhooks", webhooks::create),
        see("/env/{env}/webhooks/{endpoint}", webhook::get),
        act(Role::Developer, "/env/{env}/webhooks/{endpoint}/types", webhook::types),
        act(Role::Support, "/env/{env}/webhooks/{endpoint}/pause", webhook::pause),
        act(Role::Support, "/env/{env}/webhooks/{endpoint}/resume", webhook::resume),
        act(Role::Support, "/env/{env}/webhooks/{endpoint}/test", webhook::test),
        act(Role::Support, "/env/{env}/webhooks/{endpoint}/replay", webhook::replay),
        act(Role::Developer, "/env/{env}/webhooks/{endpoint}/rotate", webhook::rotate),
        act(Role::Developer, "/env/{env}/webhooks/{endpoint}/delete", webhook::delete),
    ]
}

fn of_postings() -> Vec<Route> {
    vec![
        see("/env/{env}/postings", postings::get),
        act(Role::Developer, "/env/{env}/feeds", postings::create),
        see("/env/{env}/postings/{posting}", posting::get),
        act(Role::Support, "/env/{env}/postings/{posting}/parse", postings::parse),
        act(Role::Support, "/env/{env}/postings/{posting}/archive", postings::archive),
        see("/env/{env}/applications", posting::applications),
        act(Role::Support, "/env/{env}/applications/{application}/settle", posting::settle),
    ]
}

/// The pages and acts, each behind the door.
pub fn router(state: &AppState) -> Router<AppState> {
    routes().into_iter().fold(Router::new(), |router, route| {
        let door = from_fn_with_state((state.clone(), route.needs), door::enter);
        router.route(route.path, route.handler.route_layer(door))
    })
}
