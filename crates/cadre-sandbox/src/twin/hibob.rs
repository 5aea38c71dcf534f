//! HiBob.
//!
//! Written from <https://apidocs.hibob.com/docs/people-read-api-contract>,
//! <https://apidocs.hibob.com/reference/post_people-search>,
//! <https://apidocs.hibob.com/reference/get_timeoff-whosout>,
//! <https://apidocs.hibob.com/reference/rate-limiting> and
//! <https://apidocs.hibob.com/reference/error-handling>: service user and token as basic authentication;
//! a search that is a POST, gives everybody at once, knows fields by dots and answers them by slashes,
//! readable values beside them with `APPEND`; active people only unless `showInactive`; lists of names by
//! id; absence types known by their names; limits that tell their end in seconds of the epoch and have
//! no `Retry-After`; 304 for a change that changes nothing.
//!
//! Not documented, so chosen: the key of the refusal of a known address.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::RateLimit;
use crate::twin::Vendor;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, day, full_name, is, text};

#[derive(Debug)]
pub(crate) struct HiBob;

impl Vendor for HiBob {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![
            ("service_user_id", "SERVICE-4021".to_owned()),
            ("token", format!("twin-bob-token-{seed}")),
        ]
    }

    fn budget(&self) -> Option<RateLimit> {
        Some(RateLimit { requests: 50, per_seconds: 60 })
    }

    fn budget_headers(
        &self,
        (limit, left, seconds): (u32, u32, u64),
        now: Timestamp,
    ) -> Vec<(&'static str, String)> {
        let end = now.as_second() + i64::try_from(seconds).unwrap_or(0);
        vec![
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", left.to_string()),
            ("x-ratelimit-reset", end.to_string()),
        ]
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        Reply::json(status, &json!({"key": format!("api.{status}"), "error": words}))
    }

    fn throttled(&self, seconds: u64, now: Timestamp) -> Reply {
        let mut reply = self.error(429, "Too many requests");
        reply.headers.extend(self.budget_headers((50, 0, seconds), now));
        reply
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let token = format!("twin-bob-token-{}", house.plan.seed);
        if call.basic() != Some(("SERVICE-4021".to_owned(), token)) {
            return self.error(401, "Unauthorized");
        }
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["v1", path @ ..] = &parts[..] else { return self.error(404, "Not found") };
        let body = call.json().unwrap_or_default();
        match (call.method.as_str(), path) {
            ("POST", ["people", "search"]) => self.search(house, &body),
            ("POST", ["people"]) => self.hire(house, &body),
            ("POST", ["people", id]) => match house.get("people", id) {
                Value::Null => self.error(404, "Employee not found"),
                row => Reply::json(200, &dressed(house, row, &body)),
            },
            ("PUT", ["people", id]) => self.update(house, id, &body),
            ("PUT", ["people", id, "email"]) => {
                let known = house.change("people", id, json!({"email": body["email"]}));
                if known { Reply::empty(200) } else { self.error(404, "Employee not found") }
            }
            ("POST", ["employees", id, "terminate"]) => {
                let Some(day) = body["terminationDate"].as_str() else {
                    return self.error(400, "terminationDate is required");
                };
                let patch = json!({"end": day, "status": "left"});
                if house.change("people", id, patch) {
                    Reply::empty(200)
                } else {
                    self.error(404, "Employee not found")
                }
            }
            ("GET", ["people", id, table @ ("work" | "employment" | "lifecycle" | "salaries")]) => {
                history(house, id, table)
            }
            (
                "GET",
                ["bulk", "people", table @ ("work" | "employment" | "lifecycle" | "salaries")],
            ) => bulk(house, call, table),
            ("GET", ["company", "people", "fields"]) => Reply::json(
                200,
                &json!([
                    {"id": "root.id", "category": "root", "name": "Employee ID", "jsonPath": "id",
                        "type": "text"},
                    {"id": "work.title", "category": "work", "name": "Job title",
                        "jsonPath": "work.title", "type": "text"},
                ]),
            ),
            ("GET", ["company", "named-lists", name]) => match list(house, name) {
                Some(list) => Reply::json(200, &list),
                None => self.error(404, "List not found"),
            },
            ("GET", ["timeoff", "policy-types"]) => {
                let rows = house.rows("absence_types").map(|row| row.value["name"].clone());
                Reply::json(200, &json!({"policyTypes": rows.collect::<Vec<_>>()}))
            }
            ("GET", ["timeoff", "policy-types", name]) => {
                match house.find("absence_types", |row| row["name"] == *name) {
                    None => self.error(404, "Policy type not found"),
                    Some(row) => Reply::json(
                        200,
                        &json!({"name": row["name"],
                        "activity": "paidTimeoff", "bookingWorkDaysOnly": true,
                        "unit": if row["unit"] == "hour" { "hours" } else { "days" }}),
                    ),
                }
            }
            ("GET", ["timeoff", "whosout"]) => self.out(house, call),
            ("GET", ["timeoff", "requests", "changes"]) => self.changes(house, call),
            ("GET", ["timeoff", "employees", id, "requests", request]) => {
                let row = house.get("absences", request);
                if !is(&row["person"], id) {
                    return self.error(404, "Request not found");
                }
                Reply::json(200, &absence(house, row))
            }
            ("GET", ["timeoff", "employees", id, "balance"]) => {
                let date = call.param("date");
                Reply::json(
                    200,
                    &json!({"employeeId": id, "policy": call.param("policyType"),
                    "totalBalanceAsOfDate": 12.5, "totalRoundedBalanceAsOfDate": 12.5,
                    "pointInTime": date}),
                )
            }
            ("POST", ["timeoff", "employees", id, "requests"]) => self.ask(house, id, &body),
            ("DELETE", ["timeoff", "employees", id, "requests", request]) => {
                if !is(&house.get("absences", request)["person"], id) {
                    return self.error(404, "Request not found");
                }
                house.delete("absences", request);
                Reply::empty(200)
            }
            _ => self.error(404, "Not found"),
        }
    }
}

impl HiBob {
    fn search(&self, house: &House, body: &Value) -> Reply {
        let inactive = body["showInactive"] == true;
        let filters = body["filters"].as_array().cloned().unwrap_or_default();
        for filter in &filters {
            if !["root.id", "root.email"].contains(&text(filter, "fieldPath")) {
                return self.error(400, "Filters know root.id and root.email");
            }
        }
        let fits = |row: &Value| {
            filters.iter().all(|filter| {
                let own = match text(filter, "fieldPath") {
                    "root.id" => row["id"].to_string(),
                    _ => text(row, "email").to_owned(),
                };
                filter["values"].as_array().is_some_and(|all| all.contains(&json!(own)))
            })
        };
        let rows = house.rows("people").map(|row| &row.value);
        let rows = rows.filter(|row| (inactive || row["status"] != "left") && fits(row));
        let rows: Vec<Value> = rows.map(|row| dressed(house, row, body)).collect();
        Reply::json(200, &json!({"employees": rows}))
    }

    fn hire(&self, house: &mut House, body: &Value) -> Reply {
        let (email, work) = (text(body, "email"), &body["work"]);
        for name in ["firstName", "surname", "email"] {
            if text(body, name).is_empty() {
                return self.error(400, &format!("{name} is required"));
            }
        }
        let site = house.find("offices", |row| row["name"] == work["site"]);
        let Some(office) = site.map(|row| row["id"].clone()) else {
            return self.error(400, "work.site is not a site of the company");
        };
        let Ok(start) = text(work, "startDate").parse::<Date>() else {
            return self.error(400, "work.startDate is required");
        };
        if house.find("people", |row| text(row, "email").eq_ignore_ascii_case(email)).is_some() {
            let words = "An employee with this email already exists";
            let body = json!({"key": "validations.email.alreadyexists", "error": words});
            return Reply::json(400, &body);
        }
        let status = if start.to_string() <= house.today() { "active" } else { "onboarding" };
        let mut row = json!({"first": body["firstName"], "last": body["surname"], "email": email,
            "office": office, "start": start.to_string(), "end": null, "status": status});
        if let (Value::Object(row), Value::Object(more)) = (&mut row, changed(house, body)) {
            row.extend(more);
        }
        let id = house.add("people", row);
        let made = json!({"id": id.to_string(), "firstName": body["firstName"],
            "surname": body["surname"], "email": email, "displayName": full_name(house.get("people", id))});
        Reply::json(200, &made)
    }

    fn update(&self, house: &mut House, id: &str, body: &Value) -> Reply {
        let old = house.get("people", id).clone();
        if old.is_null() {
            return self.error(404, "Employee not found");
        }
        let fields = changed(house, body);
        let new = fields.as_object().into_iter().flatten().any(|(name, value)| old[name] != *value);
        if !new {
            return Reply::empty(304);
        }
        house.change("people", id, fields);
        Reply::empty(200)
    }

    fn out(&self, house: &House, call: &Call) -> Reply {
        let bound = |name: &str| call.param(name).and_then(|text| text.parse::<Date>().ok());
        let (Some(from), Some(to)) = (bound("from"), bound("to")) else {
            return self.error(400, "from and to are required");
        };
        let pending = call.param("includePending") == Some("true");
        let at = |row: &Value, name: &str| text(row, name).parse::<Date>().unwrap_or_default();
        let rows = house.rows("absences").map(|row| &row.value).filter(|row| {
            at(row, "from") <= to
                && at(row, "until") >= from
                && (row["state"] == "approved" || (pending && row["state"] == "requested"))
        });
        // How long a request of days is, this list does not say.
        let rows: Vec<Value> = rows
            .map(|row| {
                let mut dressed = absence(house, row);
                if let Value::Object(fields) = &mut dressed {
                    fields.retain(|name, _| {
                        !["durationUnit", "totalDuration", "totalCost"].contains(&name.as_str())
                    });
                }
                dressed
            })
            .collect();
        Reply::json(200, &json!({"outs": rows}))
    }

    /// What happened to requests in a window of six months at most.
    fn changes(&self, house: &House, call: &Call) -> Reply {
        let Some(since) = call.param("since").and_then(|text| text.parse::<Timestamp>().ok())
        else {
            return self.error(400, "since is required");
        };
        if house.now().duration_since(since).as_hours() > 184 * 24 {
            return self.error(400, "since may be six months ago at most");
        }
        let events =
            house.journal.iter().filter(|event| event.list == "absences" && event.at >= since);
        let rows: Vec<Value> = events
            .map(|event| {
                let row = house.get("absences", &event.id);
                let mut body = absence(house, if row.is_null() { &event.before } else { row });
                let word = if event.what == "deleted" { "Canceled" } else { "Created" };
                body["changeType"] = word.into();
                body["createdOn"] = event.at.to_string().into();
                body
            })
            .collect();
        Reply::json(200, &json!({"changes": rows}))
    }

    fn ask(&self, house: &mut House, id: &str, body: &Value) -> Reply {
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let kind = house.find("absence_types", |row| row["name"] == body["policyType"]).cloned();
        let Some(kind) = kind else { return self.error(400, "Policy type not found") };
        let bound = |name: &str| text(body, name).parse::<Date>().ok();
        let Some(from) = bound("startDate") else {
            return self.error(400, "startDate is required");
        };
        let until = bound("endDate").unwrap_or(from);
        if until < from {
            return self.error(400, "endDate is before startDate");
        }
        let half = |name: &str, word: &str| body[name] == word;
        let (start, end) =
            (half("startDatePortion", "afternoon"), half("endDatePortion", "morning"));
        let days = f64::from((until - from).get_days()) + 1.0
            - f64::from(u8::from(start) + u8::from(end)) / 2.0;
        let state = if body["skipManagerApproval"] == true { "approved" } else { "requested" };
        let made = house.add(
            "absences",
            json!({"person": id.parse::<u64>().ok(), "type": kind["id"], "from": from.to_string(),
                "until": until.to_string(), "half_start": start, "half_end": end, "days": days,
                "state": state, "note": body["description"]}),
        );
        Reply::json(200, &json!({"id": made}))
    }
}

/// Fields by their paths: what a machine reads, and what people do.
fn paths(house: &House, row: &Value) -> Vec<(&'static str, Value, Value)> {
    let same = |path, value: &Value| (path, value.clone(), value.clone());
    let (unit, office) =
        (house.get("departments", &row["department"]), house.get("offices", &row["office"]));
    let boss = house.get("people", &row["manager"]);
    let id = |value: &Value| value.as_u64().map_or(Value::Null, |id| id.to_string().into());
    let reports = if boss.is_null() {
        Value::Null
    } else {
        json!({"id": id(&boss["id"]), "firstName": boss["first"], "surname": boss["last"],
            "email": boss["email"], "displayName": full_name(boss)})
    };
    let status = if row["status"] == "left" { "Inactive" } else { "Active" };
    let life = match row["status"].as_str() {
        Some("left") => "terminated",
        Some("onboarding") => "hired",
        _ => "employed",
    };
    let mut gender = text(row, "gender").to_owned();
    if let Some(first) = gender.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    vec![
        same("root.id", &id(&row["id"])),
        same("root.firstName", &row["first"]),
        same("root.surname", &row["last"]),
        same("root.email", &row["email"]),
        same("root.displayName", &full_name(row).into()),
        same("root.creationDateTime", &row["created_at"]),
        same("personal.birthDate", &row["birthday"]),
        same("personal.gender", &gender.into()),
        same("home.privateEmail", &row["private_email"]),
        same("home.mobilePhone", &row["phone"]),
        same("work.title", &row["title"]),
        ("work.department", id(&unit["id"]), unit["name"].clone()),
        ("work.site", office["name"].clone(), office["name"].clone()),
        same("work.siteId", &office["id"]),
        same("work.startDate", &row["start"]),
        same("work.employeeIdInCompany", &row["id"]),
        ("work.reportsTo", reports.clone(), reports),
        same("internal.status", &status.into()),
        same("internal.lifecycleStatus", &life.into()),
        same("internal.terminationDate", &row["end"]),
        same("address.city", &row["city"]),
        same("address.postCode", &row["zip"]),
        same("address.country", &row["country"]),
        same("address.line1", &row["street"]),
    ]
}

/// Somebody with the fields that were asked for; a field that is not known is passed over.
fn dressed(house: &House, row: &Value, body: &Value) -> Value {
    let asked: Vec<&str> =
        body["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let readable = text(body, "humanReadable");
    let (mut flat, mut tree) = (Map::new(), json!({}));
    for (path, machine, human) in paths(house, row) {
        let unprefixed = path.strip_prefix("root.").unwrap_or(path);
        if !asked.is_empty() && !asked.contains(&path) && !asked.contains(&unprefixed) {
            continue;
        }
        flat.insert(format!("/{}", path.replace('.', "/")), json!({"value": machine}));
        match unprefixed.split_once('.') {
            Some((category, name)) => tree[category][name] = human,
            None => tree[unprefixed] = human,
        }
    }
    match readable {
        "REPLACE" => tree,
        "APPEND" => {
            flat.insert("humanReadable".to_owned(), tree);
            Value::Object(flat)
        }
        _ => Value::Object(flat),
    }
}

/// The fields of a person that a body names.
fn changed(house: &House, body: &Value) -> Value {
    let mut fields = json!({});
    let (work, personal, home) = (&body["work"], &body["personal"], &body["home"]);
    for (value, ours) in [
        (&body["firstName"], "first"),
        (&body["surname"], "last"),
        (&work["title"], "title"),
        (&work["startDate"], "start"),
        (&personal["birthDate"], "birthday"),
        (&home["privateEmail"], "private_email"),
        (&home["mobilePhone"], "phone"),
    ] {
        if !value.is_null() {
            fields[ours] = value.clone();
        }
    }
    if let Some(gender) = personal["gender"].as_str() {
        fields["gender"] = gender.to_lowercase().into();
    }
    let named = |list: &str, value: &Value| {
        house.find(list, |row| {
            row["name"] == *value || Some(row["id"].to_string().as_str()) == value.as_str()
        })
    };
    if let Some(row) = named("departments", &work["department"]) {
        fields["department"] = row["id"].clone();
    }
    if let Some(row) = named("offices", &work["site"]) {
        fields["office"] = row["id"].clone();
    }
    fields
}

/// A list of the company: ids as text, the values under two names.
fn list(house: &House, name: &str) -> Option<Value> {
    let from = match name {
        "department" => "departments",
        "site" => "offices",
        _ => return None,
    };
    let item = |row: &Value, children: Vec<Value>| {
        json!({"id": row["id"].to_string(), "value": row["name"], "name": row["name"],
            "archived": false, "children": children})
    };
    let rows: Vec<&Value> = house.rows(from).map(|row| &row.value).collect();
    fn below(
        rows: &[&Value],
        parent: &Value,
        item: &dyn Fn(&Value, Vec<Value>) -> Value,
    ) -> Vec<Value> {
        let own = rows.iter().filter(|row| row["parent"] == *parent);
        own.map(|row| item(row, below(rows, &row["id"], item))).collect()
    }
    let items = below(&rows, &Value::Null, &item);
    Some(json!({"name": name, "values": items, "items": items}))
}

fn table_rows(row: &Value, table: &str, house: &House) -> Vec<Value> {
    let boss = house.get("people", &row["manager"]);
    let mut body = match table {
        "work" => json!({"title": row["title"],
            "department": house.get("departments", &row["department"])["name"],
            "site": house.get("offices", &row["office"])["name"],
            "reportsTo": {"id": boss["id"].to_string()}}),
        "employment" => json!({"contract": "Permanent", "type": "Full time", "fte": 100,
            "weeklyHours": row["weekly_hours"]}),
        "lifecycle" => {
            json!({"status": if row["status"] == "left" { "terminated" } else { "employed" }})
        }
        _ => return Vec::new(),
    };
    body["id"] = row["id"].clone();
    body["effectiveDate"] = row["start"].clone();
    body["isCurrent"] = true.into();
    body["employeeId"] = row["id"].to_string().into();
    vec![body]
}

fn history(house: &House, id: &str, table: &str) -> Reply {
    match house.get("people", id) {
        Value::Null => HiBob.error(404, "Employee not found"),
        row => Reply::json(200, &json!({"values": table_rows(row, table, house)})),
    }
}

fn bulk(house: &House, call: &Call, table: &str) -> Reply {
    let limit = call.number("limit", 50).filter(|limit| (1..=200).contains(limit));
    let Some(limit) = limit else { return HiBob.error(400, "limit is between 1 and 200") };
    let skip = call.param("cursor").and_then(|mark| mark.parse().ok()).unwrap_or(0);
    let people = house.rows("people").map(|row| &row.value);
    let rows = people.flat_map(|row| table_rows(row, table, house)).collect();
    let (total, rows) = super::page(rows, skip, limit);
    let next = (skip + limit < total).then(|| (skip + limit).to_string());
    Reply::json(200, &json!({"results": rows, "response_metadata": {"next_cursor": next}}))
}

fn absence(house: &House, row: &Value) -> Value {
    let (who, kind) =
        (house.get("people", &row["person"]), house.get("absence_types", &row["type"]));
    let half = |name: &str, word: &str| if row[name] == true { word } else { "all_day" }.to_owned();
    json!({
        "requestId": row["id"], "employeeId": row["person"].to_string(),
        "employeeDisplayName": full_name(who), "employeeEmail": who["email"],
        "policyTypeDisplayName": kind["name"], "policyType": kind["name"], "type": "days",
        "requestRangeType": "days", "startDate": row["from"],
        "startPortion": half("half_start", "afternoon"),
        "endDate": row["until"], "endPortion": half("half_end", "morning"), "durationUnit": "days",
        "totalDuration": row["days"], "totalCost": row["days"], "visibility": "Public",
        "status": if row["state"] == "requested" { "pending" } else { "approved" },
        "description": row["note"], "createdOn": day(text(row, "created_at")),
    })
}
