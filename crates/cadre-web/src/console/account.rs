//! `/account`: one's own name, role and password.

use askama::Template;
use axum::extract::{RawQuery, State};
use cadre_model::secret::Secret;
use cadre_store::LogIn;
use http::{HeaderMap, StatusCode};

use super::door::{Posted, Visitor};
use super::login;
use super::page::{Shown, html_as};
use super::people::{password_problem, somewhere};
use super::shell::Shell;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "account.html")]
struct Account {
    shell: Shell,
    actor: String,
    has_password: bool,
    wrong: Option<&'static str>,
}

/// Shows the account.
pub async fn get(visitor: Visitor, RawQuery(query): RawQuery) -> Shown {
    show(&visitor, query.as_deref(), None)
}

fn show(visitor: &Visitor, query: Option<&str>, wrong: Option<&'static str>) -> Shown {
    let page = Account {
        shell: somewhere(visitor, query)?.shell("account"),
        actor: visitor.actor.clone(),
        has_password: visitor.person_id.is_some(),
        wrong,
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html_as(status, &page))
}

/// Changes one's own password; every other session of the person ends.
pub async fn password(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Posted,
) -> Shown {
    let Some(id) = visitor.person_id.clone() else {
        return show(&visitor, None, Some("Who came through a log-in link has no password."));
    };
    let (new, again) = (form.exact("password"), form.exact("again"));
    let old = Secret::from(form.exact("old"));
    if let Some(wrong) = password_problem(new, again) {
        return show(&visitor, None, Some(wrong));
    }
    let LogIn::Done(..) = state.store.person_log_in(&visitor.actor, &old).await? else {
        return show(&visitor, None, Some("The present password is wrong."));
    };
    let new = Secret::from(new);
    state.store.person_password_set(&id, &new).await?;
    visitor.note(&state, None, "person.password", &visitor.actor, "their own").await?;
    match state.store.person_log_in(&visitor.actor, &new).await? {
        LogIn::Done(session, _) => {
            Ok(login::begin(&state, &headers, &session, "/account?done=password").await?)
        }
        LogIn::Refused | LogIn::Locked { .. } => Ok(super::page::see_other("/login")),
    }
}
