//! `…/assessment`: what can be ordered in the customer's tool, what was ordered, and, where its
//! connector allows that, ordering by hand.

use askama::Template;
use axum::extract::State;
use cadre_jobs::assessment::order_by_hand;
use cadre_store::{AssessmentOrder, OrderFilter, OrderStatus, Package};
use serde_json::json;

use super::door::Posted;
use super::page::{Badge, Moment, Shown, html, see_other};
use super::shell::{Chosen, Header, Shell};
use crate::api::assessment::{KINDS, STATUSES};
use crate::state::AppState;

/// Orders that the page shows of each kind.
const ORDERS: u32 = 100;

#[derive(Debug, Template)]
#[template(path = "assessment.html")]
struct Page {
    shell: Shell,
    header: Header,
    packages: Vec<Package>,
    groups: Vec<(&'static str, Vec<OrderOut>)>,
    by_hand: bool,
    kinds: &'static [&'static str],
    /// Where the tool calls, and what it proves itself with; for developers only.
    address: Option<(String, String)>,
    wrong: Option<String>,
}

#[derive(Debug)]
struct OrderOut {
    id: String,
    badge: Badge,
    package: String,
    candidate: String,
    job: String,
    at: Moment,
    note: Option<String>,
    result_url: Option<String>,
    result: Option<String>,
}

/// Shows packages and orders.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let packages = state.store.assessment_packages(&chosen.scope).await?;
    let mut groups = Vec::new();
    for status in STATUSES {
        let statuses = Some(vec![(*status).to_owned()]);
        let filter = OrderFilter { statuses, limit: ORDERS, ..OrderFilter::default() };
        let mut orders = state.store.assessment_orders(&chosen.scope, &filter).await?;
        orders.sort_by_key(|order| std::cmp::Reverse(order.created_at));
        let orders: Vec<OrderOut> = orders.into_iter().map(|order| out(order, &packages)).collect();
        if !orders.is_empty() {
            groups.push((*status, orders));
        }
    }
    let shell = chosen.here.shell("integrations");
    let address = match shell.developer() {
        true => cadre_jobs::hooks::address(&state.parts, &chosen.scope).await?,
        false => None,
    };
    let page = Page {
        shell,
        header: chosen.header(&state, "assessment"),
        packages,
        groups,
        by_hand: by_hand(&state, &chosen),
        kinds: KINDS,
        address: address.map(|(url, hook)| (url, hook.secret.expose().to_owned())),
        wrong: chosen.here.asked("wrong"),
    };
    Ok(html(&page))
}

fn by_hand(state: &AppState, chosen: &Chosen) -> bool {
    let entry = state.catalog.get(&chosen.found.integration.tool);
    let section =
        entry.and_then(|entry| entry.connector.manifest().assessment.as_ref().map(|s| s.by_hand));
    section.unwrap_or(false)
}

fn out(order: AssessmentOrder, packages: &[Package]) -> OrderOut {
    let text = |place: &str| order.body.pointer(place).and_then(|value| value.as_str());
    let name = [text("/candidate/first_name"), text("/candidate/last_name")];
    let name: Vec<&str> = name.into_iter().flatten().collect();
    let email = text("/candidate/email").unwrap_or_default();
    let candidate =
        if name.is_empty() { email.to_owned() } else { format!("{} <{email}>", name.join(" ")) };
    let package = packages.iter().find(|package| package.id == order.package_id);
    let waits = order.result.is_some() && order.handed_over_at.is_none();
    let note = match (&order.rejection, waits) {
        (Some(reason), _) => Some(reason.clone()),
        (None, true) => Some("The tool does not have the result yet: send it again.".to_owned()),
        (None, false) => None,
    };
    let badge = match order.status {
        OrderStatus::Open => Badge::plain("open"),
        OrderStatus::Completed => Badge::good("completed"),
        OrderStatus::Cancelled => Badge::warn("cancelled"),
        OrderStatus::Rejected => Badge::bad("rejected"),
    };
    OrderOut {
        badge,
        package: package.map_or(order.package_id.clone(), |package| package.name.clone()),
        candidate,
        job: text("/job/name").unwrap_or_default().to_owned(),
        at: Moment(order.created_at),
        note,
        result_url: order.result.as_ref().and_then(|r| r["result_url"].as_str().map(str::to_owned)),
        result: order.result.as_ref().and_then(|r| serde_json::to_string_pretty(r).ok()),
        id: order.id,
    }
}

/// Adds a package, orders one, or removes everything.
pub(super) async fn act(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let back = format!("{}/assessment", chosen.base());
    if !by_hand(&state, &chosen) {
        return Ok(see_other(&back));
    }
    let store = &state.store;
    match form.text("act") {
        "package" if !form.text("id").is_empty() && KINDS.contains(&form.text("type")) => {
            let mut packages = store.assessment_packages(&chosen.scope).await?;
            packages.retain(|package| package.id != form.text("id"));
            packages.push(Package {
                id: form.text("id").to_owned(),
                kind: form.text("type").to_owned(),
                name: form.text("name").to_owned(),
                description: form.text("description").to_owned(),
                updated_at: 0,
            });
            store.assessment_packages_set(&chosen.scope, &packages).await?;
            chosen.note(&state, "assessment.package", form.text("id")).await?;
        }
        "order" => {
            let order = json!({
                "package_id": form.text("package"), "inline": form.text("inline") == "yes",
                "candidate": {
                    "email": form.text("email"), "first_name": form.text("first_name"),
                    "last_name": form.text("last_name"),
                },
                "job": { "name": form.text("job") },
            });
            match order_by_hand(&state.parts, &chosen.scope, &order).await? {
                Ok(id) => chosen.note(&state, "assessment.order", &id).await?,
                Err(_) => return Ok(see_other(&format!("{back}?wrong=order"))),
            }
        }
        "reset" => {
            store.assessment_reset(&chosen.scope).await?;
            chosen.note(&state, "assessment.reset", "").await?;
        }
        _ => {}
    }
    Ok(see_other(&back))
}
