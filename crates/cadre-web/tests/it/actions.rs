//! Actions: what callers have a tool do happens once, and every way it can fail has its code.

use std::time::Duration;

use bytes::Bytes;
use cadre_connector::HttpRequest;
use cadre_model::action::{action, check};
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_web::refuse::Class;
use cadre_web::router::{Audience, routes};
use cadre_web::{WebSettings, router};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::app::{Answer, START, TestApp, on_both};
use crate::contract::{assert_error_envelope, assert_valid};

/// Both tools, connected and synced.
pub struct Tools {
    pub sandbox: Running,
    pub ats: String,
    pub hris: String,
    pub lms: String,
}

impl Tools {
    pub async fn new(app: &TestApp) -> Self {
        let start = START.parse().expect("a moment");
        let options =
            SandboxOptions { candidates: 12, jobs: 8, employees: 6, start, ..Default::default() };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.api_key });
        let ats = app.connect("sandboxats", form).await;
        let form = json!({
            "base_url": sandbox.base_url, "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        });
        let hris = app.connect("sandboxhris", form).await;
        let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.learning_key });
        let lms = app.connect("sandboxlms", form).await;
        Self { sandbox, ats, hris, lms }
    }

    fn of_path(&self, path: &str) -> &str {
        match crate::app::category(path) {
            "ats" => &self.ats,
            "lms" => &self.lms,
            _ => &self.hris,
        }
    }

    pub async fn admin(&self, app: &TestApp, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/admin/{path}", self.sandbox.base_url);
        let mut request = HttpRequest::new(method, url.parse().expect("a URL"));
        request.set_header("Content-Type", "application/json");
        request.body = (method == "POST").then(|| Bytes::from(body.to_string()));
        let sent = app.state.parts.http.send(request, Duration::from_secs(5)).await;
        serde_json::from_slice(&sent.expect("an answer").body).unwrap_or_default()
    }

    pub async fn order(&self, app: &TestApp, faults: Value) {
        self.admin(app, "DELETE", "faults", &Value::Null).await;
        self.admin(app, "POST", "faults", &faults).await;
    }

    pub async fn count(&self, app: &TestApp, tool: &str, list: &str) -> u64 {
        self.admin(app, "GET", "tables", &Value::Null).await[tool][list].as_u64().unwrap_or(0)
    }

    pub async fn list(&self, app: &TestApp, path: &str) -> Vec<Value> {
        let id = self.of_path(path);
        let call = app.request("GET", path).key(&app.tenant.key).integration(id);
        call.send().await.json["data"]["results"].as_array().expect("records").clone()
    }

    pub async fn ask(&self, app: &TestApp, what: (&str, &str), key: &str, body: &Value) -> Answer {
        let id = self.of_path(what.1);
        let mut call = app.request(what.0, what.1).key(&app.tenant.key).integration(id);
        if !key.is_empty() {
            call = call.header("Idempotency-Key", key);
        }
        call.json(body).send().await
    }

    /// A job that is open, or one that is not.
    pub async fn job(&self, app: &TestApp, open: bool) -> Value {
        let jobs = self.list(app, "/v1/ats/jobs").await;
        jobs.into_iter().find(|job| (job["status"] == "OPEN") == open).expect("a job")
    }
}

pub fn somebody(name: &str) -> Value {
    json!({ "candidate": {
        "first_name": "Ada", "last_name": name, "email_address": format!("{name}@post.example"),
    } })
}

pub fn applications(job: &Value) -> String {
    format!("/v1/ats/jobs/{}/applications", job["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn an_application_is_made_and_is_in_the_mirror_at_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        let mut body = somebody("lovelace");
        body["attachments"] = json!([{
            "name": "cv.pdf", "type": "CV", "content_type": "application/pdf", "data": "aGVsbG8=",
        }]);
        body["candidate"]["gender"] = json!("FEMALE");
        body["nickname"] = json!("Countess");
        let answer = tools.ask(&app, ("POST", &applications(&job)), "", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_valid("post", "/ats/jobs/{job_id}/applications", &answer.json);
        assert_eq!(answer.header("concurrency-remaining"), Some("29"));
        let data = &answer.json["data"];
        assert_eq!(data["job"]["id"], job["id"]);
        assert_eq!(data["candidate"]["last_name"], "lovelace");
        let warnings = answer.json["warnings"].to_string();
        assert!(warnings.contains("`body.nickname` is not known here"), "{warnings}");
        assert!(warnings.contains("Sandbox ATS does not take `body.candidate.gender`"), "{warnings}");
        let path = format!("/v1/ats/applications?ids={}", data["id"].as_str().expect("an id"));
        let mirrored = &tools.list(&app, &path).await[0];
        for field in ["remote_id", "job", "current_stage", "candidate_id", "changed_at"] {
            assert_eq!(mirrored[field], data[field], "{field}");
        }
        let files = tools.count(&app, "ats", "attachments").await;
        let file = json!({
            "name": "letter.txt", "type": "COVER_LETTER", "content_type": "text/plain", "data": "aGk=",
        });
        let id = data["candidate"]["id"].as_str().expect("an id");
        let path = format!("/v1/ats/candidates/{id}/attachments");
        let added = tools.ask(&app, ("POST", &path), "", &json!({ "attachment": file })).await;
        assert_eq!(added.status, 200, "{}", added.text);
        assert_eq!(tools.count(&app, "ats", "attachments").await, files + 1);

        // The same person for the same job again.
        let again = tools.ask(&app, ("POST", &applications(&job)), "", &somebody("lovelace")).await;
        let words = again.refused("ats", "ATS.APPLICATION_ALREADY_EXISTS", 400);
        assert!(words.contains("already applied"), "{words}");
        let closed = tools.job(&app, false).await;
        let closed = tools.ask(&app, ("POST", &applications(&closed)), "", &somebody("x")).await;
        closed.refused("ats", "ATS.JOB_CLOSED", 400);

        // An answer of the vendor's own validation.
        let mut body = somebody("empty");
        body["candidate"]["first_name"] = json!(" ");
        let refused = tools.ask(&app, ("POST", &applications(&job)), "", &body).await;
        let words = refused.refused("ats", "REMOTE.INPUT_INVALID", 400);
        assert!(words.contains("candidate.first_name: must not be empty"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_named_before_a_tool_is_asked() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        tools.admin(&app, "DELETE", "requests", &Value::Null).await;
        let body = json!({ "candidate": { "first_name": 1, "email_address": "x" } });
        let answer = tools.ask(&app, ("POST", &applications(&job)), "", &body).await;
        let words = answer.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        for part in [
            "`body.candidate.first_name`: expected text, got 1",
            "`body.candidate.last_name`: expected text, got nothing",
            "`body.candidate.email_address`: expected an e-mail address, got \"x\"",
        ] {
            assert!(words.contains(part), "{words}");
        }
        let mut body = somebody("y");
        body["stage_id"] = json!("nowhere");
        let question = json!({ "question_id": "none", "answer": "x" });
        body["screening_question_answers"] = json!([question]);
        let answer = tools.ask(&app, ("POST", "/v1/ats/jobs/none/applications"), "", &body).await;
        let words = answer.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        for part in ["`path.job_id`", "`body.stage_id`", "`body.screening_question_answers[0]"] {
            assert!(words.contains(part), "{words}");
        }
        let seen = tools.admin(&app, "GET", "requests", &Value::Null).await;
        assert_eq!(seen, json!([]), "no vendor was asked");
        // The tool of the other category cannot do it.
        let call = app.request("POST", "/v1/hris/absences").key(&app.tenant.key);
        let body = json!({
            "employee_id": "a", "absence_type_id": "b", "start_date": "2026-01-01",
            "end_date": "2026-01-01", "employee_note": null,
        });
        let answer = call.integration(&tools.ats).json(&body).send().await;
        answer.refused("hris", "INTEGRATION.ACTION_NOT_AVAILABLE", 400);
    })
    .await;
}

#[tokio::test]
async fn the_same_key_does_it_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        let path = applications(&job);
        let before = tools.count(&app, "ats", "applications").await;
        // Three at once, and one afterwards: one application, one answer.
        let body = somebody("hopper");
        let what = ("POST", path.as_str());
        let (one, two, three) = tokio::join!(
            tools.ask(&app, what, "k1", &body),
            tools.ask(&app, what, "k1", &body),
            tools.ask(&app, what, "k1", &body),
        );
        let four = tools.ask(&app, what, "\"k1\"", &body).await;
        for answer in [&one, &two, &three, &four] {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json, one.json);
        }
        assert_eq!(tools.count(&app, "ats", "applications").await, before + 1);
        let other = tools.ask(&app, what, "k1", &somebody("other")).await;
        let words = other.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains("Idempotency-Key"), "{words}");
        // A request that was refused before the tool was asked does not use its key up.
        let nowhere = applications(&json!({"id": "nowhere"}));
        let refused = tools.ask(&app, ("POST", &nowhere), "k2", &somebody("ritchie")).await;
        refused.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        let corrected = tools.ask(&app, what, "k2", &somebody("ritchie")).await;
        assert_eq!(corrected.status, 200, "{}", corrected.text);
        let long = tools.ask(&app, what, &"k".repeat(256), &body).await;
        long.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        // After seven days the key is nobody's any more.
        app.clock.advance(SignedDuration::from_hours(7 * 24 + 1));
        let later = tools.ask(&app, what, "k1", &body).await;
        later.refused("ats", "ATS.APPLICATION_ALREADY_EXISTS", 400);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_looked_for_and_not_asked_twice() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        let before = tools.count(&app, "ats", "applications").await;
        let of = |method: &str, path: &str| json!({ "method": method, "path": path });
        let post = of("POST", "/ats/v1/applications");
        // Done, and the answer lost; then not done at all.
        for fault in [json!("drop_answer"), json!("drop_connection")] {
            tools.order(&app, json!({ "match": post, "fault": fault })).await;
            let name = fault.as_str().expect("text").replace('_', "-");
            let answer = tools.ask(&app, ("POST", &applications(&job)), "", &somebody(&name)).await;
            assert_eq!(answer.status, 200, "{fault}: {}", answer.text);
            assert_eq!(answer.json["data"]["candidate"]["last_name"], name);
        }
        tools.order(&app, json!({ "match": post, "fault": "status", "status": 502 })).await;
        let answer = tools.ask(&app, ("POST", &applications(&job)), "", &somebody("z502")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(tools.count(&app, "ats", "applications").await, before + 3);

        // The same for people and their absences.
        let people = tools.count(&app, "hris", "employees").await;
        let post = of("POST", "/hris/v1/employees");
        tools.order(&app, json!({ "match": post, "fault": "drop_answer" })).await;
        let body =
            json!({ "first_name": "Grace", "last_name": "H", "work_email": "g@sand.example" });
        let answer = tools.ask(&app, ("POST", "/v1/hris/employees"), "", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_valid("post", "/hris/employees", &answer.json);
        assert_eq!(tools.count(&app, "hris", "employees").await, people + 1);
        let again = tools.ask(&app, ("POST", "/v1/hris/employees"), "", &body).await;
        again.refused("hris", "HRIS.EMPLOYEE_ALREADY_EXISTS", 400);

        // A vendor that is down stays down after our own retries.
        let down = json!({ "match": post, "fault": "status", "status": 503, "times": 0 });
        tools.order(&app, down).await;
        let body = json!({ "first_name": "A", "last_name": "B" });
        let answer = tools.ask(&app, ("POST", "/v1/hris/employees"), "", &body).await;
        let words = answer.refused("hris", "REMOTE.SERVICE_UNAVAILABLE", 500);
        assert!(words.contains("(tried 4 times)"), "{words}");
        assert_eq!(tools.count(&app, "hris", "employees").await, people + 1);
    })
    .await;
}

#[tokio::test]
async fn what_takes_too_long_is_picked_up_where_it_was() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        let path = applications(&job);
        let before = tools.count(&app, "ats", "applications").await;
        let late = json!({
            "match": { "method": "POST", "path": "/ats/v1/applications" },
            "fault": "late_answer", "ms": 30_000,
        });
        // With a key and without one: the time ends, and the same request goes on.
        for key in ["slow", ""] {
            tools.order(&app, late.clone()).await;
            let body = somebody(&format!("slow{key}"));
            let answer = tools.ask(&app, ("POST", &path), key, &body).await;
            let words = answer.refused("ats", "PLATFORM.TASK_TIMED_OUT", 500);
            assert!(words.contains("Idempotency-Key"), "{words}");
            tools.order(&app, json!([])).await;
            let answer = tools.ask(&app, ("POST", &path), key, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert_eq!(tools.count(&app, "ats", "applications").await, before + 2);
    })
    .await;
}

#[tokio::test]
async fn a_killed_process_leaves_nothing_twice_and_nothing_out() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let job = tools.job(&app, true).await;
        let path = applications(&job);
        let before = tools.count(&app, "ats", "applications").await;
        let files = tools.count(&app, "ats", "attachments").await;
        let steps = ["/ats/v1/applications", "/ats/v1/candidates/", "/ats/v1/applications/"];
        for (at, step) in steps.into_iter().enumerate() {
            let method = if step.ends_with("candidates/") { "GET" } else { "POST" };
            tools.order(&app, json!({
                "match": { "method": method, "path": step }, "fault": "late_answer", "ms": 3_000,
            })).await;
            let mut body = somebody(&format!("killed{at}"));
            body["attachments"] = json!([{
                "name": "cv.txt", "type": "CV", "content_type": "text/plain", "data": "aGVsbG8=",
            }]);
            let order = order(&body, &job, &format!("kill{at}"));
            let (parts, id) = (app.state.parts.clone(), tools.ats.clone());
            let scope = app.integration(&id).await;
            let integration = app.store.integration_get(&scope).await.expect("a store");
            let integration = integration.expect("an integration");
            let work = tokio::spawn(async move {
                cadre_jobs::actions::perform(&parts, &scope, &integration, order).await
            });
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            work.abort();
            app.clock.advance(SignedDuration::from_secs(20));
            tools.order(&app, json!([])).await;
            let answer = tools.ask(&app, ("POST", &path), &format!("kill{at}"), &body).await;
            assert_eq!(answer.status, 200, "{step}: {}", answer.text);
        }
        assert_eq!(tools.count(&app, "ats", "applications").await, before + 3);
        assert_eq!(tools.count(&app, "ats", "attachments").await, files + 3);
    })
    .await;
}

/// What the handler makes of a request to apply.
fn order(body: &Value, job: &Value, key: &str) -> cadre_jobs::actions::Order {
    let action = action("ats_create_application").expect("an action");
    cadre_jobs::actions::Order {
        action,
        about: job["id"].as_str().map(str::to_owned),
        checked: check(action.body, body.as_object().expect("an object")),
        key: Some(key.to_owned()),
        interaction_id: "killed".to_owned(),
        hidden: Default::default(),
    }
}

#[tokio::test]
async fn absences_come_and_go() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let person = tools.list(&app, "/v1/hris/employees").await[0].clone();
        let kind = tools.list(&app, "/v1/hris/absence-types").await[0].clone();
        let remote = format!("remote:{}", person["remote_id"].as_str().expect("an id"));
        let body = json!({
            "employee_id": remote, "absence_type_id": kind["id"], "start_date": "2026-05-04",
            "end_date": "2026-05-06", "employee_note": "Sea", "status": "APPROVED",
        });
        let made = tools.ask(&app, ("POST", "/v1/hris/absences"), "", &body).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_valid("post", "/hris/absences", &made.json);
        assert_eq!(made.json["data"]["employee_id"], person["id"]);
        assert_eq!(made.json["data"]["status"], "APPROVED");
        let path =
            format!("/v1/hris/absences/{}", made.json["data"]["id"].as_str().expect("an id"));
        let gone = tools.ask(&app, ("DELETE", &path), "", &json!({})).await;
        assert_eq!(gone.status, 200, "{}", gone.text);
        assert_valid("delete", "/hris/absences/{absence_id}", &gone.json);
        assert!(gone.json["data"]["remote_deleted_at"].is_string(), "{}", gone.text);
    })
    .await;
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "2026-02-30",
            "remote:1",
            "x@y.example",
            "https://x",
            "\0",
            "aGk="
        ])
        .prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "candidate",
        "application",
        "job_id",
        "attachment",
        "attachments",
        "name",
        "type",
        "data",
        "data_url",
        "content_type",
        "tag",
        "content",
        "stage_id",
        "employee_id",
        "first_name",
        "last_name",
        "email_address",
        "properties",
        "document",
        "remote_fields",
        "location",
        "screening_question_answers",
    ]);
    leaf.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|pairs| {
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

#[tokio::test]
async fn any_body_is_answered() {
    let runner = std::sync::Mutex::new(TestRunner::deterministic());
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let known = [Audience::Key, Audience::Integration];
        let writes =
            routes().into_iter().filter(|(method, _, who)| *method != "GET" && known.contains(who));
        for (method, path, _) in writes {
            let class = Class::of_path(&path).name();
            let id = if class == "ats" { &tools.ats } else { &tools.hris };
            let path =
                path.replace("{tool}/{api}", "sandboxhris/v1").replace("{group_id}", "default");
            let path = path.replace(['{', '}'], "");
            for _ in 0..20 {
                let body = {
                    let mut runner = runner.lock().expect("not poisoned");
                    anything().new_tree(&mut runner).expect("a body").current()
                };
                let call = app.request(method, &path).key(&app.tenant.key).integration(id);
                let answer = call.json(&body).send().await;
                if answer.status != 200 {
                    // A failure may be the tool's, not ours.
                    let code = answer.header("x-cadre-error-code").expect("a code").to_owned();
                    let of_the_tool = code.starts_with("REMOTE.");
                    let words = format!("{path} {body}: {}", answer.text);
                    assert!(answer.status.as_u16() < 500 || of_the_tool, "{words}");
                    assert_error_envelope(class, &answer.json);
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn skills_are_made_changed_rated_and_removed() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let body = json!({ "origin_id": "ours-1", "name": "Sandcastles" });
        let made = tools.ask(&app, ("POST", "/v1/hris/skills"), "", &body).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_valid("post", "/hris/skills", &made.json);
        let id = made.json["data"]["id"].as_str().expect("an id").to_owned();
        // The same again finds it.
        let again = tools.ask(&app, ("POST", "/v1/hris/skills"), "", &body).await;
        assert_eq!(again.json["data"]["id"], id.as_str(), "{}", again.text);

        let person = tools.list(&app, "/v1/hris/employees").await[0].clone();
        let rating = json!({
            "employee_id": person["id"], "skill_id": id, "rating": { "rating_source": "EXTERNAL" },
        });
        let rated = tools.ask(&app, ("POST", "/v1/hris/skill-proficiency-ratings"), "", &rating);
        let rated = rated.await;
        assert_eq!(rated.status, 200, "{}", rated.text);
        assert_valid("post", "/hris/skill-proficiency-ratings", &rated.json);
        assert_eq!(rated.json["data"]["skill_id"], id.as_str());

        let path = format!("/v1/hris/skills/{id}");
        let change = json!({ "name": "Castles", "levels": ["low", "high"] });
        let changed = tools.ask(&app, ("PATCH", &path), "", &change).await;
        assert_valid("patch", "/hris/skills/{skill_id}", &changed.json);
        assert_eq!(changed.json["data"]["name"], "Castles");
        assert!(changed.text.contains("does not take `body.levels`"), "{}", changed.text);
        let gone = tools.ask(&app, ("DELETE", &path), "", &json!({})).await;
        assert_valid("delete", "/hris/skills/{skill_id}", &gone.json);
        assert!(gone.json["data"]["remote_deleted_at"].is_string(), "{}", gone.text);
        let body = json!({ "employee_id": person["id"], "skill_id": id });
        let path = "/v1/hris/employee-skill-assignments";
        let never = tools.ask(&app, ("POST", path), "", &body).await;
        never.refused("hris", "INTEGRATION.ACTION_NOT_AVAILABLE", 400);
    })
    .await;
}

#[tokio::test]
async fn an_employee_is_made_with_the_form() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let path = "/v1/hris/employees/form";
        let call = app.request("GET", path).key(&app.tenant.key).integration(&tools.hris);
        let form = call.send().await;
        assert_eq!(form.status, 200, "{}", form.text);
        assert_valid("get", "/hris/employees/form", &form.json);
        assert_eq!(form.header("concurrency-limit"), Some("30"));
        let fields = form.json["data"]["properties"].as_object().expect("fields");
        assert_eq!(fields["given_name"]["unified_key"], "first_name");
        let office = &fields["office"]["options"]["entries"][0];
        let body = json!({ "properties": {
            "given_name": "Grace", "family_name": "Form", "work_email": "grace.form@sand.example",
            "office": office["id"],
        } });
        let made = tools.ask(&app, ("POST", path), "", &body).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_valid("post", "/hris/employees/form", &made.json);
        let id = made.json["data"]["id"].as_str().expect("an id");
        let found = tools.list(&app, &format!("/v1/hris/employees?ids={id}")).await;
        assert_eq!(found[0]["last_name"], "Form");
        assert_eq!(found[0]["remote_id"], made.json["data"]["remote_id"]);
        let again = tools.ask(&app, ("POST", path), "", &body).await;
        again.refused("hris", "HRIS.EMPLOYEE_ALREADY_EXISTS", 400);
        let call = app.request("GET", &format!("{path}?staffing_entity_id=nobody"));
        let wrong = call.key(&app.tenant.key).integration(&tools.hris).send().await;
        wrong.refused("hris", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn many_are_ordered_at_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let path = "/v1/hris/skills/bulk";
        let before = tools.count(&app, "hris", "skills").await;
        let wrong = json!({ "items": [{ "origin_id": "1", "name": "a" }, { "origin_id": 2 }] });
        let answer = tools.ask(&app, ("POST", path), "", &wrong).await;
        let words = answer.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        for part in ["`body.items[1].origin_id`", "`body.items[1].name`"] {
            assert!(words.contains(part), "{words}");
        }
        let items = json!({ "items": [
            { "origin_id": "1", "name": "Sieving" }, { "origin_id": "2", "name": " \t" },
            { "origin_id": "3", "name": "Raking" },
        ] });
        let refused = tools.ask(&app, ("POST", path), "", &items).await;
        refused.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        let items = json!({ "items": [
            { "origin_id": "1", "name": "Sieving" }, { "origin_id": "3", "name": "Raking" },
        ] });
        let ordered = tools.ask(&app, ("POST", path), "", &items).await;
        assert_valid("post", "/hris/skills/bulk", &ordered.json);
        let task = format!("{path}/{}", ordered.json["data"]["task_id"].as_str().expect("an id"));
        let look =
            || app.request("GET", &task).key(&app.tenant.key).integration(&tools.hris).send();
        let pending = look().await;
        assert_valid("get", "/hris/skills/bulk/{task_id}", &pending.json);
        assert_eq!(pending.json["data"]["status"], "PENDING");
        // The tool refuses the second one.
        tools
            .order(
                &app,
                json!({
                    "match": { "method": "POST", "path": "/hris/v1/skills" }, "after": 1,
                    "fault": "status", "status": 422, "times": 0,
                }),
            )
            .await;
        cadre_jobs::worker::drain(&app.state.parts).await.expect("a store");
        let done = look().await;
        assert_valid("get", "/hris/skills/bulk/{task_id}", &done.json);
        let data = &done.json["data"];
        assert_eq!(data["status"], "COMPLETED", "{}", done.text);
        assert_eq!(data["data"][0]["status"], "SUCCEEDED");
        assert_eq!(data["data"][1]["error"]["code"], "REMOTE.INPUT_INVALID", "{}", done.text);
        assert_eq!(data["data"][1]["origin_id"], "3");
        assert_eq!(tools.count(&app, "hris", "skills").await, before + 1);
        let id = data["data"][0]["data"]["id"].as_str().expect("an id");
        let found = tools.list(&app, &format!("/v1/hris/skills?ids={id}")).await;
        assert_eq!(found[0]["name"], "Sieving");
        let other = app.request("GET", &task).key(&app.other.key).integration(&app.other.hris);
        other.send().await.refused("hris", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn accounts_are_compared_with_employees() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let people = tools.list(&app, "/v1/hris/employees").await;
        let employed: Vec<&Value> =
            people.iter().filter(|one| one["employment_status"] != "INACTIVE").collect();
        let has_email = |one: &&&Value| one["work_email"].is_string();
        let somebody = employed.iter().find(has_email).expect("an address");
        let email = somebody["work_email"].as_str().expect("text").to_uppercase();
        let path = "/v1/hris/provisioning-groups/default/diff";
        let body = json!({
            "provisioned_users": [
                { "origin_id": "u1", "email": email },
                { "origin_id": "u2", "email": "gone@sand.example" },
            ],
            "options": { "employee_fields": ["id", "first_name", "groups"] },
        });
        let answer = tools.ask(&app, ("POST", path), "", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_valid("post", "/hris/provisioning-groups/{group_id}/diff", &answer.json);
        let users = &answer.json["data"]["users"];
        assert_eq!(users["already_provisioned"][0]["origin_id"], "u1");
        assert_eq!(users["already_provisioned"][0]["employee"]["id"], somebody["id"]);
        assert_eq!(users["to_deprovision"], json!([body["provisioned_users"][1]]));
        let missing = users["to_provision"].as_array().expect("a list");
        assert_eq!(missing.len(), employed.len() - 1);
        let shown: Vec<&String> =
            missing[0]["employee"].as_object().expect("an object").keys().collect();
        assert_eq!(shown, ["id", "first_name", "groups"]);
        let wrong = json!({ "provisioned_users": [{ "email": 1 }], "options": { "employee_fields": ["ssn"] } });
        let path = "/v1/hris/provisioning-groups/other/diff";
        let answer = tools.ask(&app, ("POST", path), "", &wrong).await;
        let words = answer.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        for part in ["path.group_id", "[0].origin_id", "[0].email", "employee_fields[0]"] {
            assert!(words.contains(part), "{words}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_one_tool_alone_understands_is_held_against_its_schema() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let application = tools.list(&app, "/v1/ats/applications").await[0].clone();
        let path = format!("/v1/ats/applications/{}/notes", application["id"].as_str().expect("an id"));
        let note = |fields: Value| {
            json!({ "content": "Dig", "content_type": "PLAIN_TEXT", "remote_fields": { "sandboxats": fields } })
        };
        let wrong = note(json!({ "visibility": "everybody" }));
        let refused = tools.ask(&app, ("POST", &path), "", &wrong).await;
        let words = refused.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        let expected = "`body.remote_fields.sandboxats.visibility`: expected one of \"private\", \"team\"";
        assert!(words.contains(expected), "{words}");
        let right = note(json!({ "visibility": "private", "colour": "red" }));
        let made = tools.ask(&app, ("POST", &path), "", &right).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert!(made.text.contains("remote_fields.sandboxats.colour"), "{}", made.text);
        let notes = tools.list(&app, "/v1/ats/notes").await;
        let made = notes.iter().find(|one| one["content_html"].as_str().is_some_and(|text| text.contains("Dig")));
        assert_eq!(made.expect("the note")["is_private"], true, "{made:?}");
    })
    .await;
}

#[tokio::test]
async fn files_by_address_are_fetched_through_the_guard() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let path = applications(&tools.job(&app, true).await);
        let with = |name: &str, url: &str| {
            let mut body = somebody(name);
            body["attachments"] = json!([{ "name": "cv.json", "type": "CV", "data_url": url }]);
            body
        };
        let open = format!("{}/admin/tables", tools.sandbox.base_url);
        let before = tools.count(&app, "ats", "attachments").await;
        let made = tools.ask(&app, ("POST", &path), "", &with("open", &open)).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_eq!(tools.count(&app, "ats", "attachments").await, before + 1);
        // Locked, not there, too large, at an address inside: each is the caller's to put right.
        let locked = format!("{}/ats/v1/jobs", tools.sandbox.base_url);
        let small =
            router(app.replica(WebSettings::default(), |settings| settings.file_bytes = 10));
        let guarded = router(app.guarded());
        let usual = &app.router;
        for (name, url, process, words) in [
            ("locked", &locked, usual, "status 401"),
            ("nowhere", &format!("{open}/x/y/z"), usual, "status 404"),
            ("large", &open, &small, "longer than 10 bytes"),
            ("inside", &open, &guarded, "not a public address"),
        ] {
            let call = app.request("POST", &path).key(&app.tenant.key).to(process);
            let answer = call.integration(&tools.ats).json(&with(name, url)).send().await;
            let message = answer.refused("ats", "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains("`body.attachments[0].data_url`"), "{message}");
            assert!(message.contains(words), "{name}: {message}");
        }
        assert_eq!(tools.count(&app, "ats", "attachments").await, before + 1);
    })
    .await;
}
