//! Records as they go out.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::twin::call::Reply;
use crate::twin::house::{House, day, full_name, is, text};

/// Hours of a day in time off that is counted in hours.
pub(super) const HOURS_A_DAY: f64 = 8.0;

pub(super) fn units(row: &Value) -> &'static str {
    if row["unit"] == "hour" { "hours" } else { "days" }
}

/// A date; where there is none, the API has zeros.
pub(super) fn date(value: &Value) -> Value {
    value.as_str().map_or("0000-00-00", |day| day).into()
}

/// The fields of the list: names and ids apart, texts or null.
pub(super) fn listed(house: &House, row: &Value, names: &[&str]) -> Value {
    let id = |value: &Value| value.as_u64().map(|id| id.to_string());
    let of = |list: &str, name: &str| house.get(list, &row[name]);
    let manager = of("people", "manager");
    let value = |name: &str| -> Option<Value> {
        Some(match name {
            "employeeId" => id(&row["id"]).into(),
            "firstName" => row["first"].clone(),
            "lastName" => row["last"].clone(),
            "jobTitleName" => row["title"].clone(),
            "status" => if row["status"] == "left" { "Inactive" } else { "Active" }.into(),
            "workEmail" => row["email"].clone(),
            "homeEmail" => row["private_email"].clone(),
            "mobilePhone" => row["phone"].clone(),
            "hireDate" => row["start"].clone(),
            "birthDate" => row["birthday"].clone(),
            "departmentId" => id(&row["department"]).into(),
            "departmentName" => of("departments", "department")["name"].clone(),
            "locationId" => id(&row["office"]).into(),
            "locationName" => of("offices", "office")["name"].clone(),
            "reportsToId" => id(&row["manager"]).into(),
            "reportsToName" if !manager.is_null() => full_name(manager).into(),
            "preferredName"
            | "photoUrl"
            | "reportsToName"
            | "middleName"
            | "divisionId"
            | "divisionName"
            | "jobTitleId"
            | "employmentStatusId"
            | "employmentStatusName"
            | "bestEmail"
            | "workPhone"
            | "workPhoneExtension"
            | "homePhone" => Value::Null,
            // A name that is not known is passed over.
            _ => return None,
        })
    };
    names.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect()
}

/// The fields of one person, by the names of the list of fields; those that are not known are left out.
pub(super) fn fields(house: &House, row: &Value, names: &[&str]) -> Value {
    let of = |list: &str, name: &str| house.get(list, &row[name]);
    let manager = of("people", "manager");
    let word = |name: &str| {
        let text = text(row, name);
        let mut chars = text.chars();
        chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
    };
    let value = |name: &str| -> Option<Value> {
        Some(match name {
            "firstName" => row["first"].clone(),
            "lastName" => row["last"].clone(),
            "displayName" => full_name(row).into(),
            // A number of the company's own, which is not the id.
            "employeeNumber" => format!("N-{}", row["id"]).into(),
            "jobTitle" | "jobTitleName" => row["title"].clone(),
            "workEmail" | "bestEmail" => row["email"].clone(),
            "homeEmail" => row["private_email"].clone(),
            "mobilePhone" => row["phone"].clone(),
            "department" => of("departments", "department")["name"].clone(),
            "location" => of("offices", "office")["name"].clone(),
            "status" => if row["status"] == "left" { "Inactive" } else { "Active" }.into(),
            "employmentHistoryStatus" => {
                if row["status"] == "left" { "Terminated" } else { "Full-Time" }.into()
            }
            "hireDate" | "originalHireDate" => date(&row["start"]),
            "terminationDate" => date(&row["end"]),
            "dateOfBirth" | "birthDate" => date(&row["birthday"]),
            "gender" => word("gender").into(),
            // The id of a person, and the number that the company gave.
            "supervisorEId" | "reportsToId" => {
                manager["id"].as_u64().map(|id| id.to_string()).into()
            }
            "supervisorId" if !manager.is_null() => format!("N-{}", manager["id"]).into(),
            "departmentId" => row["department"].as_u64().map(|id| id.to_string()).into(),
            "locationId" => row["office"].as_u64().map(|id| id.to_string()).into(),
            "standardHoursPerWeek" => {
                row["weekly_hours"].as_f64().map(|hours| hours.to_string()).into()
            }
            "supervisor" if !manager.is_null() => {
                format!("{}, {}", text(manager, "last"), text(manager, "first")).into()
            }
            "supervisorEmail" => manager["email"].clone(),
            "address1" => row["street"].clone(),
            "city" => row["city"].clone(),
            "zipcode" => row["zip"].clone(),
            "country" => country(text(row, "country")).into(),
            "lastChanged" => row["updated_at"].clone(),
            "createdAt" => row["created_at"].clone(),
            "supervisor" | "supervisorId" | "divisionId" | "preferredName" | "middleName"
            | "state" | "address2" | "maritalStatus" | "division" | "ssn" | "photoUrl"
            | "homePhone" | "workPhone" | "nationality" | "ethnicity" | "payRate" | "payType"
            | "sin" | "nin" | "taxId" => Value::Null,
            _ => return None,
        })
    };
    let mut found: Map<String, Value> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect();
    found.insert("id".to_owned(), row["id"].to_string().into());
    Value::Object(found)
}

/// Countries by their English names, as the API has them.
pub(super) fn country(code: &str) -> &str {
    let found = crate::words::REGIONS.iter().find(|region| region.country == code);
    found.map_or(code, |region| region.name)
}

pub(super) fn table_of(house: &House, id: &str, table: &str) -> Reply {
    let people = house.rows("people").map(|row| &row.value);
    let own = people.filter(|row| id == "all" || is(&row["id"], id));
    let rows: Vec<Value> = own
        .map(|row| {
            let base = json!({"id": row["id"].to_string(), "employeeId": row["id"].to_string(),
                "date": row["start"]});
            let names: &[&str] = match table {
                "jobInfo" => &["jobTitle", "department", "location", "division"],
                "employmentStatus" => &["employmentHistoryStatus"],
                _ => &[],
            };
            let mut all = fields(house, row, names);
            all["employeeId"] = base["employeeId"].clone();
            all["date"] = base["date"].clone();
            if table == "employmentStatus" {
                all["employmentStatus"] = all["employmentHistoryStatus"].clone();
            }
            if table == "jobInfo" {
                let manager = house.get("people", &row["manager"]);
                all["reportsTo"] =
                    if manager.is_null() { Value::Null } else { full_name(manager).into() };
            }
            all
        })
        .collect();
    Reply::json(200, &rows.into())
}

pub(super) fn status_of(row: &Value) -> &'static str {
    match row["state"].as_str() {
        Some("requested") => "requested",
        Some("cancelled") => "canceled",
        Some("rejected") => "denied",
        _ => "approved",
    }
}

pub(super) fn request(house: &House, row: &Value) -> Value {
    let (who, kind) =
        (house.get("people", &row["person"]), house.get("absence_types", &row["type"]));
    let total = row["days"].as_f64().unwrap_or(0.0);
    let hours = kind["unit"] == "hour";
    let bound = |name: &str| text(row, name).parse::<Date>().unwrap_or_default();
    let mut dates = Map::new();
    let mut left = total;
    let mut at = bound("from");
    while at <= bound("until") {
        let own = left.min(1.0);
        left -= own;
        dates.insert(at.to_string(), number(own, hours).into());
        at = at.tomorrow().unwrap_or(Date::MAX);
    }
    let notes =
        if text(row, "note").is_empty() { json!({}) } else { json!({"employee": row["note"]}) };
    json!({
        "id": row["id"].to_string(), "employeeId": row["person"].to_string(), "name": full_name(who),
        "status": {"lastChanged": day(text(row, "updated_at")), "lastChangedByUserId": "2001",
        "status": status_of(row)},
        "start": row["from"], "end": row["until"], "created": day(text(row, "created_at")),
        "type": {"id": kind["id"].to_string(), "name": kind["name"], "icon": "palm-trees"},
        "amount": {"unit": units(kind), "amount": number(total, hours)},
        "actions": {"view": true, "edit": true, "cancel": true, "approve": false, "deny": false,
        "bypass": false},
        "dates": dates, "notes": notes,
    })
}

/// A number as text, in days or in the hours of so many days.
pub(super) fn number(days: f64, hours: bool) -> String {
    if hours { (days * HOURS_A_DAY).to_string() } else { days.to_string() }
}
