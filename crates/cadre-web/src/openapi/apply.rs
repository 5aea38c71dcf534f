//! The operations about public postings.

use cadre_model::action::action;
use cadre_model::registry;
use cadre_model::values::COUNTRIES;
use serde_json::{Value, json};

use super::general::{in_path, list_of, object, text, text_or_null};
use super::schema::{Components, STAMP_PATTERN};
use super::{actions, answers};
use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refuse::Class;

/// What a question is known to ask for, whatever its words.
const UNIFIED_KEYS: &[&str] = &[
    "EMAIL",
    "RESIDENCE_TYPE",
    "RESIDENCE_FULL_STRING",
    "RESIDENCE_COUNTRY",
    "RESIDENCE_CITY",
    "RESIDENCE_STATE",
    "RESIDENCE_LINE_1",
    "RESIDENCE_LINE_2",
    "RESIDENCE_ZIP_CODE",
    "APPLICANT_POOL_CONSENT",
    "TERMS_AND_CONDITIONS",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "GENDER",
    "EXPECTED_START_DATE",
    "RESUME",
    "BIRTH_DATE",
    "PHONE_NUMBER_TYPE",
    "FULL_PHONE_NUMBER",
    "PHONE_COUNTRY_CODE",
    "PHONE_NATIONAL_NUMBER",
    "PHONE_EXTENSION",
];

/// What an option is known to mean, beside countries.
const OPTION_KEYS: &[&str] = &[
    "HOME",
    "WORK",
    "MAILING",
    "MALE",
    "FEMALE",
    "NON_BINARY",
    "NOT_SPECIFIED",
    "MOBILE",
    "LANDLINE",
    "SOURCE_OTHER",
    "SOURCE_OTHER_JOB_BOARD",
];

/// Every operation: path, method, and what it is.
pub(super) fn operations(components: &mut Components) -> Vec<(String, &'static str, Value)> {
    let own = [
        (
            "career-sites",
            "get",
            list("GetAiApplyCareerSites", "career sites", &["ids"], &labelled()),
        ),
        ("career-sites", "post", career_site()),
        ("job-feeds", "get", list("GetAiApplyJobFeeds", "job feeds", &["ids"], &labelled())),
        ("job-feeds", "post", job_feed()),
        ("job-feeds/{job_feed_id}/bulk-import", "post", bulk_import()),
        ("postings", "get", postings()),
        ("postings", "post", enter_posting()),
        ("postings/{posting_id}/inquire", "post", inquire()),
        ("postings/{posting_id}/parse", "post", parse()),
        ("apply", "post", apply()),
        ("applications", "get", applications()),
        ("unified-api/jobs", "get", jobs(components)),
        ("unified-api/jobs/{job_id}/applications", "post", apply_to_job(components)),
    ];
    own.map(|(path, method, it)| (format!("/ai-apply/{path}"), method, it)).into()
}

fn operation(
    id: &str,
    summary: &str,
    parameters: Value,
    body: Option<Value>,
    data: &Value,
) -> Value {
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "tags": ["AI Apply"],
        "x-error-class": Class::AiApply.name(),
        "parameters": parameters,
    });
    if let Some(schema) = body {
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation["responses"] = answers(Class::AiApply, data);
    operation
}

fn query(name: &str, explode: bool, schema: Value) -> Value {
    json!({
        "name": name, "in": "query", "required": false, "style": "form", "explode": explode,
        "schema": schema,
    })
}

/// What a list takes.
fn paging(filters: &[&str], most: u32) -> Vec<Value> {
    let usual = DEFAULT_PAGE_SIZE.min(most);
    let size = json!({ "type": "integer", "default": usual, "minimum": 1, "maximum": most });
    let mut parameters = vec![query("cursor", true, text()), query("page_size", true, size)];
    parameters.extend(filters.iter().map(|name| query(name, false, list_of(text()))));
    parameters
}

fn page(item: Value) -> Value {
    object(json!({ "next": text_or_null(), "results": list_of(item) }))
}

fn list(id: &str, what: &str, filters: &[&str], item: &Value) -> Value {
    listed(id, what, paging(filters, MAX_PAGE_SIZE), item.clone())
}

fn listed(id: &str, what: &str, parameters: Vec<Value>, item: Value) -> Value {
    let mut operation =
        operation(id, &format!("List {what}"), Value::Array(parameters), None, &page(item));
    operation["x-pagination"] = json!({
        "type": "cursor", "input": "cursor", "next": "$.data.next", "results": "$.data.results",
    });
    operation
}

fn labelled() -> Value {
    object(json!({ "id": text(), "label": text() }))
}

fn moment() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

fn career_site() -> Value {
    let body = object(json!({ "label": text() }));
    operation("PostAiApplyCareerSites", "Make a career site", json!([]), Some(body), &labelled())
}

fn job_feed() -> Value {
    let body = object(json!({ "label": { "type": "string", "minLength": 1 } }));
    operation("PostAiApplyJobFeeds", "Make a job feed", json!([]), Some(body), &labelled())
}

fn bulk_import() -> Value {
    let count = || json!({ "type": "integer", "minimum": 0 });
    let data = object(json!({ "created": count(), "processed": count(), "archived": count() }));
    let parameters = json!([in_path("job_feed_id", text())]);
    let id = "PostAiApplyJobFeedsBulkImport";
    let mut operation = operation(id, "Import postings into a job feed", parameters, None, &data);
    let answer = "/responses/200/content/application~1json/schema/properties/status";
    if let Some(status) = operation.pointer_mut(answer) {
        *status = json!({ "type": "string", "enum": ["success"] });
    }
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/x-ndjson": { "schema": {
            "type": "string",
            "description": "One JSON object a line: `url`, `career_site_label`, `job_code`, `location`.",
        } } },
    });
    operation
}

fn posting() -> Value {
    object(json!({
        "id": text(),
        "career_site": labelled(),
        "url": text(),
        "job_code": text_or_null(),
        "created_at": moment(),
        "updated_at": moment(),
        "archived_at": { "type": ["string", "null"], "format": "date-time" },
        "archived_reason": {
            "type": ["string", "null"],
            "enum": ["JOB_POSTING_TAKEN_OFFLINE", "MANUAL_ARCHIVE", "REMOVED_FROM_JOB_FEED", null],
        },
        "availability": {
            "type": "string", "enum": ["APPLYABLE", "PENDING", "ARCHIVED", "UNAVAILABLE"],
        },
    }))
}

fn postings() -> Value {
    let mut parameters = paging(&["ids", "career_site_ids", "job_codes"], MAX_PAGE_SIZE);
    parameters.push(query("updated_after", true, moment()));
    listed("GetAiApplyPostings", "postings", parameters, posting())
}

fn enter_posting() -> Value {
    let location = json!({
        "type": ["object", "null"],
        "properties": { "country": { "type": "string", "enum": COUNTRIES }, "postal_code": text() },
        "required": ["country"],
    });
    let body = json!({
        "type": "object",
        "properties": {
            "url": { "type": "string", "format": "uri", "pattern": r"^https?:\/\/" },
            "job_code": text(),
            "location": location,
            "career_site_id": text(),
        },
        "required": ["url", "career_site_id"],
    });
    operation("PostAiApplyPostings", "Enter a posting", json!([]), Some(body), &posting())
}

fn parse() -> Value {
    let id = "PostAiApplyPostingsPostingIdParse";
    let mut posting = posting();
    posting["properties"]["archived_reason"]["enum"] =
        json!(["JOB_POSTING_TAKEN_OFFLINE", "MANUAL_ARCHIVE", null]);
    let here = json!([in_path("posting_id", text())]);
    let body = json!({ "type": "object", "properties": {} });
    operation(id, "Have the page of a posting read again", here, Some(body), &posting)
}

/// An answer to a question.
fn reply(data: Value) -> Value {
    json!({ "oneOf": [
        text(),
        list_of(text()),
        { "type": "number" },
        { "type": "boolean" },
        object(json!({ "name": text(), "content_type": text(), "data": data })),
    ] })
}

fn with_null(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::from(*word)).chain([Value::Null]).collect()
}

fn blocks() -> Value {
    let option_keys: Vec<&str> = OPTION_KEYS.iter().chain(COUNTRIES).copied().collect();
    let option = object(json!({
        "id": text(), "label": text(), "unified_key": { "type": ["string", "null"], "enum": with_null(&option_keys) },
    }));
    let mut condition = object(json!({ "question_id": text(), "answer_equals": reply(json!({})) }));
    condition["type"] = json!(["object", "null"]);
    let question = object(json!({
        "block_type": { "type": "string", "const": "QUESTION" },
        "question_id": text(),
        "label": text(),
        "description": text_or_null(),
        "required": { "type": "boolean" },
        "category": { "type": ["string", "null"], "enum": ["EEO", null] },
        "question_type": { "type": "string", "enum": [
            "TEXT", "NUMBER", "BOOLEAN", "FILE", "DATE", "SINGLE_SELECT", "MULTI_SELECT",
        ] },
        "unified_key": { "type": ["string", "null"], "enum": with_null(UNIFIED_KEYS) },
        "options": { "type": ["array", "null"], "items": option },
        "display_when": condition,
    }));
    let section = object(json!({
        "block_type": { "type": "string", "const": "SECTION" },
        "label": text(),
        "children": list_of(json!({ "type": "object" })),
    }));
    list_of(json!({ "anyOf": [question, section] }))
}

fn inquire() -> Value {
    let data = object(json!({ "application_form": blocks(), "submission_token": text() }));
    let here = json!([in_path("posting_id", text())]);
    let id = "PostAiApplyPostingsPostingIdInquire";
    let body = json!({ "type": "object", "properties": {} });
    operation(id, "Get the application form of a posting", here, Some(body), &data)
}

fn apply() -> Value {
    let answer = object(json!({
        "question_id": text(),
        "answer": reply(json!({ "type": "string", "contentEncoding": "base64" })),
    }));
    let body = json!({
        "type": "object",
        "properties": {
            "submission_token": text(),
            "candidate_email": { "type": "string", "format": "email" },
            "query_params": { "type": "object", "additionalProperties": text() },
            "screening_question_answers": list_of(answer),
            "additional_clicks": { "type": "integer", "minimum": 0, "maximum": 30 },
            "additional_clicks_scatter_duration": { "type": "integer", "minimum": 1 },
        },
        "required": ["submission_token", "candidate_email", "screening_question_answers"],
    });
    let data = object(json!({
        "id": text(), "posting_id": text(), "status": text(), "created_at": moment(),
        "updated_at": moment(),
    }));
    operation("PostAiApplyApply", "Apply with an application form", json!([]), Some(body), &data)
}

fn applications() -> Value {
    let status =
        json!({ "type": "string", "enum": ["SUBMITTED", "DUPLICATE", "PENDING", "FAILED"] });
    let item = object(json!({
        "id": text(), "job_posting_id": text(), "status": status, "created_at": moment(),
        "updated_at": moment(),
    }));
    list("GetAiApplyApplications", "applications", &["ids", "job_posting_ids"], &item)
}

fn jobs(components: &mut Components) -> Value {
    let filters = ["ids", "remote_ids", "job_codes", "career_site_ids"];
    let parameters = paging(&filters, crate::api::apply::MOST_JOBS);
    let mut operation =
        listed("GetAiApplyUnifiedApiJobs", "postings as jobs", parameters, job(components));
    operation["deprecated"] = Value::Bool(true);
    operation
}

/// A posting as a job: the record of an ATS with what a page can tell.
fn job(components: &mut Components) -> Value {
    let record = registry::model("ats_jobs").map(|model| components.record(model));
    let mut job = components.resolved(&record.unwrap_or_default());
    for name in ["changed_at", "remote_deleted_at"] {
        job["properties"][name]["pattern"] = STAMP_PATTERN.into();
    }
    for name in ["visibility", "remote_work_status", "salary_period"] {
        job["properties"][name] = text_or_null();
    }
    let question = job["properties"]["screening_questions"]["items"].take();
    let mut question = match question.get("$ref") {
        Some(_) => components.resolved(&question),
        None => question,
    };
    question["properties"]["category"] =
        json!({ "type": ["string", "null"], "enum": ["EEO", null] });
    let mut format = question["properties"]["format"].take();
    if let Some(variants) = format["anyOf"].as_array_mut() {
        // Beside the format stands null, which is a variant of its own here.
        format = variants.swap_remove(0);
    }
    let format = match format.get("$ref") {
        Some(_) => components.resolved(&format),
        None => format,
    };
    let mut formats = format["oneOf"].as_array().cloned().unwrap_or_default();
    formats.push(json!({ "type": "null" }));
    question["properties"]["format"] = json!({ "anyOf": formats });
    job["properties"]["screening_questions"] =
        json!({ "type": ["array", "null"], "items": question });
    job
}

fn apply_to_job(components: &mut Components) -> Value {
    let create = action("ats_create_application");
    let data = create.map_or(Value::Null, |action| actions::answer(action, components));
    let body = create.map(|action| {
        let mut body = actions::body(action);
        // What only a tool behind an integration could take is left alone here.
        body["properties"]["remote_fields"] = json!({});
        let file = json!({
            "type": "object",
            "properties": {
                "name": text(),
                "content_type": { "type": "string", "pattern": r"^[\w.-]+\/[\w.-]+$" },
                "data_url": { "type": "string", "format": "uri" },
                "data": { "type": "string", "contentEncoding": "base64" },
            },
            "required": ["name"],
        });
        let number = json!({ "type": "number" });
        let answers = [text(), json!({ "type": "boolean" }), number, list_of(text()), file];
        let answer = object(json!({ "question_id": text(), "answer": { "anyOf": answers } }));
        body["properties"]["screening_question_answers"] = list_of(answer);
        body["properties"]["query_params"] =
            json!({ "type": "object", "additionalProperties": text() });
        body
    });
    let here = json!([in_path("job_id", text())]);
    let id = "PostAiApplyUnifiedApiJobsJobIdApplications";
    let mut operation = operation(id, "Apply to a posting as to a job", here, body, &data);
    operation["deprecated"] = Value::Bool(true);
    operation
}
