//! Greenhouse, Harvest API version 1.
//!
//! Written from <https://developers.greenhouse.io/harvest.html> and the text behind it,
//! <https://github.com/grnhse/greenhouse-api-docs/tree/master/source/includes/harvest>: key as the user
//! name with an empty password, `Link` paging with `per_page` of 1 to 500, 50 requests in ten seconds
//! whose 429 comes without the two budget headers, 422 with `errors` of `field` and `message`,
//! `On-Behalf-Of` for every write. Webhooks: <https://developers.greenhouse.io/webhooks.html>.
//!
//! Not documented, so chosen: the texts of 401 and 403, and that a second application of the same
//! candidate for the same job is 422.

mod dress;
mod writes;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::RateLimit;
use crate::hooks::hmac_sha256;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{Event, House, Subscriber, is};
use crate::twin::{Message, Vendor, page};
use dress::{
    application, applications, candidate, candidates, department, file, interview, job, note,
    offer, office, post_of, reason, stage, tags, users,
};

/// People whose place in the company makes them users of the tool.
const USERS: usize = 6;

#[derive(Debug)]
pub(crate) struct Greenhouse;

impl Vendor for Greenhouse {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![("api_key", format!("twin-harvest-key-{seed}"))]
    }

    fn budget(&self) -> Option<RateLimit> {
        Some(RateLimit { requests: 50, per_seconds: 10 })
    }

    fn budget_headers(
        &self,
        (limit, left, _): (u32, u32, u64),
        _: Timestamp,
    ) -> Vec<(&'static str, String)> {
        vec![("x-ratelimit-limit", limit.to_string()), ("x-ratelimit-remaining", left.to_string())]
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        let words = if status == 401 { "Invalid Basic Auth credentials" } else { words };
        Reply::json(status, &json!({"message": words}))
    }

    fn throttled(&self, seconds: u64, _: Timestamp) -> Reply {
        self.error(429, "Rate limit exceeded.").with("retry-after", seconds)
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let key = format!("twin-harvest-key-{}", house.plan.seed);
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let ["files", id] = parts[..] {
            return file(house, id);
        }
        if call.basic() != Some((key, String::new())) {
            return self.error(401, "");
        }
        match (call.method.as_str(), &parts[..]) {
            ("GET", ["v1", rest @ ..]) => self.read(house, call, rest),
            (_, ["v1" | "v2", rest @ ..]) => {
                let user = call.header("on-behalf-of").parse::<u64>().unwrap_or(0);
                if !users(house).iter().any(|one| one["id"] == user) {
                    return self.error(403, "A valid On-Behalf-Of header is required.");
                }
                writes::write(house, call, rest)
            }
            _ => missing(),
        }
    }

    fn message(
        &self,
        house: &House,
        event: &Event,
        to: &Subscriber,
        serial: usize,
    ) -> Option<Message> {
        let record = house.get(event.list, &event.id);
        let (action, payload) = match (event.list, event.what) {
            ("applications", "added") => {
                ("new_candidate_application", json!({"application": application(house, record)}))
            }
            ("applications", "changed") => {
                let action = match record["status"].as_str() {
                    Some("rejected") if event.before["status"] != "rejected" => "reject_candidate",
                    Some("hired") if event.before["status"] != "hired" => "hire_candidate",
                    _ if event.before["stage"] != record["stage"] => "candidate_stage_change",
                    _ => "application_updated",
                };
                (action, json!({"application": application(house, record)}))
            }
            ("candidates", "changed") => {
                ("update_candidate", json!({"candidate": candidate(house, record, "")}))
            }
            ("candidates", "deleted") => {
                ("delete_candidate", json!({"person_id": event.before["id"]}))
            }
            ("jobs", "added") => ("job_created", json!({"job": job(house, record)})),
            ("jobs", "changed") => ("job_updated", json!({"job": job(house, record)})),
            _ => return None,
        };
        // Everything beyond ASCII is escaped on this vendor's wire, and that is what is signed.
        let body = escaped(&json!({"action": action, "payload": payload}).to_string());
        let signature = format!("sha256 {}", hmac_sha256(&to.secret, &body));
        let headers =
            vec![("signature", signature), ("greenhouse-event-id", (serial + 1).to_string())];
        Some((headers, body))
    }
}

impl Greenhouse {
    fn read(&self, house: &House, call: &Call, path: &[&str]) -> Reply {
        let all = |list: &str, dress: &dyn Fn(&Value) -> Value| -> Vec<Value> {
            house
                .rows(list)
                .filter(|row| changed_in(call, &row.value))
                .map(|row| dress(&row.value))
                .collect()
        };
        let rows = match path {
            ["jobs"] => {
                let mut rows = all("jobs", &|row| job(house, row));
                narrow(&mut rows, call, "status");
                rows
            }
            ["jobs", id] => return one(house.get("jobs", id), |row| job(house, row)),
            ["jobs", id, "stages"] => {
                let mut rows = all("stages", &stage);
                rows.retain(|row| is(&row["job_id"], id));
                rows
            }
            ["job_stages"] => all("stages", &stage),
            ["job_posts"] | ["jobs", _, "job_posts"] => {
                let mut rows = all("jobs", &|row| post_of(house, row));
                if let ["jobs", id, _] = path {
                    rows.retain(|row| is(&row["job_id"], id));
                }
                rows
            }
            ["candidates"] => candidates(house, call),
            ["candidates", id] => {
                return one(house.get("candidates", id), |row| candidate(house, row, &call.base));
            }
            ["candidates", id, "activity_feed"] => {
                let notes = house.rows("notes").map(|row| &row.value);
                let own = notes.filter(|note| is(&note["candidate"], id));
                let notes: Vec<Value> = own.map(|row| note(house, row)).collect();
                let body = json!({"notes": notes, "emails": [], "activities": []});
                return Reply::json(200, &body);
            }
            ["applications"] => applications(house, call),
            ["applications", id] => {
                return one(house.get("applications", id), |row| application(house, row));
            }
            ["applications", id, "scheduled_interviews"] => {
                let mut rows = all("interviews", &|row| interview(house, row));
                rows.retain(|row| is(&row["application_id"], id));
                rows
            }
            ["scheduled_interviews"] => all("interviews", &|row| interview(house, row)),
            ["offers"] => all("offers", &|row| offer(house, row)),
            ["users"] => {
                let mut rows = users(house);
                if let Some(email) = call.param("email") {
                    rows.retain(|row| row["primary_email_address"] == email);
                }
                rows
            }
            ["users", id] => {
                let found = users(house).into_iter().find(|row| is(&row["id"], id));
                return found.map_or_else(missing, |row| Reply::json(200, &row));
            }
            ["departments"] => all("departments", &department),
            ["offices"] => all("offices", &office),
            ["rejection_reasons"] => all("reasons", &reason),
            ["tags", "candidate"] => tags(house),
            ["sources"]
            | ["scorecards"]
            | ["close_reasons"]
            | ["user_roles"]
            | ["eeoc"]
            | ["custom_fields", _]
            | ["jobs", _, "openings"] => Vec::new(),
            _ => return missing(),
        };
        paged(call, rows)
    }
}

fn missing() -> Reply {
    Reply::json(404, &json!({"message": "Resource not found"}))
}

fn invalid(field: &str, message: &str) -> Reply {
    let errors = json!([{"message": message, "field": field}]);
    Reply::json(422, &json!({"message": "Validation error", "errors": errors}))
}

/// A record that is in the wrong state for what was asked: only `errors`, without a field.
fn conflict(message: &str) -> Reply {
    Reply::json(422, &json!({"errors": [{"message": message}]}))
}

fn one(row: &Value, dress: impl Fn(&Value) -> Value) -> Reply {
    if row.is_null() { missing() } else { Reply::json(200, &dress(row)) }
}

/// Whether a record is within `created_…` and `updated_…`; a bound that is no moment is none.
fn changed_in(call: &Call, row: &Value) -> bool {
    let bound = |name: &str| call.param(name).and_then(|text| text.parse::<Timestamp>().ok());
    let moment = |name: &str| row[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    ["created", "updated"].iter().all(|what| {
        let at = moment(&format!("{what}_at"));
        bound(&format!("{what}_after")).is_none_or(|after| at.is_some_and(|at| at >= after))
            && bound(&format!("{what}_before")).is_none_or(|end| at.is_some_and(|at| at < end))
    })
}

fn narrow(rows: &mut Vec<Value>, call: &Call, name: &str) {
    if let Some(wanted) = call.param(name) {
        rows.retain(|row| row[name].as_str() == Some(wanted) || is(&row[name], wanted));
    }
}

/// One page, with links to its neighbours; without a `Link` header there is only one.
fn paged(call: &Call, rows: Vec<Value>) -> Reply {
    let (Some(size), Some(number)) = (call.number("per_page", 100), call.number("page", 1)) else {
        return invalid("page", "Must be an integer");
    };
    if !(1..=500).contains(&size) || number < 1 {
        return invalid("per_page", "Must be between 1 and 500");
    }
    let (total, rows) = page(rows, (number - 1) * size, size);
    let reply = Reply::json(200, &Value::Array(rows));
    let last = total.div_ceil(size).max(1);
    let link = |page: usize, rel: &str| {
        let kept = call.params.iter().filter(|(name, _)| name != "page");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(kept).append_pair("page", &page.to_string());
        format!("<{}{}?{}>; rel=\"{rel}\"", call.base, call.path, query.finish())
    };
    let mut links = Vec::new();
    if number < last {
        links.push(link(number + 1, "next"));
    }
    if number > 1 {
        links.push(link(number - 1, "prev"));
    }
    if last > 1 && call.param("skip_count") != Some("true") {
        links.push(link(last, "last"));
    }
    if links.is_empty() { reply } else { reply.with("link", links.join(", ")) }
}

/// JSON with everything beyond ASCII, and the three characters that mean something in HTML, escaped.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if char.is_ascii() && !['<', '>', '&'].contains(&char) {
            out.push(char);
        } else {
            let mut units = [0; 2];
            char.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}
