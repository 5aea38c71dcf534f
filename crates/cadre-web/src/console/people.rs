//! `/people`: who may log in, and what each may do.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::email::is_email;
use cadre_model::secret::Secret;
use cadre_store::{NewPerson, Role};
use http::StatusCode;

use super::door::{Posted, Visitor};
use super::page::{Moment, Shown, Trouble, html_as, see_other};
use super::shell::{Here, Named, Shell};
use crate::state::AppState;

/// Shortest password, in characters.
pub(super) const SHORTEST_PASSWORD: usize = 12;

#[derive(Debug, Template)]
#[template(path = "people.html")]
struct People {
    shell: Shell,
    people: Vec<PersonOut>,
    roles: [(Role, &'static str); 4],
    wrong: Option<&'static str>,
    name: String,
    email: String,
}

#[derive(Debug)]
struct PersonOut {
    id: String,
    name: String,
    email: String,
    role: Role,
    disabled: bool,
    is_visitor: bool,
    last_log_in: Option<Moment>,
}

/// Each role, with what it may do.
const ROLES: [(Role, &str); 4] = [
    (Role::ReadOnly, "Looks at everything but records and audit log; changes nothing."),
    (Role::Support, "Also looks at records, syncs, pauses, answers issues, replays webhooks."),
    (Role::Developer, "Also keys, webhook endpoints, scope configurations, deleting."),
    (Role::Admin, "Everything: people, environments, audit log, force unlock."),
];

/// The pages that belong to no environment stand in the first one.
pub(super) fn somewhere(visitor: &Visitor, query: Option<&str>) -> Result<Here, Trouble> {
    let scope = visitor.environments.first().cloned();
    let scope = scope.ok_or(Trouble::Missing("An environment"))?;
    Ok(Here::new(visitor.clone(), scope, query))
}

/// What is wrong with a name or an address.
pub(super) fn new_person_problem(name: &str, email: &str) -> Option<&'static str> {
    if name.is_empty() || name.chars().count() > 100 {
        return Some("Name: up to 100 characters, and not empty.");
    }
    (!is_email(&email.to_lowercase())).then_some("E-mail: an address such as ada@example.com.")
}

/// What is wrong with a password, typed twice.
pub(super) fn password_problem(password: &str, again: &str) -> Option<&'static str> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > 1024 {
        return Some("Password: 12 characters or more. A sentence is easy to remember.");
    }
    (password != again).then_some("The two passwords are not the same.")
}

/// Lists the people.
pub async fn get(
    State(state): State<AppState>,
    visitor: Visitor,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
) -> Shown {
    let here = somewhere(&visitor, query.as_deref())?;
    show(&state, &here, None, ("", "")).await
}

async fn show(
    state: &AppState,
    here: &Here,
    wrong: Option<&'static str>,
    (name, email): (&str, &str),
) -> Shown {
    let visitor = &here.visitor;
    let people = state.store.people().await?.into_iter().map(|person| PersonOut {
        is_visitor: visitor.person_id.as_deref() == Some(&person.id),
        disabled: person.disabled_at.is_some(),
        last_log_in: person.last_log_in_at.map(Moment),
        id: person.id,
        name: person.name,
        email: person.email,
        role: person.role,
    });
    let page = People {
        shell: here.shell("people"),
        people: people.collect(),
        roles: ROLES,
        wrong,
        name: name.to_owned(),
        email: email.to_owned(),
    };
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html_as(status, &page))
}

/// Adds a person.
pub async fn add(State(state): State<AppState>, visitor: Visitor, form: Posted) -> Shown {
    let here = somewhere(&visitor, None)?;
    let (name, email) = (form.text("name"), form.text("email"));
    let password = form.exact("password");
    let role = Role::named(form.text("role")).unwrap_or(Role::ReadOnly);
    let wrong = new_person_problem(name, email).or_else(|| password_problem(password, password));
    if wrong.is_some() {
        return show(&state, &here, wrong, (name, email)).await;
    }
    let new = NewPerson {
        email: email.to_owned(),
        name: name.to_owned(),
        role,
        password: Secret::from(password),
    };
    match state.store.person_create(new).await? {
        None => {
            let wrong = Some("There is somebody with this address.");
            show(&state, &here, wrong, (name, email)).await
        }
        Some(person) => {
            visitor.note(&state, None, "person.added", &person.email, role.as_str()).await?;
            Ok(see_other("/people?done=person-added"))
        }
    }
}

/// Changes what a person may do, and whether they may log in.
pub async fn change(
    State(state): State<AppState>,
    visitor: Visitor,
    named: Named,
    form: Posted,
) -> Shown {
    let here = somewhere(&visitor, None)?;
    let people = state.store.people().await?;
    let person = people.into_iter().find(|person| person.id == named.part("person"));
    let person = person.ok_or(Trouble::Missing("A person with this id"))?;
    let role = Role::named(form.text("role")).unwrap_or(person.role);
    let disabled = form.text("disabled") == "yes";
    if !state.store.person_change(&person.id, role, disabled).await? {
        let wrong = Some("There must be one admin who can log in. Make somebody else one first.");
        return show(&state, &here, wrong, ("", "")).await;
    }
    let detail = format!("{role}{}", if disabled { ", may not log in" } else { "" });
    visitor.note(&state, None, "person.changed", &person.email, detail).await?;
    Ok(see_other("/people?done=person"))
}

/// Gives a person another password.
pub async fn password(
    State(state): State<AppState>,
    visitor: Visitor,
    named: Named,
    form: Posted,
) -> Result<Response, Trouble> {
    let here = somewhere(&visitor, None)?;
    let password = form.exact("password");
    let wrong = password_problem(password, password);
    if wrong.is_some() {
        return show(&state, &here, wrong, ("", "")).await;
    }
    if !state.store.person_password_set(named.part("person"), &Secret::from(password)).await? {
        return Err(Trouble::Missing("A person with this id"));
    }
    visitor.note(&state, None, "person.password", named.part("person"), "").await?;
    Ok(see_other("/people?done=person"))
}
