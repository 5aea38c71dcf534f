//! Postings as an ATS would show them, for callers who know jobs and candidates only.

use cadre_apply::{Answer, Form};
use cadre_model::action::{Checked, action, check};
use cadre_model::fault::{Code, Fault};
use cadre_model::time::wire;
use cadre_store::Posting;
use serde_json::{Map, Value, json};

use crate::actions::files::Fetcher;
use crate::settings::Parts;

/// What the candidate of a body always answers: it is not asked again.
const OF_CANDIDATE: &[&str] = &["EMAIL", "FIRST_NAME", "LAST_NAME", "FULL_NAME"];

/// A posting as a job.
#[must_use]
pub fn job(posting: &Posting, form: &Form) -> Value {
    let of = |name: &str| posting.job[name].clone();
    let at = |name: &str| match of(name).as_str().and_then(moment) {
        Some(text) => Value::from(text),
        None => Value::Null,
    };
    let place = posting.place.as_ref();
    let location = match of("location") {
        Value::Object(location) => Value::Object(location),
        _ => place.map_or(Value::Null, |place| {
            json!({
                "city": null, "country": place.country, "raw": null, "state": null, "street_1": null,
                "street_2": null, "zip_code": place.postal_code,
            })
        }),
    };
    let status = if posting.archived_at.is_some() { "ARCHIVED" } else { "OPEN" };
    json!({
        "id": posting.id,
        "remote_id": posting.id,
        "name": of("name"),
        "job_code": posting.job_code,
        "description": of("description"),
        "confidential": null,
        "weekly_hours": null,
        "employment_type": of("employment_type"),
        "status": status,
        "visibility": "PUBLIC",
        "category": null,
        "department": of("department"),
        "post_url": posting.url,
        "experience_level": null,
        "remote_work_status": of("remote_work_status"),
        "salary_amount": null,
        "salary_amount_from": of("salary_amount_from"),
        "salary_amount_to": of("salary_amount_to"),
        "salary_currency": of("salary_currency"),
        "salary_period": of("salary_period"),
        "location": location,
        "custom_fields": {},
        "integration_fields": [],
        "opened_at": at("opened_at"),
        "closed_at": at("closed_at"),
        "remote_created_at": null,
        "remote_updated_at": null,
        "contact_id": null,
        "remote_data": null,
        "changed_at": wire(posting.updated_at),
        "remote_deleted_at": posting.archived_at.map(wire),
        "remote_url": posting.url,
        "stages": [],
        "screening_questions": questions(&form.blocks()),
        "job_postings": [],
        "hiring_team": [],
    })
}

/// A day or a moment as the wire has it.
fn moment(text: &str) -> Option<String> {
    let day = text.get(..10)?;
    let whole = if text.len() > 10 { text.to_owned() } else { format!("{day}T00:00:00Z") };
    let moment: jiff::Timestamp = whole.parse().ok()?;
    Some(wire(moment.as_millisecond()))
}

/// Every question of blocks, in order.
pub(super) fn flat(blocks: &Value) -> Vec<&Value> {
    let mut all = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        match block["block_type"].as_str() {
            Some("QUESTION") => all.push(block),
            Some("SECTION") => all.extend(flat(&block["children"])),
            _ => {}
        }
    }
    all
}

fn questions(blocks: &Value) -> Vec<Value> {
    let asked = flat(blocks).into_iter().filter(|question| {
        question["unified_key"].as_str().is_none_or(|key| !OF_CANDIDATE.contains(&key))
    });
    let shown = asked.enumerate().map(|(index, question)| {
        let when = &question["display_when"];
        let options = match &when["answer_equals"] {
            Value::Null => Value::Null,
            Value::Array(values) => Value::Array(values.clone()),
            one => json!([one]),
        };
        json!({
            "id": question["question_id"],
            "remote_id": null,
            "title": question["label"],
            "description": question["description"],
            "format": format(question),
            "category": question["category"],
            "index": index,
            "required": question["required"],
            "precondition_question_id": when["question_id"],
            "precondition_options": options,
        })
    });
    shown.collect()
}

fn format(question: &Value) -> Value {
    let options = || -> Vec<Value> {
        let all = question["options"].as_array().into_iter().flatten();
        all.map(|one| json!({ "id": one["id"], "remote_id": null, "name": one["label"] })).collect()
    };
    match question["question_type"].as_str().unwrap_or_default() {
        "TEXT" => json!({ "display_type": null, "max_length": null, "type": "TEXT" }),
        "NUMBER" => json!({ "display_type": "FIELD", "max": null, "min": null, "type": "NUMBER" }),
        "FILE" => {
            json!({ "accepted_mime_types": null, "max_file_size_bytes": null, "type": "FILE" })
        }
        "SINGLE_SELECT" => {
            json!({ "display_type": null, "options": options(), "type": "SINGLE_SELECT" })
        }
        "MULTI_SELECT" => json!({ "options": options(), "type": "MULTI_SELECT" }),
        kind @ ("BOOLEAN" | "DATE") => json!({ "type": kind }),
        _ => json!({ "type": "UNKNOWN", "raw_question": question }),
    }
}

/// An application as an ATS takes it, whose files are there.
#[derive(Debug)]
pub struct Candidacy {
    body: Value,
}

impl Candidacy {
    /// Checks the body of an application, and gets the files that it names by address.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` that names everything that is wrong.
    pub async fn read(parts: &Parts, body: &Map<String, Value>) -> Result<Candidacy, Fault> {
        let create = action("ats_create_application");
        let fields = create.ok_or_else(|| Fault::unknown("no such action"))?.body;
        let checked: Checked = check(fields, body);
        if !checked.wrong.is_empty() {
            let all: Vec<String> = checked.wrong.iter().map(ToString::to_string).collect();
            let words = format!("Invalid request: {}.", all.join("; "));
            return Err(Fault::new(Code::PlatformInputInvalid, words));
        }
        let mut body = checked.value.clone();
        let fetcher = Fetcher {
            http: parts.http.as_ref(),
            most_bytes: parts.settings.file_bytes,
            restrictions: None,
        };
        fetcher.fetch(&checked, &mut body).await?;
        Ok(Candidacy { body })
    }

    /// The candidate's address.
    #[must_use]
    pub fn email(&self) -> &str {
        self.body["candidate"]["email_address"].as_str().unwrap_or_default()
    }

    /// What the caller calls the candidate.
    #[must_use]
    pub fn candidate(&self) -> &Value {
        &self.body["candidate"]
    }

    /// The answers to the questions of a form: those that are given, and what the candidate and the
    /// attachments say where a question is known to ask for it.
    #[must_use]
    pub fn answers(&self, blocks: &Value) -> Vec<Answer> {
        let given = self.body["screening_question_answers"].as_array();
        let mut answers: Vec<Answer> = given
            .into_iter()
            .flatten()
            .map(|one| Answer {
                question_id: one["question_id"].as_str().unwrap_or_default().to_owned(),
                answer: file(&one["answer"]).unwrap_or_else(|| one["answer"].clone()),
            })
            .collect();
        for question in flat(blocks) {
            let id = question["question_id"].as_str().unwrap_or_default();
            if answers.iter().any(|answer| answer.question_id == id) {
                continue;
            }
            if let Some(answer) = self.known(question) {
                answers.push(Answer { question_id: id.to_owned(), answer });
            }
        }
        answers
    }

    /// What the candidate says to a question, whatever its words.
    fn known(&self, question: &Value) -> Option<Value> {
        let candidate = self.candidate();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let said = match question["unified_key"].as_str()? {
            "EMAIL" => text(&candidate["email_address"]),
            "FIRST_NAME" => text(&candidate["first_name"]),
            "LAST_NAME" => text(&candidate["last_name"]),
            "FULL_NAME" => {
                let first = text(&candidate["first_name"])?;
                Some(format!("{first} {}", text(&candidate["last_name"])?))
            }
            "FULL_PHONE_NUMBER" => text(&candidate["phone_number"]),
            "RESIDENCE_CITY" => text(&candidate["location"]["city"]),
            "RESIDENCE_STATE" => text(&candidate["location"]["state"]),
            "RESIDENCE_LINE_1" => text(&candidate["location"]["street_1"]),
            "RESIDENCE_ZIP_CODE" => text(&candidate["location"]["zip_code"]),
            "RESIDENCE_COUNTRY" => text(&candidate["location"]["country"]),
            "GENDER" => text(&candidate["gender"]).map(|gender| match gender.as_str() {
                "OTHER" => "NON_BINARY".to_owned(),
                _ => gender,
            }),
            "EXPECTED_START_DATE" => {
                let day = text(&candidate["availability_date"])?;
                day.get(..10).map(str::to_owned)
            }
            "APPLICANT_POOL_CONSENT" => return consent(question, &self.body["gdpr_consent"]),
            "RESUME" => return self.resume(),
            _ => None,
        }?;
        match question["question_type"].as_str()? {
            "TEXT" | "DATE" => Some(said.into()),
            "SINGLE_SELECT" => option(question, &said),
            _ => None,
        }
    }

    fn resume(&self) -> Option<Value> {
        let mut files = self.body["attachments"].as_array()?.iter();
        file(files.find(|file| file["type"] == "CV")?)
    }
}

/// The option that is known by a key, or reads like it.
fn option(question: &Value, said: &str) -> Option<Value> {
    let options = question["options"].as_array()?;
    let by_key = options.iter().find(|one| one["unified_key"] == said);
    let by_words = || {
        options
            .iter()
            .find(|one| one["label"].as_str().is_some_and(|label| label.eq_ignore_ascii_case(said)))
    };
    by_key.or_else(by_words).map(|one| one["id"].clone())
}

fn consent(question: &Value, given: &Value) -> Option<Value> {
    let given = given["given"].as_bool()?;
    (question["question_type"] == "BOOLEAN").then(|| given.into())
}

/// A file as an answer has it.
fn file(value: &Value) -> Option<Value> {
    let data = value.get("base64").or_else(|| value.get("data"))?;
    Some(json!({ "name": value["name"], "content_type": value["content_type"], "data": data }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Candidacy, moment, questions};

    fn question(id: &str, kind: &str, key: Value) -> Value {
        json!({
            "block_type": "QUESTION", "question_id": id, "label": id, "description": null, "required": true,
            "category": null, "question_type": kind, "unified_key": key, "display_when": null,
            "options": [
                { "id": "o1", "label": "Germany", "unified_key": "DE" },
                { "id": "o2", "label": "France", "unified_key": "FR" },
            ],
        })
    }

    #[test]
    fn what_the_candidate_says_answers_what_is_known_to_ask_for_it() {
        let body = json!({
            "candidate": {
                "first_name": "Ada", "last_name": "Byron", "email_address": "ada@x.example",
                "location": { "country": "FR" },
            },
            "attachments": [{ "type": "CV", "name": "cv.pdf", "content_type": "application/pdf", "base64": "QQ==" }],
            "screening_question_answers": [{ "question_id": "why", "answer": "Because." }],
        });
        let blocks = json!([
            { "block_type": "SECTION", "label": "You", "children": [
                question("name", "TEXT", json!("FULL_NAME")),
                question("country", "SINGLE_SELECT", json!("RESIDENCE_COUNTRY")),
            ] },
            question("cv", "FILE", json!("RESUME")),
            question("why", "TEXT", Value::Null),
            question("phone", "TEXT", json!("FULL_PHONE_NUMBER")),
        ]);
        let answers = Candidacy { body }.answers(&blocks);
        let said: Vec<(&str, Value)> =
            answers.iter().map(|one| (one.question_id.as_str(), one.answer.clone())).collect();
        let cv = json!({ "name": "cv.pdf", "content_type": "application/pdf", "data": "QQ==" });
        assert_eq!(
            said,
            [
                ("why", json!("Because.")),
                ("name", json!("Ada Byron")),
                ("country", json!("o2")),
                ("cv", cv)
            ]
        );
        let asked = questions(&blocks);
        assert_eq!(asked.len(), 4, "a name is not asked again");
        assert_eq!(
            asked[0]["format"]["options"][1],
            json!({ "id": "o2", "remote_id": null, "name": "France" })
        );
    }

    #[test]
    fn days_and_moments_of_a_page() {
        assert_eq!(moment("2026-01-31").as_deref(), Some("2026-01-31T00:00:00.000Z"));
        assert_eq!(
            moment("2026-01-31T10:00:00+02:00").as_deref(),
            Some("2026-01-31T08:00:00.000Z")
        );
        assert_eq!(moment("soon"), None);
    }
}
