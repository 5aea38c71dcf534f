//! `/v1/assessment`: what can be ordered in a customer's tool, and what was. Results are an action.

use axum::extract::{RawQuery, State};
use cadre_model::action::ORDERS;
use cadre_model::fault::Code;
use cadre_model::ids::is_id;
use cadre_model::time::wire;
use cadre_store::{AssessmentOrder, OrderFilter, Package};
use serde_json::{Value, json};

use crate::body::JsonBody;
use crate::gate;
use crate::listing::{
    Cursor, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Moment, Pairs, Position, Problem, fault,
};
use crate::refuse::Refused;
use crate::reply::{Data, Warned};
use crate::scope::{ForIntegration, unavailable};
use crate::state::AppState;

/// The kinds of packages.
pub const KINDS: &[&str] =
    &["BEHAVIORAL", "VIDEO_INTERVIEW", "SKILLS_TEST", "BACKGROUND_CHECK", "REFERENCE_CHECK"];
/// How orders can stand.
pub const STATUSES: &[&str] = &["OPEN", "COMPLETED", "CANCELLED", "REJECTED"];
/// Most packages of an integration.
const MOST: usize = 1_000;

/// Replaces the packages of an integration.
///
/// # Errors
///
/// Everything that is wrong with the body, at once; or that nothing can be ordered in the tool.
pub async fn put_packages(
    State(state): State<AppState>,
    here: ForIntegration,
    body: JsonBody,
) -> Result<Warned<Value>, Refused> {
    let packages = packages_in(&body)?;
    gate::orders(&state, &here)?;
    state.store.assessment_packages_set(&here.scope, &packages).await.map_err(unavailable)?;
    Ok(Warned { data: json!({}), warnings: Vec::new() })
}

fn packages_in(body: &JsonBody) -> Result<Vec<Package>, Refused> {
    let items = match body.0.get("packages") {
        Some(Value::Array(items)) if items.len() <= MOST => items,
        _ => return Err(body.wrong("packages", &format!("a list of at most {MOST}"))),
    };
    let (mut packages, mut problems) = (Vec::<Package>::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        let mut text = |name: &str, expected: &str, fits: &dyn Fn(&str) -> bool| {
            let found = item[name].as_str().filter(|text| fits(text));
            if found.is_none() {
                problems.push(format!("`body.packages[{at}].{name}`: expected {expected}"));
            }
            found.unwrap_or_default().to_owned()
        };
        let filled = |text: &str| !text.trim().is_empty() && text.len() <= 500;
        let package = Package {
            id: text("id", "text of 1 to 500 characters", &filled),
            kind: text("type", &format!("one of {}", KINDS.join(", ")), &|kind| {
                KINDS.contains(&kind)
            }),
            name: text("name", "text of 1 to 500 characters", &filled),
            description: text("description", "text", &|_| true),
            updated_at: 0,
        };
        if packages.iter().any(|known| known.id == package.id) {
            problems.push(format!("`body.packages[{at}].id`: expected an id of its own"));
        }
        packages.push(package);
    }
    if problems.is_empty() {
        return Ok(packages);
    }
    problems.truncate(50);
    let message = format!("Invalid request: {}.", problems.join("; "));
    Err(Refused::new(Code::PlatformInputInvalid, message))
}

/// Shows the packages of an integration.
///
/// # Errors
///
/// When nothing can be ordered in the tool.
pub async fn get_packages(
    State(state): State<AppState>,
    here: ForIntegration,
) -> Result<Data<Value>, Refused> {
    gate::orders(&state, &here)?;
    let packages = state.store.assessment_packages(&here.scope).await.map_err(unavailable)?;
    let shown = packages.iter().map(|package| {
        json!({
            "id": package.id, "name": package.name, "description": package.description,
            "updated_at": wire(package.updated_at), "type": package.kind,
        })
    });
    Ok(Data(json!({ "packages": shown.collect::<Vec<_>>() })))
}

/// Lists orders.
///
/// # Errors
///
/// Everything that is wrong with the query, at once; or that nothing can be ordered in the tool.
pub async fn orders(
    State(state): State<AppState>,
    here: ForIntegration,
    RawQuery(query): RawQuery,
) -> Result<Data<Value>, Refused> {
    list(&state, &here, query.as_deref(), false).await
}

/// Lists orders that are open.
///
/// # Errors
///
/// As [`orders`].
pub async fn open_orders(
    State(state): State<AppState>,
    here: ForIntegration,
    RawQuery(query): RawQuery,
) -> Result<Data<Value>, Refused> {
    list(&state, &here, query.as_deref(), true).await
}

async fn list(
    state: &AppState,
    here: &ForIntegration,
    query: Option<&str>,
    open: bool,
) -> Result<Data<Value>, Refused> {
    let mut filter = asked(query, here, open)?;
    gate::orders(state, here)?;
    let position = filters(&filter, open);
    let size = filter.limit as usize;
    filter.limit += 1;
    let mut orders =
        state.store.assessment_orders(&here.scope, &filter).await.map_err(unavailable)?;
    let more = orders.len() > size;
    orders.truncate(size);
    let last = orders.last().filter(|_| more);
    let next = last.map(|order| Cursor::write(place(here, &position), &order.id));
    let results: Vec<Value> = orders.iter().map(|order| shown(order, open)).collect();
    Ok(Data(json!({ "next": next, "results": results })))
}

fn shown(order: &AssessmentOrder, open: bool) -> Value {
    let mut shown = order.shown();
    if open && let Some(fields) = shown.as_object_mut() {
        fields.remove("status");
    }
    shown
}

/// Everything that narrows the list, in one form.
fn filters(filter: &OrderFilter, open: bool) -> String {
    json!([filter.ids, filter.statuses, filter.created_after, open]).to_string()
}

fn place<'a>(here: &'a ForIntegration, filters: &'a str) -> Position<'a> {
    Position {
        environment_id: here.scope.environment_id(),
        integration_id: here.scope.id(),
        model: ORDERS,
        filters,
    }
}

fn asked(query: Option<&str>, here: &ForIntegration, open: bool) -> Result<OrderFilter, Refused> {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query, &mut problems);
    let mut filter = OrderFilter { limit: DEFAULT_PAGE_SIZE, ..OrderFilter::default() };
    if let Some(text) = pairs.one("page_size", &mut problems) {
        match text.parse::<u32>().ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size)) {
            Some(size) => filter.limit = size,
            None => {
                let expected = format!("a number from 1 to {MAX_PAGE_SIZE}");
                problems.push(Problem::new("page_size", expected, text));
            }
        }
    }
    if open {
        filter.statuses = Some(vec!["OPEN".to_owned()]);
    } else {
        let mut list = |name: &'static str, expected: &str, fits: &dyn Fn(&str) -> bool| {
            let values = pairs.all(name).flat_map(|list| list.split(','));
            let values: Vec<String> =
                values.filter(|value| !value.is_empty()).map(str::to_owned).collect();
            for value in values.iter().filter(|value| !fits(value)).take(1) {
                problems.push(Problem::new(name, expected.to_owned(), value));
            }
            (!values.is_empty()).then_some(values)
        };
        filter.ids = list("ids", "ids of orders", &is_id);
        let statuses = format!("one of {}", STATUSES.join(", "));
        filter.statuses = list("statuses", &statuses, &|status| STATUSES.contains(&status));
        if let Some(text) = pairs.one("created_after", &mut problems) {
            match Moment::parse(text) {
                Some(moment) => filter.created_after = Some(moment.ms),
                None => problems.push(Problem::new("created_after", "a moment or a day", text)),
            }
        }
    }
    if let Some(text) = pairs.one("cursor", &mut problems).filter(|text| !text.is_empty()) {
        let narrowed = filters(&filter, open);
        match Cursor::read(text, place(here, &narrowed)) {
            Ok(after) => filter.after_id = after,
            Err(problem) => problems.push(Problem::new("cursor", problem.expected(), text)),
        }
    }
    if problems.is_empty() { Ok(filter) } else { Err(fault(&problems).into()) }
}
