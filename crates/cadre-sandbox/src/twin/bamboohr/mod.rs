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

mod dress;
mod writes;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::RateLimit;
use crate::hooks::hmac_sha256;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{Event, House, Subscriber, is, text};
use crate::twin::{Message, Vendor};
use dress::{country, fields, listed, request, status_of, table_of, units};
use writes::subscribe;

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
                        json!({"timeOffType": row["id"].to_string(), "name": row["name"],
                            "units": units(row),
                            "balance": "24.50", "end": end, "policyType": "accruing",
                            "usedYearToDate": "12.25"})
                    })
                    .collect();
                Reply::json(200, &rows.into())
            }
            ("GET", ["employees", _, "files", "view"]) => {
                let body = json!({"employee": {"id": path[1]}, "categories": [{"id": 1,
                    "name": "Contracts", "files": []}]});
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
                    && ids.is_none_or(|ids| ids.split(',').any(|id| is(&row["id"], id)))
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
                    .map(|(place, alias)| {
                        json!({"id": place + 1, "name": alias, "type": "text",
                        "alias": alias})
                    })
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
                let code = text(row, "country");
                json!({"id": row["id"], "label": row["name"], "archived": false, "manageable": true,
                    "address": {"address1": row["street"], "address2": null, "city": row["city"],
                        "stateId": null, "state": null, "zipcode": row["zip"], "countryId": 1,
                        "country": {"id": 1, "name": country(code), "isoCode": code}}})
            })
            .collect();
        let (total, rows) = crate::twin::page(rows, (number - 1) * size, size);
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
                && call.param("employeeId").is_none_or(|id| is(&row["person"], id))
                && call
                    .param("status")
                    .is_none_or(|all| all.split(',').any(|one| one == status_of(row)))
        });
        let rows: Vec<Value> = rows.map(|row| request(house, row)).collect();
        Reply::json(200, &rows.into())
    }
}
