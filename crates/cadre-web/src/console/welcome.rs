//! `/welcome`: whoever came through the first log-in link makes the account of the admin.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::secret::Secret;
use cadre_store::{LogIn, NewPerson, Role};
use http::{HeaderMap, StatusCode};

use super::door::{Posted, Visitor};
use super::login;
use super::page::{Shown, html, html_as, see_other};
use super::people::{new_person_problem, password_problem};
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "welcome.html")]
struct Welcome {
    csrf: String,
    name: String,
    email: String,
    wrong: Option<&'static str>,
}

/// Shows the form, as long as there is nobody.
pub async fn get(State(state): State<AppState>, visitor: Visitor) -> Shown {
    if !state.store.people().await?.is_empty() {
        return Ok(see_other("/"));
    }
    let csrf = visitor.csrf;
    Ok(html(&Welcome { csrf, name: String::new(), email: String::new(), wrong: None }))
}

/// Makes the account and logs in with it.
pub async fn post(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    form: Posted,
) -> Shown {
    if !state.store.people().await?.is_empty() {
        return Ok(see_other("/"));
    }
    let (name, email) = (form.text("name").to_owned(), form.text("email").to_owned());
    let password = Secret::from(form.exact("password"));
    let wrong = new_person_problem(&name, &email)
        .or_else(|| password_problem(password.expose(), form.exact("again")));
    if wrong.is_some() {
        let page = Welcome { csrf: visitor.csrf, name, email, wrong };
        return Ok(html_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let new = NewPerson { email, name, role: Role::Admin, password: password.clone() };
    let Some(person) = state.store.person_create(new).await? else { return Ok(see_other("/")) };
    visitor.note(&state, None, "person.added", &person.email, "admin, at the first start").await?;
    finish(&state, &headers, &person.email, &password).await
}

async fn finish(
    state: &AppState,
    headers: &HeaderMap,
    email: &str,
    password: &Secret,
) -> Result<Response, super::page::Trouble> {
    match state.store.person_log_in(email, password).await? {
        LogIn::Done(session, _) => {
            Ok(login::begin(state, headers, &session, "/?done=welcome").await?)
        }
        LogIn::Refused | LogIn::Locked { .. } => Ok(see_other("/login")),
    }
}
