//! Personio, Personnel Data API version 1.
//!
//! Written from <https://github.com/personio/api-docs> (personio-personnel-data-api-oa3.yaml and
//! personio-auth-api.yaml) and <https://developer.personio.de/reference>: a token from `POST /v1/auth`
//! that holds a day; every attribute wrapped in label, value and type; `offset` counts records of
//! employees but pages of time-offs; at most 100 employees a page; with `updated_since` the parameters
//! `limit`, `offset` and `email` are ignored; 300 requests a minute for employees; absences are asked for
//! with a form; errors as `success: false` with a code inside.
//!
//! Not documented, so chosen: the words of 401 and 403, and that a known address is 400 naming `email`.

mod dress;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::RateLimit;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, text};
use crate::twin::{Vendor, page};
use dress::{absence, attributes, category, employee, kind};

#[derive(Debug)]
pub(crate) struct Personio;

impl Vendor for Personio {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![
            ("client_id", "twin-personio-client".to_owned()),
            ("client_secret", format!("twin-personio-secret-{seed}")),
        ]
    }

    fn budget(&self) -> Option<RateLimit> {
        Some(RateLimit { requests: 300, per_seconds: 60 })
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        let error = json!({"code": status, "message": words});
        Reply::json(status, &json!({"success": false, "error": error}))
    }

    fn throttled(&self, _: u64, _: Timestamp) -> Reply {
        self.error(429, "Too many requests.")
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ("POST", ["v1", "auth"]) = (call.method.as_str(), &parts[..]) {
            return log_in(house, call);
        }
        match call.bearer() {
            None => return self.error(401, "Authorization is not provided"),
            Some(token) if !house.token_holds(token) => {
                return self.error(403, "Provided authorization is not valid");
            }
            Some(_) => {}
        }
        let ["v1", "company", path @ ..] = &parts[..] else { return self.error(404, "Not found") };
        match (call.method.as_str(), path) {
            ("GET", ["employees"]) => employees(house, call),
            ("GET", ["employees", "attributes" | "custom-attributes"]) => attributes(house),
            ("GET", ["employees", id]) => match house.get("people", id) {
                Value::Null => self.error(404, "Employee not found"),
                row => Reply::json(200, &json!({"success": true, "data": employee(house, row)})),
            },
            ("GET", ["employees", _, "absences", "balance"]) => {
                let types = house.rows("absence_types").map(|row| &row.value);
                let rows: Vec<Value> = types
                    .map(|row| {
                        json!({"id": row["id"], "name": row["name"], "category": category(row),
                            "balance": 12.5, "available_balance": 10.5})
                    })
                    .collect();
                Reply::json(200, &json!({"success": true, "data": rows}))
            }
            ("GET", ["time-off-types"]) => {
                let rows: Vec<Value> =
                    house.rows("absence_types").map(|row| kind(&row.value)).collect();
                Reply::json(200, &json!({"success": true, "data": rows}))
            }
            ("GET", ["time-offs"]) => absences(house, call, "day"),
            ("GET", ["absence-periods"]) => absences(house, call, "hour"),
            ("GET", ["time-offs", id]) => match house.get("absences", id) {
                Value::Null => self.error(404, "The absence period was not found."),
                row => Reply::json(200, &json!({"success": true, "data": absence(house, row)})),
            },
            ("GET", ["attendances"]) => {
                if call.param("start_date").is_none() || call.param("end_date").is_none() {
                    return self.error(400, "start_date and end_date are required");
                }
                listed(call, Vec::new(), false)
            }
            ("GET", ["attendances", "projects"] | ["document-categories"]) => {
                let rows = match path {
                    ["document-categories"] => json!([{"type": "DocumentCategory",
                        "attributes": {"id": 1, "name": "Contracts"}}]),
                    _ => json!([]),
                };
                Reply::json(200, &json!({"success": true, "data": rows}))
            }
            ("POST", ["employees"]) => self.hire(house, call),
            ("PATCH", ["employees", id]) => self.update(house, id, call),
            ("POST", ["time-offs"]) => self.ask(house, call),
            ("DELETE", ["time-offs", id]) => {
                if id.parse::<u64>().is_err() {
                    return self.error(400, "The absence period id is invalid.");
                }
                if !house.delete("absences", id) {
                    return self.error(404, "The absence period was not found.");
                }
                let message = json!({"message": "The absence period was deleted."});
                Reply::json(200, &json!({"success": true, "data": message}))
            }
            ("POST", ["documents"]) => self.keep(house, call),
            _ => self.error(404, "Not found"),
        }
    }
}

impl Personio {
    fn hire(&self, house: &mut House, call: &Call) -> Reply {
        let body = call.json().map(|body| body["employee"].clone()).unwrap_or_default();
        for field in ["email", "first_name", "last_name"] {
            if text(&body, field).is_empty() {
                return self.invalid(field, "The field is required.");
            }
        }
        let email = text(&body, "email");
        if house.find("people", |row| text(row, "email").eq_ignore_ascii_case(email)).is_some() {
            return self.error(400, &format!("The email {email} has already been taken."));
        }
        let fields = match self.fields(house, &body) {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        let today = house.today();
        let start = fields["start"].as_str().unwrap_or_default().to_owned();
        let mut row = json!({"first": body["first_name"], "last": body["last_name"], "email": email,
            "status": if start <= today { "active" } else { "onboarding" }, "end": null});
        if let (Value::Object(row), Value::Object(fields)) = (&mut row, fields) {
            row.extend(fields);
        }
        let id = house.add("people", row);
        let data = json!({"id": id, "message": "success"});
        Reply::json(200, &json!({"success": true, "data": data}))
    }

    fn update(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let body = call.json().map(|body| body["employee"].clone()).unwrap_or_default();
        let mut fields = match self.fields(house, &body) {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        for (theirs, ours) in [("first_name", "first"), ("last_name", "last")] {
            if !body[theirs].is_null() {
                fields[ours] = body[theirs].clone();
            }
        }
        house.change("people", id, fields);
        let data = json!({"id": id.parse::<u64>().ok(), "message": "success"});
        Reply::json(200, &json!({"success": true, "data": data}))
    }

    /// The fields of an employee that a body names, beside names and address.
    fn fields(&self, house: &House, body: &Value) -> Result<Value, Reply> {
        let mut fields = json!({});
        let plain = [
            ("gender", "gender"),
            ("position", "title"),
            ("hire_date", "start"),
            ("weekly_working_hours", "weekly_hours"),
        ];
        for (theirs, ours) in plain {
            if !body[theirs].is_null() {
                fields[ours] = body[theirs].clone();
            }
        }
        if let Some(day) = body["hire_date"].as_str()
            && day.parse::<jiff::civil::Date>().is_err()
        {
            return Err(self.invalid("hire_date", "The format is not yyyy-mm-dd."));
        }
        let status = match body["status"].as_str() {
            Some("inactive") => Some("left"),
            Some("active" | "leave") => Some("active"),
            Some("onboarding") => Some("onboarding"),
            Some(_) => return Err(self.invalid("status", "The value is not known.")),
            None => None,
        };
        if let Some(status) = status {
            fields["status"] = status.into();
        }
        // Names that are not defined are passed over, which only a note in the answer says.
        for (theirs, list) in [("department", "departments"), ("office", "offices")] {
            if let Some(row) = house.find(list, |row| row["name"] == body[theirs]) {
                fields[theirs] = row["id"].clone();
            }
        }
        if let Some(id) = body["supervisor_id"].as_u64() {
            if house.get("people", id).is_null() {
                return Err(self.error(422, &format!("Supervisor with ID {id} not found")));
            }
            fields["manager"] = id.into();
        }
        Ok(fields)
    }

    fn ask(&self, house: &mut House, call: &Call) -> Reply {
        let form: Map<String, Value> =
            call.form().into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        let form = Value::Object(form);
        let needed = [
            "employee_id",
            "time_off_type_id",
            "start_date",
            "end_date",
            "half_day_start",
            "half_day_end",
        ];
        for field in needed {
            if text(&form, field).is_empty() {
                return self.invalid(field, "The field is required.");
            }
        }
        let number = |name: &str| text(&form, name).parse::<u64>().unwrap_or(0);
        let (person, kind) = (number("employee_id"), number("time_off_type_id"));
        if house.get("people", person).is_null() {
            return self.error(404, "Employee not found.");
        }
        if house.get("absence_types", kind).is_null() {
            return self.error(404, "Time-off type not found.");
        }
        let day = |name: &str| text(&form, name).parse::<jiff::civil::Date>().ok();
        let (Some(from), Some(until)) = (day("start_date"), day("end_date")) else {
            return self.invalid("start_date", "The format is not yyyy-mm-dd.");
        };
        if until < from {
            return self.error(400, "Error when trying to insert absence period");
        }
        let overlaps = |row: &Value| {
            let within = |name: &str| text(row, name).parse::<jiff::civil::Date>().ok();
            row["person"] == person
                && within("from").is_some_and(|other| other <= until)
                && within("until").is_some_and(|other| other >= from)
        };
        if house.find("absences", overlaps).is_some() {
            return self.error(400, "Error when trying to insert absence period");
        }
        let yes = |name: &str| ["1", "true"].contains(&text(&form, name));
        let halves =
            f64::from(u8::from(yes("half_day_start")) + u8::from(yes("half_day_end"))) / 2.0;
        let days = (until - from).get_days();
        let state = if yes("skip_approval") { "approved" } else { "requested" };
        let id = house.add(
            "absences",
            json!({"person": person, "type": kind, "from": from.to_string(), "until": until.to_string(),
                "half_start": yes("half_day_start"), "half_end": yes("half_day_end"),
                "days": f64::from(days) + 1.0 - halves, "state": state, "note": form["comment"]}),
        );
        let made = absence(house, house.get("absences", id));
        Reply::json(200, &json!({"success": true, "data": made}))
    }

    fn keep(&self, house: &mut House, call: &Call) -> Reply {
        use base64::Engine as _;
        let parts = call.parts();
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let field = |name: &str| {
            part(name)
                .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
                .unwrap_or_default()
        };
        for name in ["title", "employee_id", "category_id", "file"] {
            if part(name).is_none() {
                return self.invalid(name, "The field is required.");
            }
        }
        let person = field("employee_id").parse::<u64>().unwrap_or(0);
        if house.get("people", person).is_null() {
            return self.error(404, "Employee not found.");
        }
        let bytes = part("file").map(|part| part.bytes.clone()).unwrap_or_default();
        let id = house.add(
            "files",
            json!({"owner": "people", "of": person, "name": field("title"), "kind": field("category_id"),
                "base64": base64::engine::general_purpose::STANDARD.encode(bytes)}),
        );
        let data = json!({"type": "Document", "attributes": {"id": id, "title": field("title"),
            "employee_id": person, "category_id": field("category_id")}});
        Reply::json(201, &json!({"success": true, "data": data}))
    }

    fn invalid(&self, field: &str, problem: &str) -> Reply {
        let error = json!({"code": 0, "message": "The given data failed to pass validation.",
            "error_data": {field: [problem]}});
        Reply::json(422, &json!({"success": false, "error": error}))
    }
}

fn log_in(house: &mut House, call: &Call) -> Reply {
    let form = call.form();
    let body = call.json().unwrap_or_default();
    let field = |name: &str| {
        let from_form = form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        body[name].as_str().map(str::to_owned).or(from_form).unwrap_or_default()
    };
    let secret = format!("twin-personio-secret-{}", house.plan.seed);
    if field("client_id") != "twin-personio-client" || field("client_secret") != secret {
        let error = json!({"code": 0, "message": "Wrong credentials"});
        return Reply::json(403, &json!({"success": false, "error": error}));
    }
    let token = house.give_token(86_400);
    let data = json!({"token": token, "expires_in": 86_400,
        "scope": "employees:read employees:write absences:read absences:write documents:write"});
    Reply::json(200, &json!({"success": true, "data": data}))
}

/// A page. Absences count pages in `offset`, of which 0 and 1 are both the first, and take 200 at most
/// (<https://github.com/personio/api-docs/pull/82>, <https://github.com/personio/api-docs/pull/139>).
fn listed(call: &Call, rows: Vec<Value>, counts_pages: bool) -> Reply {
    let limit = call.number("limit", 200).unwrap_or(200).clamp(1, 200);
    let offset = call.number("offset", 0).unwrap_or(0);
    let skip = if counts_pages { offset.max(1) * limit - limit } else { offset };
    let (total, rows) = page(rows, skip, limit);
    let current = skip / limit + usize::from(counts_pages);
    let metadata = json!({"total_elements": total, "current_page": current,
        "total_pages": total.div_ceil(limit)});
    let body = json!({"success": true, "metadata": metadata, "data": rows, "offset": offset,
        "limit": limit});
    Reply::json(200, &body)
}

fn employees(house: &House, call: &Call) -> Reply {
    // The vendor reads its times without an offset as its own.
    let since = call.param("updated_since").map(|text| {
        let text = text.replace(' ', "T");
        let whole = match text.len() {
            10 => format!("{text}T00:00:00Z"),
            19 => format!("{text}Z"),
            _ => text,
        };
        whole.parse::<Timestamp>()
    });
    let since = match since.transpose() {
        Ok(since) => since,
        Err(_) => return Personio.invalid("updated_since", "The format is invalid."),
    };
    let email = call.param("email").filter(|_| since.is_none());
    let wanted = call.all("attributes");
    let rows = house.rows("people").filter(|row| {
        since.is_none_or(|since| row.updated > since)
            && email.is_none_or(|email| text(&row.value, "email").eq_ignore_ascii_case(email))
    });
    let rows: Vec<Value> = rows
        .map(|row| {
            let mut dressed = employee(house, &row.value);
            if let (false, Some(Value::Object(fields))) =
                (wanted.is_empty(), dressed.get_mut("attributes"))
            {
                fields.retain(|name, _| wanted.contains(&name.as_str()));
            }
            dressed
        })
        .collect();
    if since.is_some() {
        let total = rows.len();
        let metadata = json!({"total_elements": total, "current_page": 0, "total_pages": 1});
        return Reply::json(200, &json!({"success": true, "metadata": metadata, "data": rows}));
    }
    let limit = call.number("limit", 50).unwrap_or(50).clamp(1, 100);
    let offset = call.number("offset", 0).unwrap_or(0);
    let (total, rows) = page(rows, offset, limit);
    let metadata = json!({"total_elements": total, "current_page": offset / limit,
        "total_pages": total.div_ceil(limit)});
    let body = json!({"success": true, "metadata": metadata, "offset": offset, "limit": limit,
        "data": rows});
    Reply::json(200, &body)
}

fn absences(house: &House, call: &Call, unit: &str) -> Reply {
    let people = call.all("employees");
    let bound = |name: &str| call.param(name).map(crate::twin::house::day);
    let (start, end) = (bound("start_date"), bound("end_date"));
    let (changed, until) = (bound("updated_from"), bound("updated_to"));
    let rows = house.rows("absences").map(|row| &row.value).filter(|row| {
        let updated = crate::twin::house::day(text(row, "updated_at"));
        house.get("absence_types", &row["type"])["unit"] == unit
            && start.as_deref().is_none_or(|start| text(row, "until") >= start)
            && end.as_deref().is_none_or(|end| text(row, "from") <= end)
            && changed.as_ref().is_none_or(|from| updated >= *from)
            && until.as_ref().is_none_or(|until| updated <= *until)
            && (people.is_empty() || people.contains(&row["person"].to_string().as_str()))
    });
    let rows: Vec<Value> = rows.map(|row| absence(house, row)).collect();
    listed(call, rows, true)
}
