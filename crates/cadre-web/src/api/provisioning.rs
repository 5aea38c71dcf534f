//! `POST /v1/hris/provisioning-groups/{group_id}/diff`: who should have an account and who should not.
//!
//! The group is made of everybody in the mirror who is employed; what is compared is the work address.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use cadre_model::fault::{Code, Fault};
use cadre_model::registry;
use cadre_store::ListQuery;
use serde_json::{Map, Value, json};

use super::integrations::field_names;
use crate::body::JsonBody;
use crate::gate;
use crate::recorder::Call;
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, ForIntegration, NamedIntegration, PathPart, unavailable};
use crate::state::AppState;

/// The one group that there is.
const GROUP: &str = "default";
/// What may be shown of an employee.
pub(crate) const FIELDS: &[&str] = &[
    "id",
    "remote_id",
    "first_name",
    "last_name",
    "groups",
    "avatar",
    "work_location_id",
    "legal_entity_id",
];
/// Records that are read at once.
const PAGE: u32 = 250;
/// Problems that are named.
const NAMED: usize = 50;

/// A person who has an account.
struct User {
    shown: Map<String, Value>,
    email: String,
}

/// Compares those who have an account with those who are employed.
///
/// # Errors
///
/// Everything that is wrong with the request, at once; then whatever stands between the caller and the
/// employees.
pub async fn diff(
    State(state): State<AppState>,
    caller: Caller,
    PathPart(group): PathPart,
    NamedIntegration(integration): NamedIntegration,
    Extension(call): Extension<Arc<Call>>,
    JsonBody(body): JsonBody,
) -> Result<Data<Value>, Refused> {
    let mut problems = Vec::new();
    if group != GROUP {
        problems.push(format!("`path.group_id`: expected {GROUP:?}"));
    }
    let users = users(&body, &mut problems);
    let fields = fields(&body, &mut problems);
    if !problems.is_empty() {
        problems.truncate(NAMED);
        let message = format!("Invalid request: {}.", problems.join("; "));
        return Err(Refused::new(Code::PlatformInputInvalid, message));
    }
    let here = ForIntegration::find(&state, &caller, Some(&call), &integration).await?;
    let employees = employees(&state, &caller, &here).await?;
    let mut by_email: HashMap<String, Value> = HashMap::new();
    let mut to_provision = Vec::new();
    let known: HashSet<&str> = users.iter().map(|user| user.email.as_str()).collect();
    for employee in employees {
        let email = employee["work_email"].as_str().map(str::to_lowercase);
        let shown: Map<String, Value> =
            fields.iter().map(|name| ((*name).to_owned(), employee[*name].clone())).collect();
        match email {
            Some(email) if known.contains(email.as_str()) => {
                by_email.insert(email, Value::Object(shown));
            }
            _ => to_provision.push(json!({ "email": employee["work_email"], "employee": shown })),
        }
    }
    let (mut already, mut to_deprovision) = (Vec::new(), Vec::new());
    for user in users {
        let mut shown = user.shown;
        match by_email.get(&user.email) {
            Some(employee) => {
                shown.insert("employee".to_owned(), employee.clone());
                already.push(shown);
            }
            None => to_deprovision.push(shown),
        }
    }
    Ok(Data(json!({ "users": {
        "to_provision": to_provision, "to_deprovision": to_deprovision,
        "already_provisioned": already,
    } })))
}

/// Everybody who is employed, as lists show them.
async fn employees(
    state: &AppState,
    caller: &Caller,
    here: &ForIntegration,
) -> Result<Vec<Value>, Refused> {
    let model = registry::model("hris_employees");
    let model = model.ok_or_else(|| Fault::unknown("there is no model of employees"))?;
    let config = gate::scope_config(state, &caller.scope, &here.integration).await?;
    let offered = gate::offered(state, &here.integration);
    gate::readable(state, here, &config, &offered, model).await?;
    let hidden: HashSet<&str> =
        field_names(model).filter(|name| !config.field_enabled(model.id, name)).collect();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query = ListQuery { limit: PAGE, after_id: after, ..ListQuery::default() };
        let page = state.store.records_list(&here.scope, model, &query, &hidden).await;
        let page = page.map_err(unavailable)?;
        let records: Vec<Value> = serde_json::from_str(&page.body)
            .map_err(|error| Refused::from(Fault::unknown(error)))?;
        found.extend(records.into_iter().filter(|one| one["employment_status"] != "INACTIVE"));
        after = page.last_id;
        if !page.more {
            return Ok(found);
        }
    }
}

fn users(body: &Map<String, Value>, problems: &mut Vec<String>) -> Vec<User> {
    let Some(given) = body.get("provisioned_users").and_then(Value::as_array) else {
        problems.push("`body.provisioned_users`: expected a list".to_owned());
        return Vec::new();
    };
    let mut users = Vec::new();
    for (at, user) in given.iter().enumerate() {
        let path = format!("body.provisioned_users[{at}]");
        let text = |name: &str| user.get(name).and_then(Value::as_str);
        let email = text("email").filter(|email| email.contains('@'));
        if text("origin_id").is_none() {
            problems.push(format!("`{path}.origin_id`: expected text"));
        }
        match (text("origin_id"), email) {
            (Some(origin_id), Some(email)) => users.push(User {
                shown: Map::from_iter([
                    ("origin_id".to_owned(), origin_id.into()),
                    ("email".to_owned(), email.into()),
                ]),
                email: email.to_lowercase(),
            }),
            (_, None) => problems.push(format!("`{path}.email`: expected an e-mail address")),
            _ => {}
        }
    }
    users
}

fn fields(body: &Map<String, Value>, problems: &mut Vec<String>) -> Vec<&'static str> {
    let given = body.get("options").and_then(|options| options.get("employee_fields"));
    let Some(given) = given.and_then(Value::as_array) else {
        problems.push("`body.options.employee_fields`: expected a list".to_owned());
        return Vec::new();
    };
    let mut fields = Vec::new();
    for (at, name) in given.iter().enumerate() {
        match FIELDS.iter().find(|known| name == **known) {
            Some(known) => fields.push(*known),
            None => problems.push(format!(
                "`body.options.employee_fields[{at}]`: expected one of {}",
                FIELDS.join(", ")
            )),
        }
    }
    fields
}
