//! `/env/{env}/environments`: the environments of this installation, and the limits that hold.

use askama::Template;
use axum::extract::State;
use cadre_store::{EnvironmentKind, IntegrationFilter};
use http::StatusCode;

use super::door::Posted;
use super::page::{Shown, duration, grouped, html_as, see_other};
use super::shell::{Here, Shell};
use crate::state::{AppState, LIVE_AT_ONCE};

#[derive(Debug, Template)]
#[template(path = "environments.html")]
struct Environments {
    shell: Shell,
    rows: Vec<Row>,
    limits: Vec<(&'static str, String, &'static str)>,
    wrong: Option<&'static str>,
}

#[derive(Debug)]
struct Row {
    slug: String,
    production: bool,
    integrations: String,
    keys: usize,
    endpoints: usize,
}

/// Lists the environments and the limits.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    show(&state, &here, None).await
}

async fn show(state: &AppState, here: &Here, wrong: Option<&'static str>) -> Shown {
    let mut rows = Vec::new();
    for scope in here.visitor.environments.iter() {
        let all = IntegrationFilter::default();
        let integrations = state.store.integration_search(scope, &all).await?.total;
        let keys = state.store.api_key_list(scope).await?;
        rows.push(Row {
            slug: scope.slug().to_owned(),
            production: scope.kind() == EnvironmentKind::Production,
            integrations: grouped(integrations),
            keys: keys.iter().filter(|key| key.revoked_at.is_none()).count(),
            endpoints: state.store.endpoint_list(scope).await?.len(),
        });
    }
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page =
        Environments { shell: here.shell("environments"), rows, limits: limits(state), wrong };
    Ok(html_as(status, &page))
}

fn limits(state: &AppState) -> Vec<(&'static str, String, &'static str)> {
    let quota = |quota: Option<crate::limit::Quota>| {
        quota.map_or_else(
            || "no limit".to_owned(),
            |quota| format!("{} in {} s", grouped(quota.requests), quota.window_seconds),
        )
    };
    let settings = &state.parts.settings;
    let ms = |time: std::time::Duration| duration(i64::try_from(time.as_millis()).unwrap_or(0));
    vec![
        ("Requests of one key", quota(state.quotas.per_key), "requests_per_minute_per_key"),
        (
            "Requests of one environment",
            quota(state.quotas.per_environment),
            "requests_per_minute_per_environment",
        ),
        ("Calls to one integration's tool at once", LIVE_AT_ONCE.to_string(), ""),
        (
            "Largest body of a request",
            format!("{} bytes", grouped(state.body_limit_bytes as i64)),
            "body_limit_bytes",
        ),
        (
            "Syncs at once in this process",
            settings.concurrent_syncs.to_string(),
            "concurrent_syncs",
        ),
        ("A live call with its waits", ms(settings.live_timeout), "live_seconds"),
        ("Everything is read again at least every", ms(settings.full_every), ""),
    ]
}

/// Makes an environment.
pub(super) async fn add(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let slug = form.text("slug");
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > 40 || !slug.chars().all(fits) {
        let words = "Name: small letters, digits and hyphens, up to 40 of them.";
        return show(&state, &here, Some(words)).await;
    }
    if here.visitor.environments.iter().any(|scope| scope.slug() == slug) {
        return show(&state, &here, Some("There is an environment of this name.")).await;
    }
    let kind = match form.text("kind") {
        "production" => EnvironmentKind::Production,
        _ => EnvironmentKind::Development,
    };
    state.store.environment_create(slug, kind).await?;
    here.visitor.note(&state, None, "environment.created", slug, kind.as_str()).await?;
    Ok(see_other(&format!("/env/{slug}/environments?done=environment")))
}
