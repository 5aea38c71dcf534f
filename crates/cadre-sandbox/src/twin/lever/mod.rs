//! Lever, Data API version 1.
//!
//! Written from <https://hire.lever.co/developer/documentation>: key as the user name with an empty
//! password; `data`, `hasNext` and `next`, which comes back as `offset`; `limit` of 1 to 100; moments in
//! milliseconds of the epoch; `perform_as` on writes; a bucket of ten requests a second that may burst to
//! twenty, without headers; errors as `code` and `message`; a known address adds an opportunity to the
//! contact and says `deduped`. Webhook signatures: <https://hire.lever.co/developer/webhooks>.
//!
//! Not documented, so chosen: the codes of 400, 401 and 403.

mod dress;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::RateLimit;
use crate::hooks::hmac_sha256;
use crate::twin::call::{Call, Reply};
use crate::twin::change::{apply, candidate_with};
use crate::twin::house::{Event, House, Subscriber, text};
use crate::twin::{Message, Vendor, page};
use dress::{
    application, archive_patch, archive_reasons, contact, deleted, form_of, interview, kept_file,
    note, number, offer, opportunities, opportunity, posting, split, stage_id, stage_place, stages,
    text_at, user, uuid, within,
};

/// People whose place in the company makes them users of the tool.
const USERS: usize = 6;

#[derive(Debug)]
pub(crate) struct Lever;

impl Vendor for Lever {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![("api_key", format!("twin-lever-key-{seed}"))]
    }

    fn budget(&self) -> Option<RateLimit> {
        Some(RateLimit { requests: 20, per_seconds: 2 })
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        let code = match status {
            400 => "BadRequestError",
            401 => "UnauthorizedError",
            403 => "ForbiddenError",
            404 => "NotFoundError",
            429 => "TooManyRequestsError",
            _ => "InternalServerError",
        };
        Reply::json(status, &json!({"code": code, "message": words}))
    }

    fn throttled(&self, _: u64, _: Timestamp) -> Reply {
        self.error(429, "Rate limit exceeded")
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        let key = format!("twin-lever-key-{}", house.plan.seed);
        if call.basic() != Some((key, String::new())) {
            return self.error(401, "Unauthorized");
        }
        let segments = call.segments();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (call.method.as_str(), &parts[..]) {
            ("GET", ["v1", path @ ..]) => self.read(house, call, path),
            ("POST" | "PUT" | "DELETE", ["v1", path @ ..]) => {
                let user = call.param("perform_as").and_then(number);
                let applying =
                    matches!(path, ["postings", _, "apply"] | ["uploads"] | ["webhooks", ..]);
                if !applying && user.is_none_or(|user| house.get("people", user).is_null()) {
                    return self.error(400, "perform_as: a valid user is required");
                }
                self.write(house, call, path, user.unwrap_or(0))
            }
            _ => self.error(404, "Resource not found"),
        }
    }

    fn message(
        &self,
        house: &House,
        event: &Event,
        to: &Subscriber,
        serial: usize,
    ) -> Option<Message> {
        let row = house.get(event.list, &event.id);
        let (list, before) = (event.list, &event.before);
        let contact = uuid(2, &row["candidate"]);
        let mut data = json!({"opportunityId": uuid(1, &json!(event.id.parse::<u64>().ok()?)),
            "contactId": contact});
        let name = match (list, event.what) {
            ("applications", "added") => "applicationCreated",
            ("applications", "deleted") => "candidateDeleted",
            ("applications", _) if row["status"] == "hired" && before["status"] != "hired" => {
                "candidateHired"
            }
            ("applications", _) if row["status"] != before["status"] => "candidateArchiveChange",
            ("applications", _) if row["stage"] != before["stage"] => {
                data["fromStageId"] = stage_id(house, &before["stage"]);
                data["toStageId"] = stage_id(house, &row["stage"]);
                "candidateStageChange"
            }
            _ => return None,
        };
        if !to.events.is_empty() && !to.events.iter().any(|wanted| wanted == name) {
            return None;
        }
        let (token, at) = (format!("twin-{serial}"), event.at.as_millisecond());
        let signature = hmac_sha256(&to.secret, &format!("{token}{at}"));
        let body = json!({"id": format!("event-{serial}"), "event": name, "triggeredAt": at,
            "token": token, "signature": signature, "data": data});
        Some((Vec::new(), body.to_string()))
    }
}

impl Lever {
    fn read(&self, house: &House, call: &Call, path: &[&str]) -> Reply {
        let all = |list: &str, dress: &dyn Fn(&Value) -> Value| -> Vec<Value> {
            house.rows(list).map(|row| dress(&row.value)).collect()
        };
        let below = |list: &str, id: &str, dress: &dyn Fn(&Value) -> Value| -> Vec<Value> {
            let own = house.rows(list).map(|row| &row.value);
            own.filter(|row| Some(&row["application"]) == number(id).map(Value::from).as_ref())
                .map(dress)
                .collect()
        };
        let rows = match path {
            ["postings"] => {
                let mut rows = all("jobs", &|row| posting(house, row));
                let states = call.all("state");
                rows.retain(|row| states.is_empty() || states.contains(&text(row, "state")));
                within(&mut rows, call, "updatedAt", "updated_at");
                rows
            }
            ["postings", "deleted"] => deleted(house, "jobs", 3),
            ["opportunities", "deleted"] => deleted(house, "applications", 1),
            ["postings", id] => return self.one(house, "jobs", id, |row| posting(house, row)),
            ["postings", id, "apply"] => {
                return self.one(house, "jobs", id, |row| form_of(house, row));
            }
            ["opportunities"] => opportunities(house, call),
            ["opportunities", id] => {
                return self.one(house, "applications", id, |row| opportunity(house, row, call));
            }
            ["contacts", id] => return self.one(house, "candidates", id, contact),
            ["opportunities", id, "applications"] => {
                match number(id).map(|id| house.get("applications", id)) {
                    Some(row) if !row.is_null() => vec![application(house, row)],
                    _ => return self.error(404, "Opportunity not found"),
                }
            }
            ["opportunities", id, "interviews"] => {
                below("interviews", id, &|row| interview(house, row))
            }
            ["opportunities", id, "offers"] => below("offers", id, &offer),
            ["opportunities", id, "notes"] => below("notes", id, &note),
            ["opportunities", id, what @ ("resumes" | "files")] => {
                let kind = if *what == "resumes" { "resume" } else { "file" };
                let own = house.rows("files").map(|row| &row.value);
                let own = own.filter(|file| {
                    Some(&file["of"]) == number(id).map(Value::from).as_ref()
                        && file["kind"] == kind
                });
                own.map(|file| kept_file(call, id, what, file)).collect()
            }
            ["opportunities", _, "feedback" | "panels" | "referrals" | "forms"] => Vec::new(),
            ["stages"] => stages(house),
            ["archive_reasons"] => archive_reasons(house, call),
            ["users"] => house.rows("people").take(USERS).map(|row| user(&row.value)).collect(),
            ["users", id] => return self.one(house, "people", id, user),
            ["tags"] => {
                crate::words::TAGS.iter().map(|tag| json!({"text": tag, "count": 1})).collect()
            }
            ["sources"] => {
                crate::words::SOURCES.iter().map(|one| json!({"text": one, "count": 1})).collect()
            }
            ["requisitions"] | ["feedback_templates"] | ["requisition_fields"] => Vec::new(),
            ["webhooks"] => {
                let hooks = house.subscribers.iter();
                let rows: Vec<Value> = hooks
                    .map(|one| {
                        json!({"id": one.id.to_string(), "url": one.url,
                        "event": one.events.first()})
                    })
                    .collect();
                // This list does not say whether there is more.
                return Reply::json(200, &json!({"data": rows}));
            }
            _ => return self.error(404, "Resource not found"),
        };
        self.paged(call, rows)
    }

    /// A page: the mark of the next one is percent-encoded, and may come back either way.
    fn paged(&self, call: &Call, rows: Vec<Value>) -> Reply {
        let limit = call.number("limit", 100).filter(|limit| (1..=100).contains(limit));
        let Some(limit) = limit else { return self.error(400, "limit: must be between 1 and 100") };
        let mark = call.param("offset").unwrap_or_default().replace("%5B", "[").replace("%5D", "]");
        let digits = mark.trim_matches(['[', ']']);
        let skip = if digits.is_empty() { Some(0) } else { digits.parse::<usize>().ok() };
        let Some(skip) = skip else { return self.error(400, "offset: is not valid") };
        let (total, rows) = page(rows, skip, limit);
        let mut body = json!({"data": rows, "hasNext": skip + limit < total});
        if skip + limit < total {
            body["next"] = format!("%5B{}%5D", skip + limit).into();
        }
        Reply::json(200, &body)
    }

    fn one(&self, house: &House, list: &str, id: &str, dress: impl Fn(&Value) -> Value) -> Reply {
        let row = number(id).map_or(&Value::Null, |id| house.get(list, id));
        if row.is_null() {
            return self.error(404, "There is no record with this id on your account");
        }
        Reply::json(200, &json!({"data": dress(row)}))
    }

    fn write(&self, house: &mut House, call: &Call, path: &[&str], user: u64) -> Reply {
        let sent = call.json();
        let body = sent.clone().unwrap_or_default();
        let of = path.get(1).and_then(|id| number(id)).unwrap_or(0);
        let list = if path.first() == Some(&"postings") { "jobs" } else { "applications" };
        let on_record = ["opportunities", "postings"].iter().any(|one| path.first() == Some(one));
        if on_record && path.len() > 1 && house.get(list, of).is_null() {
            return self.error(404, "There is no record with this id on your account");
        }
        match (call.method.as_str(), path) {
            ("POST", ["opportunities"]) => self.create(house, call, &body),
            ("POST", ["postings", _, "apply"]) => self.apply_for(house, of, &body),
            ("PUT", ["opportunities", id, "stage"]) => {
                let stage = stage_place(text(&body, "stage"));
                let Some(place) = stage else { return self.error(400, "stage: does not exist") };
                let job = house.get("applications", of)["job"].clone();
                let fits = |row: &Value| row["job"] == job && row["place"] == place;
                let stage = house.find("stages", fits).map(|stage| stage["id"].clone());
                house.change("applications", of, json!({"stage": stage}));
                self.one(house, "applications", id, |row| opportunity(house, row, call))
            }
            ("PUT", ["opportunities", id, "archived"]) => {
                let patch = match archive_patch(house, &body["reason"]) {
                    Some(patch) => patch,
                    None => return self.error(400, "reason: does not exist"),
                };
                house.change("applications", of, patch);
                self.one(house, "applications", id, |row| opportunity(house, row, call))
            }
            ("POST", ["opportunities", _, "notes"]) => {
                if text(&body, "value").is_empty() {
                    return self.error(400, "value: is required");
                }
                let id = house.add(
                    "notes",
                    json!({"application": of, "body": body["value"], "author": user}),
                );
                let id = uuid(6, &id.into());
                Reply::json(
                    201,
                    &json!({"data": {"id": id, "noteId": id, "createdAt": house.now().as_millisecond()}}),
                )
            }
            ("POST", ["opportunities", id, what @ ("addTags" | "removeTags")]) => {
                let candidate = house.get("applications", of)["candidate"].clone();
                let mut tags = house.get("candidates", &candidate)["tags"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let named = body["tags"].as_array().cloned().unwrap_or_default();
                tags.retain(|tag| !named.contains(tag));
                if *what == "addTags" {
                    tags.extend(named);
                }
                house.change("candidates", candidate, json!({"tags": tags}));
                // The opportunity is what is shown with its contact's tags: it has changed too.
                house.change("applications", of, json!({}));
                self.one(house, "applications", id, |row| opportunity(house, row, call))
            }
            ("POST", ["opportunities", id, "addLinks"]) => {
                house.change("applications", of, json!({"links": body["links"]}));
                self.one(house, "applications", id, |row| opportunity(house, row, call))
            }
            ("POST", ["opportunities", id, "files"]) => {
                let Some(part) = call.parts().into_iter().find(|part| part.name == "file") else {
                    return self.error(400, "file: is required");
                };
                use base64::Engine as _;
                let content = base64::engine::general_purpose::STANDARD.encode(part.bytes);
                let name = part.file_name.unwrap_or_default();
                let kept = json!({"owner": "applications", "of": of, "name": name, "kind": "file",
                    "base64": content});
                let kept = house.add("files", kept);
                let body = kept_file(call, id, "files", house.get("files", kept));
                Reply::json(201, &json!({"data": body}))
            }
            ("POST", ["webhooks"]) => {
                let secret = format!("twin-signature-{}", house.subscribers.len() + 1);
                let id = house.subscribers.len() as u64 + 1;
                let url = text(&body, "url").to_owned();
                let event = text(&body, "event").to_owned();
                let made = json!({"id": id.to_string(), "event": event, "url": url,
                    "configuration": {"conditions": {"origins": []}, "signatureToken": secret}});
                house.subscribers.push(Subscriber { id, url, secret, events: vec![event] });
                Reply::json(201, &json!({"data": made}))
            }
            ("DELETE", ["webhooks", id]) => {
                house.subscribers.retain(|one| one.id.to_string() != *id);
                Reply::empty(204)
            }
            _ => self.error(404, "Resource not found"),
        }
    }

    fn create(&self, house: &mut House, call: &Call, body: &Value) -> Reply {
        let postings = body["postings"].as_array().map_or(0, Vec::len);
        if postings > 1 {
            return self.error(400, "postings: at most one");
        }
        let posting = body["postings"][0].as_str();
        let job = posting.and_then(number).filter(|id| !house.get("jobs", id).is_null());
        if posting.is_some() && job.is_none() {
            return self.error(400, "postings: does not exist");
        }
        let email = text_at(&body["emails"], 0);
        let known = candidate_with(house, &email);
        let candidate = known.unwrap_or_else(|| {
            let (first, last) = split(text(body, "name"));
            house.add(
                "candidates",
                json!({"first": first, "last": last, "email": email,
                "phone": body["phones"][0]["value"], "company": body["headline"], "title": null,
                "tags": body["tags"].as_array().cloned().unwrap_or_default(),
                "source": body["sources"][0]}),
            )
        });
        let id = apply(house, candidate, job.unwrap_or(0));
        if let Some(place) = stage_place(text(body, "stage")) {
            let fits = |row: &Value| row["job"] == job.unwrap_or(0) && row["place"] == place;
            let stage = house.find("stages", fits).map(|stage| stage["id"].clone());
            house.change("applications", id, json!({"stage": stage}));
        }
        let made = opportunity(house, house.get("applications", id), call);
        let mut answer = json!({"data": made});
        if known.is_some() {
            answer["deduped"] = true.into();
        }
        Reply::json(201, &answer)
    }

    fn apply_for(&self, house: &mut House, job: u64, body: &Value) -> Reply {
        if house.get("jobs", job)["status"] != "open" {
            return self.error(400, "Posting is not published");
        }
        let field = |name: &str| {
            let all = body["personalInformation"].as_array().into_iter().flatten();
            let found = all.clone().find(|one| one["name"] == name);
            found.map(|one| text(one, "value").to_owned()).unwrap_or_default()
        };
        let (name, email) = (field("fullName"), field("email"));
        if name.is_empty() || email.is_empty() {
            return self.error(400, "personalInformation: fullName and email are required");
        }
        let (first, last) = split(&name);
        let candidate = candidate_with(house, &email).unwrap_or_else(|| {
            house.add(
                "candidates",
                json!({"first": first, "last": last, "email": email,
                "phone": field("phone"), "company": null, "title": null, "tags": [],
                "source": body["source"]}),
            )
        });
        let id = apply(house, candidate, job);
        Reply::json(201, &json!({"data": {"applicationId": uuid(4, &id.into())}}))
    }
}
