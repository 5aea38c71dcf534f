//! Records as they go out.

use serde_json::{Value, json};

use crate::twin::call::Reply;
use crate::twin::house::{House, text};

/// Name, label and type of every attribute, beside the value.
pub(super) fn wrapped(label: &str, kind: &str, universal: &str, value: Value) -> Value {
    json!({"label": label, "value": value, "type": kind, "universal_id": universal})
}

pub(super) fn employee(house: &House, row: &Value) -> Value {
    let status = match row["status"].as_str() {
        Some("left") => "inactive",
        Some(other) => other,
        None => "active",
    };
    let day = |name: &str| match row[name].as_str() {
        Some(day) => format!("{day}T00:00:00+00:00").into(),
        None => Value::Null,
    };
    let manager = house.get("people", &row["manager"]);
    let named = |kind: &str, row: &Value| match row {
        Value::Null => Value::Null,
        row => json!({"type": kind, "attributes": {"id": row["id"], "name": row["name"]}}),
    };
    let hours = row["weekly_hours"].as_f64().map(|hours| hours.to_string());
    json!({"type": "Employee", "attributes": {
        "id": wrapped("ID", "integer", "id", row["id"].clone()),
        "first_name": wrapped("First name", "standard", "first_name", row["first"].clone()),
        "last_name": wrapped("Last name", "standard", "last_name", row["last"].clone()),
        "preferred_name": wrapped("Name (preferred)", "standard", "preferred_name", Value::Null),
        "email": wrapped("Email", "standard", "email", row["email"].clone()),
        "gender": wrapped("Gender", "standard", "gender", row["gender"].clone()),
        "status": wrapped("Status", "standard", "status", status.into()),
        "position": wrapped("Position", "standard", "position", row["title"].clone()),
        "supervisor": wrapped("Supervisor", "standard", "supervisor",
            if manager.is_null() { Value::Null } else { somebody(manager) }),
        "employment_type": wrapped("Employment type", "standard", "employment_type", "internal".into()),
        "weekly_working_hours": wrapped("Weekly hours", "standard", "weekly_working_hours", hours.into()),
        "hire_date": wrapped("Hire date", "date", "hire_date", day("start")),
        "contract_end_date": wrapped("Contract ends", "date", "contract_end_date", Value::Null),
        "termination_date": wrapped("Termination date", "date", "termination_date", day("end")),
        "termination_type": wrapped("Termination type", "standard", "termination_type", Value::Null),
        "termination_reason": wrapped("Termination reason", "standard", "termination_reason", Value::Null),
        "probation_period_end": wrapped("Probation period end", "date", "probation_period_end", Value::Null),
        "created_at": wrapped("Created at", "date", "created_at", row["created_at"].clone()),
        "last_modified_at": wrapped("Last modified", "date", "last_modified_at", row["updated_at"].clone()),
        "office": wrapped("Office", "standard", "office", named("Office", house.get("offices", &row["office"]))),
        "department": wrapped("Department", "standard", "department",
            named("Department", house.get("departments", &row["department"]))),
        "subcompany": wrapped("Subcompany", "standard", "subcompany", Value::Null),
        "team": wrapped("Team", "standard", "team", Value::Null),
        "cost_centers": wrapped("Cost center", "standard", "cost_centers", json!([])),
        "dynamic_101": wrapped("Birthday", "date", "date_of_birth", day("birthday")),
        "dynamic_102": wrapped("Personal email", "standard", "personal_email", row["private_email"].clone()),
    }})
}

pub(super) fn somebody(row: &Value) -> Value {
    json!({"type": "Employee", "attributes": {
        "id": wrapped("ID", "integer", "id", row["id"].clone()),
        "first_name": wrapped("First name", "standard", "first_name", row["first"].clone()),
        "last_name": wrapped("Last name", "standard", "last_name", row["last"].clone()),
        "email": wrapped("Email", "standard", "email", row["email"].clone()),
    }})
}

pub(super) fn attributes(house: &House) -> Reply {
    let sample = house.rows("people").next().map(|row| employee(house, &row.value));
    let fields = sample.as_ref().and_then(|sample| sample["attributes"].as_object());
    let rows: Vec<Value> = fields
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            json!({"key": key, "label": value["label"], "type": value["type"],
                "universal_id": value["universal_id"]})
        })
        .collect();
    Reply::json(200, &json!({"success": true, "data": rows}))
}

pub(super) fn category(row: &Value) -> &'static str {
    match row["name"].as_str() {
        Some("Vacation") => "paid_vacation",
        Some("Sick leave") => "sick_leave",
        _ => "other",
    }
}

pub(super) fn kind(row: &Value) -> Value {
    json!({"type": "TimeOffType", "attributes": {"id": row["id"], "name": row["name"],
        "category": category(row), "unit": row["unit"], "approval_required": true,
        "half_day_requests_enabled": true, "substitute_option": "optional"}})
}

pub(super) fn absence(house: &House, row: &Value) -> Value {
    let of_type = house.get("absence_types", &row["type"]);
    let moment = |day: &str| format!("{day}T00:00:00+0000");
    let at = |name: &str| text(row, name).replace('Z', "+0000");
    json!({"type": "TimeOffPeriod", "attributes": {
        "id": row["id"], "status": if row["state"] == "requested" { "pending" } else { "approved" },
        "comment": row["note"], "start_date": moment(text(row, "from")),
        "end_date": moment(text(row, "until")),
        "days_count": row["days"], "half_day_start": row["half_start"], "half_day_end": row["half_end"],
        "time_off_type": {"type": "TimeOffType", "attributes": {"id": of_type["id"],
            "name": of_type["name"], "category": category(of_type)}},
        "employee": somebody(house.get("people", &row["person"])),
        "certificate": {"status": "not-required"}, "created_by": "API",
        "created_at": at("created_at"), "updated_at": at("updated_at"),
    }})
}
