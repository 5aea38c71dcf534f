//! `/env/{env}/audit`: who did what, in the environment or with the installation as a whole.

use askama::Template;
use axum::extract::State;
use cadre_store::{AuditEntry, AuditFilter};

use super::page::{Moment, Shown, html};
use super::shell::{Here, Shell};
use crate::state::AppState;

/// Entries on a page.
const ON_PAGE: u32 = 100;

#[derive(Debug, Template)]
#[template(path = "audit.html")]
struct Audit {
    shell: Shell,
    whole: bool,
    actor: String,
    act: String,
    subject: String,
    rows: Vec<Row>,
    narrowed: bool,
    after: Option<String>,
}

#[derive(Debug)]
struct Row {
    at: Moment,
    actor: String,
    act: String,
    subject: String,
    detail: String,
}

/// Lists entries.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    let whole = here.asked("of").as_deref() == Some("installation");
    let filter = AuditFilter {
        actor: here.asked("actor"),
        act: here.asked("act"),
        subject: here.asked("subject"),
        before: here.asked("before").and_then(|at| at.parse().ok()),
        limit: ON_PAGE + 1,
    };
    let scope = if whole { None } else { Some(&here.scope) };
    let mut found = state.store.audit_list(scope, &filter).await?;
    let more = found.len() > ON_PAGE as usize;
    found.truncate(ON_PAGE as usize);
    let last = found.last().filter(|_| more).map(|entry| entry.at.to_string());
    let (actor, act) = (filter.actor.unwrap_or_default(), filter.act.unwrap_or_default());
    let subject = filter.subject.unwrap_or_default();
    let of = if whole { "installation" } else { "" };
    let filters = [("of", of), ("actor", &actor), ("act", &act), ("subject", &subject)];
    let page = Audit {
        shell: here.shell("audit"),
        after: last.map(|last| super::logs::query(&filters, &[("before", &last)])),
        narrowed: filters[1..].iter().any(|(_, value)| !value.is_empty()),
        rows: found.into_iter().map(row).collect(),
        whole,
        actor,
        act,
        subject,
    };
    Ok(html(&page))
}

fn row(entry: AuditEntry) -> Row {
    let act = entry.act;
    Row {
        at: Moment(entry.at),
        actor: act.actor,
        act: act.act,
        subject: act.subject,
        detail: act.detail,
    }
}
