//! BambooHR.
//!
//! Written from <https://github.com/BambooHR/bhr-api-python/blob/main/specs/public.yaml>,
//! <https://documentation.bamboohr.com/docs/list-of-field-names> and
//! <https://documentation.bamboohr.com/docs/api-details>: the key as user name with any password;
//! employees by cursor, at most 100 a page; one employee with named fields; time off of a window without
//! pages, `dates` by day; creates that answer with an empty body and a `Location`; 409 for a field with a
//! value that cannot be, a duplicate address among them; the reason of a refusal in
//! `X-BambooHR-Error-Message`; dates that are not there as `0000-00-00`.
//!
//! Not documented, so chosen: the words of that header for a duplicate, and 429 with `Retry-After`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::RateLimit;
use crate::hooks::hmac_sha256;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{Event, House, Subscriber, day, full_name, text};
use crate::twin::{Message, Vendor};

/// Hours of a day in time off that is counted in hours.
const HOURS_A_DAY: f64 = 8.0;

#[derive(Debug)]
pub(crate) struct BambooHr;

impl Vendor for BambooHr {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![("api_key", format!("twin-bamboo-key-{seed}"))]
    }

    fn budget(&self) -> Option<RateLimit> {
        None
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        Reply::empty(status).with("x-bamboohr-error-message", words)
    }

    fn throttled(&self, seconds: u64, _: Timestamp) -> Reply {
        let words = "Over rate limit, please try again in 60 seconds";
        let body = json!({"error": {"code": 429, "message": words}});
        Reply::json(429, &body).with("retry-after", seconds)
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let key = format!("twin-bamboo-key-{}", house.plan.seed);
        if call.basic().is_none_or(|(user, _)| user != key) {
            return self.error(401, "Invalid API key");
        }
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["api", version, path @ ..] = &parts[..] else { return self.error(404, "Not found") };
        if !["v1", "v1_1", "v1_2"].contains(version) {
            return self.error(404, "Not found");
        }
        match (call.method.as_str(), path) {
            ("GET", ["employees"]) => self.employees(house, call),
            ("GET", ["employees", "directory"]) => {
                let people = house.rows("people").map(|row| &row.value);
                let active = people.filter(|row| row["status"] != "left");
                let names = [
                    "displayName",
                    "firstName",
                    "lastName",
                    "jobTitle",
                    "workEmail",
                    "department",
                    "location",
                ];
                let rows: Vec<Value> = active.map(|row| fields(house, row, &names)).collect();
                Reply::json(200, &json!({"fields": [], "employees": rows}))
            }
            ("GET", ["employees", "changed"]) => self.changed(house, call),
            ("GET", ["employees", id]) => {
                let row = house.get("people", id);
                if row.is_null() {
                    return self.error(404, "Employee not found");
                }
                let names: Vec<&str> =
                    call.param("fields").unwrap_or("firstName,lastName").split(',').collect();
                Reply::json(200, &fields(house, row, &names))
            }
            ("GET", ["employees", id, "tables", table]) => table_of(house, id, table),
            ("GET", ["employees", _, "time_off", "calculator"]) => {
                let end = call.param("end").map_or_else(|| house.today(), str::to_owned);
                let types = house.rows("absence_types").map(|row| &row.value);
                let rows: Vec<Value> = types
                    .map(|row| {
                        json!({"timeOffType": row["id"].to_string(), "name": row["name"], "units": units(row),
                            "balance": "24.50", "end": end, "policyType": "accruing", "usedYearToDate": "12.25"})
                    })
                    .collect();
                Reply::json(200, &rows.into())
            }
            ("GET", ["employees", _, "files", "view"]) => {
                let body = json!({"employee": {"id": path[1]}, "categories": [{"id": 1, "name": "Contracts", "files": []}]});
                Reply::json(200, &body)
            }
            ("GET", ["files", "categories"] | ["employees", "files", "categories"]) => {
                Reply::json(200, &json!([{"id": 1, "name": "Contracts"}]))
            }
            ("GET", ["meta", what, rest @ ..]) => self.meta(house, what, rest),
            ("GET", ["hris", "org", "locations"]) => self.locations(house, call),
            ("GET", ["company_information"]) => Reply::json(
                200,
                &json!({"legalName": "Twin Inc.",
                "displayName": "Twin", "address": {"line1": "1 Main Street", "city": "Austin",
                "state": "TX", "zip": "78701"}, "phone": null}),
            ),
            ("GET", ["time_off", "requests"]) => self.requests(house, call),
            ("POST", ["employees"]) => self.hire(house, call),
            ("POST", ["employees", id]) => self.update(house, id, call),
            ("POST", ["employees", id, "files"]) => self.keep(house, id, call),
            ("PUT", ["employees", id, "time_off", "request"]) => self.ask(house, id, call),
            ("PUT", ["time_off", "requests", id, "status"]) => self.decide(house, id, call),
            ("POST", ["webhooks"]) => subscribe(house, call),
            _ => self.error(404, "Not found"),
        }
    }

    fn message(
        &self,
        house: &House,
        event: &Event,
        to: &Subscriber,
        serial: usize,
    ) -> Option<Message> {
        if event.list != "people" {
            return None;
        }
        let action = match event.what {
            "added" => "Created",
            "changed" => "Updated",
            _ => "Deleted",
        };
        let body = json!({"employees": [{"id": event.id, "action": action,
            "timestamp": event.at.to_string(), "changedFields": []}], "serial": serial})
        .to_string();
        let at = house.now().as_second().to_string();
        let signature = hmac_sha256(&to.secret, &format!("{body}{at}"));
        Some((vec![("x-bamboohr-signature", signature), ("x-bamboohr-timestamp", at)], body))
    }
}

impl BambooHr {
    fn employees(&self, house: &House, call: &Call) -> Reply {
        let wrong = |code: &str, words: &str| {
            Reply::json(400, &json!({"error": {"code": code, "message": words}}))
        };
        let limit = call.number("page[limit]", 50).filter(|limit| (1..=100).contains(limit));
        let Some(limit) = limit else {
            return wrong("BadPage", "page[limit] is between 1 and 100");
        };
        let after = match call.param("page[after]") {
            None => 0,
            Some(mark) => match mark.strip_prefix("after-").and_then(|id| id.parse::<u64>().ok()) {
                Some(id) => id,
                None => return wrong("BadPage", "The cursor is malformed"),
            },
        };
        let mut names = vec![
            "employeeId",
            "firstName",
            "lastName",
            "preferredName",
            "photoUrl",
            "jobTitleName",
            "status",
        ];
        names.extend(
            call.param("fields").unwrap_or_default().split(',').filter(|name| !name.is_empty()),
        );
        let status = call.param("filter[status]");
        let ids = call.param("filter[ids]");
        let rows: Vec<&Value> = house
            .rows("people")
            .map(|row| &row.value)
            .filter(|row| {
                status.is_none_or(|wanted| (row["status"] == "left") == (wanted == "inactive"))
                    && ids.is_none_or(|ids| ids.split(',').any(|id| row["id"].to_string() == id))
            })
            .collect();
        let total = rows.len();
        let mut rows: Vec<&Value> =
            rows.into_iter().filter(|row| row["id"].as_u64() > Some(after)).collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| format!("after-{}", row["id"])).filter(|_| more);
        let data: Vec<Value> = rows
            .iter()
            .map(|row| {
                let mut dressed = listed(house, row, &names);
                dressed["_restrictedFields"] = json!([]);
                dressed
            })
            .collect();
        let here = format!("{}{}?{}", call.base, call.path, call.query);
        let mut body = json!({"data": data, "meta": {"total": total,
            "page": {"limit": limit, "nextCursor": last, "prevCursor": null}},
            "_links": {"self": {"href": here}}});
        if let Some(mark) = &last {
            let next = format!(
                "{}{}?page%5Blimit%5D={limit}&page%5Bafter%5D={mark}",
                call.base, call.path
            );
            body["_links"]["next"] = json!({"href": next});
        }
        Reply::json(200, &body)
    }

    fn changed(&self, house: &House, call: &Call) -> Reply {
        let Some(since) = call.param("since").and_then(|text| text.parse::<Timestamp>().ok())
        else {
            return self.error(400, "since is required");
        };
        let mut people = Map::new();
        for event in
            house.journal.iter().filter(|event| event.list == "people" && event.at >= since)
        {
            let action = match event.what {
                "added" => "Inserted",
                "changed" => "Updated",
                _ => "Deleted",
            };
            let row =
                json!({"id": event.id, "action": action, "lastChanged": event.at.to_string()});
            people.insert(event.id.clone(), row);
        }
        Reply::json(200, &json!({"latest": house.now().to_string(), "employees": people}))
    }

    fn meta(&self, house: &House, what: &str, rest: &[&str]) -> Reply {
        match (what, rest) {
            ("time_off", ["types"]) => {
                let dress = |row: &Value| {
                    json!({"id": row["id"], "name": row["name"], "units": units(row), "color": null,
                        "icon": null, "source": "internal"})
                };
                let rows: Vec<Value> =
                    house.rows("absence_types").map(|row| dress(&row.value)).collect();
                Reply::json(
                    200,
                    &json!({"timeOffTypes": rows, "defaultHours": [{"name": "Monday", "amount": "8"}]}),
                )
            }
            ("time_off", ["policies"]) => Reply::json(200, &json!([])),
            ("lists", []) => {
                let list = |id: u64, alias: &str, name: &str, from: &str| {
                    let rows = house.rows(from).map(|row| &row.value);
                    let options: Vec<Value> = rows
                        .map(|row| json!({"id": row["id"], "archived": "no", "name": row["name"]}))
                        .collect();
                    json!({"fieldId": id, "alias": alias, "name": name, "manageable": "yes",
                        "multiple": "no", "options": options})
                };
                Reply::json(
                    200,
                    &json!([
                        list(4, "department", "Department", "departments"),
                        list(18, "location", "Location", "offices")
                    ]),
                )
            }
            ("fields", []) => {
                let rows: Vec<Value> = ["firstName", "lastName", "workEmail", "hireDate"]
                    .iter()
                    .enumerate()
                    .map(|(place, alias)| json!({"id": place + 1, "name": alias, "type": "text", "alias": alias}))
                    .collect();
                Reply::json(200, &rows.into())
            }
            ("users", []) => {
                let rows = house.rows("people").take(3).map(|row| &row.value);
                let map: Map<String, Value> = rows
                    .map(|row| {
                        let id = row["id"].as_u64().unwrap_or(0) + 1_000;
                        (
                            id.to_string(),
                            json!({"id": id, "employeeId": row["id"], "firstName": row["first"],
                            "lastName": row["last"], "email": row["email"], "status": "enabled"}),
                        )
                    })
                    .collect();
                Reply::json(200, &Value::Object(map))
            }
            _ => self.error(404, "Not found"),
        }
    }

    /// Where people work, by pages. The description says that the first is 0, and callers say that it
    /// is 1; here both are.
    fn locations(&self, house: &House, call: &Call) -> Reply {
        let size = call.number("pageSize", 500).unwrap_or(500).max(1);
        let number = call.number("page", 0).unwrap_or(0).max(1);
        let rows = house.rows("offices").map(|row| &row.value);
        let rows = rows
            .map(|row| {
                let country = text(row, "country");
                json!({"id": row["id"], "label": row["name"], "archived": false, "manageable": true,
                    "address": {"address1": row["street"], "address2": null, "city": row["city"],
                        "stateId": null, "state": null, "zipcode": row["zip"], "countryId": 1,
                        "country": {"id": 1, "name": self::country(country), "isoCode": country}}})
            })
            .collect();
        let (total, rows) = super::page(rows, (number - 1) * size, size);
        let meta = json!({"page": number, "pageSize": size, "totalPages": total.div_ceil(size),
            "totalItems": total});
        Reply::json(200, &json!({"data": rows, "meta": meta, "_links": null}))
    }

    fn requests(&self, house: &House, call: &Call) -> Reply {
        let bound = |name: &str| call.param(name).and_then(|text| text.parse::<Date>().ok());
        let (Some(start), Some(end)) = (bound("start"), bound("end")) else {
            return self.error(400, "Invalid or missing start/end date");
        };
        let within = |row: &Value, name: &str| text(row, name).parse::<Date>().unwrap_or_default();
        let rows = house.rows("absences").map(|row| &row.value).filter(|row| {
            within(row, "from") <= end
                && within(row, "until") >= start
                && call.param("employeeId").is_none_or(|id| row["person"].to_string() == id)
                && call
                    .param("status")
                    .is_none_or(|all| all.split(',').any(|one| one == status_of(row)))
        });
        let rows: Vec<Value> = rows.map(|row| request(house, row)).collect();
        Reply::json(200, &rows.into())
    }

    fn hire(&self, house: &mut House, call: &Call) -> Reply {
        let body = call.json().unwrap_or_default();
        if text(&body, "firstName").is_empty() || text(&body, "lastName").is_empty() {
            return self.error(400, "firstName and lastName are required");
        }
        let fields = match self.given(house, &body, None) {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        let mut row = json!({"email": null, "status": "active", "end": null, "gender": null});
        if let (Value::Object(row), Value::Object(fields)) = (&mut row, fields) {
            row.extend(fields);
        }
        let id = house.add("people", row);
        Reply::empty(201).with("location", format!("{}/api/v1/employees/{id}", call.base))
    }

    fn update(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        match self.given(house, &call.json().unwrap_or_default(), Some(id)) {
            Ok(fields) => {
                house.change("people", id, fields);
                Reply::empty(200)
            }
            Err(refusal) => refusal,
        }
    }

    /// The fields of a person that a body names.
    fn given(&self, house: &House, body: &Value, own: Option<&str>) -> Result<Value, Reply> {
        let mut fields = json!({});
        let plain = [
            ("firstName", "first"),
            ("lastName", "last"),
            ("workEmail", "email"),
            ("homeEmail", "private_email"),
            ("mobilePhone", "phone"),
            ("jobTitle", "title"),
            ("address1", "street"),
            ("city", "city"),
            ("zipcode", "zip"),
            ("country", "country"),
        ];
        for (theirs, ours) in plain {
            if !body[theirs].is_null() {
                fields[ours] = body[theirs].clone();
            }
        }
        if let Some(gender) = body["gender"].as_str() {
            fields["gender"] = gender.to_lowercase().into();
        }
        for (theirs, ours) in
            [("hireDate", "start"), ("dateOfBirth", "birthday"), ("terminationDate", "end")]
        {
            match body[theirs].as_str() {
                Some(day) if day.parse::<Date>().is_ok() => fields[ours] = day.into(),
                Some(_) => return Err(self.error(409, &format!("Invalid value for {theirs}"))),
                None => {}
            }
        }
        for (theirs, list, ours) in
            [("department", "departments", "department"), ("location", "offices", "office")]
        {
            if let Some(row) = house.find(list, |row| row["name"] == body[theirs]) {
                fields[ours] = row["id"].clone();
            }
        }
        let email = text(body, "workEmail");
        let taken = |row: &Value| {
            text(row, "email").eq_ignore_ascii_case(email)
                && Some(row["id"].to_string().as_str()) != own
        };
        if !email.is_empty() && house.find("people", taken).is_some() {
            return Err(self.error(409, "Duplicate email: the work email is already in use"));
        }
        Ok(fields)
    }

    fn ask(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        let body = call.json().unwrap_or_default();
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let kind = number(&body["timeOffTypeId"]).unwrap_or(0);
        if house.get("absence_types", kind).is_null() {
            return self.error(400, "Invalid time off type");
        }
        let bound = |name: &str| text(&body, name).parse::<Date>().ok();
        let (Some(from), Some(until)) = (bound("start"), bound("end")) else {
            return self.error(400, "Invalid start or end");
        };
        let state = match body["status"].as_str() {
            Some("approved") => "approved",
            Some("requested") => "requested",
            _ => return self.error(400, "Invalid status"),
        };
        if until < from {
            return self.error(400, "The end is before the start");
        }
        let amount = body["amount"].as_f64().or_else(|| body["amount"].as_str()?.parse().ok());
        let hours = house.get("absence_types", kind)["unit"] == "hour";
        let whole = f64::from((until - from).get_days()) + 1.0;
        let days = amount.map_or(whole, |amount| if hours { amount / HOURS_A_DAY } else { amount });
        let note = body["notes"][0]["note"].clone();
        let made = house.add(
            "absences",
            json!({"person": id.parse::<u64>().ok(), "type": kind, "from": from.to_string(),
                "until": until.to_string(), "half_start": false, "half_end": false, "days": days,
                "state": state, "note": note}),
        );
        let body = request(house, house.get("absences", made));
        Reply::json(201, &body)
            .with("location", format!("{}/api/v1/time_off/requests/{made}", call.base))
    }

    fn decide(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        if house.get("absences", id).is_null() {
            return self.error(404, "The time off request does not exist");
        }
        let body = call.json().unwrap_or_default();
        let state = match body["status"].as_str() {
            Some("approved") => "approved",
            Some("canceled") => "cancelled",
            Some("denied" | "declined") => "rejected",
            _ => return self.error(400, "Invalid status"),
        };
        house.change("absences", id, json!({"state": state}));
        Reply::empty(200)
    }

    fn keep(&self, house: &mut House, id: &str, call: &Call) -> Reply {
        use base64::Engine as _;
        if house.get("people", id).is_null() {
            return self.error(404, "Employee not found");
        }
        let parts = call.parts();
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let (Some(name), Some(kind), Some(file)) =
            (part("fileName"), part("category"), part("file"))
        else {
            return self.error(400, "fileName, category and file are required");
        };
        let words = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let kept = json!({"owner": "people", "of": id.parse::<u64>().ok(), "name": words(&name.bytes),
            "kind": words(&kind.bytes), "base64": base64::engine::general_purpose::STANDARD.encode(&file.bytes)});
        let made = house.add("files", kept);
        Reply::empty(201)
            .with("location", format!("{}/api/v1/employees/{id}/files/{made}", call.base))
    }
}

fn subscribe(house: &mut House, call: &Call) -> Reply {
    let body = call.json().unwrap_or_default();
    let id = house.subscribers.len() as u64 + 1;
    let secret = format!("twin-private-key-{id}");
    let url = text(&body, "url").to_owned();
    let made =
        json!({"id": id.to_string(), "name": body["name"], "url": url, "privateKey": secret});
    house.subscribers.push(Subscriber { id, url, secret, events: Vec::new() });
    Reply::json(201, &made)
}

fn units(row: &Value) -> &'static str {
    if row["unit"] == "hour" { "hours" } else { "days" }
}

/// A date; where there is none, the API has zeros.
fn date(value: &Value) -> Value {
    value.as_str().map_or("0000-00-00", |day| day).into()
}

/// The fields of the list: names and ids apart, texts or null.
fn listed(house: &House, row: &Value, names: &[&str]) -> Value {
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
fn fields(house: &House, row: &Value, names: &[&str]) -> Value {
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
fn country(code: &str) -> &str {
    let found = crate::words::REGIONS.iter().find(|region| region.country == code);
    found.map_or(code, |region| region.name)
}

fn table_of(house: &House, id: &str, table: &str) -> Reply {
    let people = house.rows("people").map(|row| &row.value);
    let own = people.filter(|row| id == "all" || row["id"].to_string() == id);
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

fn status_of(row: &Value) -> &'static str {
    match row["state"].as_str() {
        Some("requested") => "requested",
        Some("cancelled") => "canceled",
        Some("rejected") => "denied",
        _ => "approved",
    }
}

fn request(house: &House, row: &Value) -> Value {
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
        "status": {"lastChanged": day(text(row, "updated_at")), "lastChangedByUserId": "2001", "status": status_of(row)},
        "start": row["from"], "end": row["until"], "created": day(text(row, "created_at")),
        "type": {"id": kind["id"].to_string(), "name": kind["name"], "icon": "palm-trees"},
        "amount": {"unit": units(kind), "amount": number(total, hours)},
        "actions": {"view": true, "edit": true, "cancel": true, "approve": false, "deny": false, "bypass": false},
        "dates": dates, "notes": notes,
    })
}

/// A number as text, in days or in the hours of so many days.
fn number(days: f64, hours: bool) -> String {
    if hours { (days * HOURS_A_DAY).to_string() } else { days.to_string() }
}
