//! Every code of the contract, provoked through HTTP. `docs/concepts/error-codes.md` is made of the same
//! table; `CADRE_TEST_WRITE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cadre_connector::HttpRequest;
use cadre_jobs::connect::{Link, link};
use cadre_model::fault::{Code, Retry, Who};
use cadre_sandbox::{Sandbox, SandboxOptions};
use cadre_store::{EndUser, NewKey, SetupStatus};
use cadre_web::{WebSettings, router};
use serde_json::{Value, json};

use crate::actions::{Tools, applications, somebody};
use crate::app::{Answer, START, TestApp, on_both};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/concepts/error-codes.md");
const EMPLOYEES: &str = "/v1/hris/employees";

/// How a code comes about with the sandbox, or why it does not yet.
fn recipe(code: Code) -> Result<&'static str, &'static str> {
    use Code as C;
    Ok(match code {
        C::PlatformRateLimitExceeded => {
            "Start the server with `CADRE_REQUESTS_PER_MINUTE_PER_KEY=1` and send two requests."
        }
        C::PlatformConcurrencyLimitExceeded => {
            "`POST /admin/faults {\"fault\": \"delay_ms\", \"ms\": 5000, \"times\": 0}`, then ask for the attachments of a candidate 31 times at once."
        }
        C::PlatformIntegrationNotFound => {
            "Name an integration of another environment in `X-Integration-Id`."
        }
        C::PlatformInputInvalid => "Create an application without `candidate.last_name`.",
        C::PlatformUnknownError => "Stop the database while the server runs.",
        C::PlatformIpNotWhitelisted => "`cadre key create --allow 192.0.2.1`, and use the key.",
        C::PlatformAuthenticationInvalid => "`cadre key revoke`, and use the key.",
        C::PlatformTaskTimedOut => {
            "`POST /admin/faults {\"match\": {\"method\": \"POST\", \"path\": \"/ats/v1/applications\"}, \"fault\": \"late_answer\", \"ms\": 90000}`, then create an application."
        }
        C::IntegrationPermissionMissing => {
            "`POST /admin/permissions {\"tool\": \"ats\", \"resource\": \"attachments\", \"allowed\": false}`, then ask for the attachments of a candidate."
        }
        C::IntegrationAuthenticationInvalid => {
            "`POST /admin/faults {\"fault\": \"status\", \"status\": 401, \"times\": 0}`, then ask for the attachments of a candidate."
        }
        C::IntegrationQaFailed => {
            "Connect a sandbox without employees, let it sync, and list employees."
        }
        C::IntegrationSetupSyncPending => {
            "List employees right after connecting, before the first sync has ended."
        }
        C::IntegrationSetupIncomplete => {
            "List employees of an integration whose set-up has steps left. (The test writes that state into the database.)"
        }
        C::IntegrationInactive => {
            "`PUT /v1/integrations/{integration_id}/enabled {\"value\": false}`, then list employees."
        }
        C::IntegrationModelNotAvailable => "List employees of an integration with the sandbox ATS.",
        C::IntegrationModelDisabled => {
            "Switch `hris_employees` off in the scope configuration, then list employees."
        }
        C::IntegrationActionNotAvailable => {
            "Create an absence in an integration with the sandbox ATS."
        }
        C::IntegrationActionDisabled => {
            "Switch `ats_create_application` off in the scope configuration, then create an application."
        }
        C::RemoteServiceUnavailable => {
            "`POST /admin/faults {\"fault\": \"status\", \"status\": 503, \"times\": 0}`, then create an application."
        }
        C::RemoteRateLimitExceeded => {
            "`POST /admin/faults {\"fault\": \"rate_limit\", \"retry_after\": 600}`, then create an application."
        }
        C::RemoteInputInvalid => "Create an application with the first name `\" \"`.",
        C::RemoteUnknownHttpError => {
            "`POST /admin/faults {\"fault\": \"html\"}`, then ask for the attachments of a candidate."
        }
        C::HrisEmployeeAlreadyExists => "Create an employee twice with the same `work_email`.",
        C::AtsJobClosed => "Create an application for a job whose status is `CLOSED`.",
        C::AtsApplicationAlreadyExists => {
            "Create an application for the same job twice with the same `email_address`."
        }
        C::LmsCourseUpdateNotSupported => {
            "Upsert a course, and once more with the same `origin_id` and another `title`; the second task has the code."
        }
        C::AiApplyJobFeedImportAlreadyRunning => {
            "Begin an import into a job feed and leave its body unfinished; import into the same feed meanwhile."
        }
        C::AiApplyJobFeedImportTimedOut => {
            "Start the server with `CADRE_APPLY__IMPORT_SECONDS=1`, and take longer than that to send an import."
        }
    })
}

/// A server with both tools.
struct Stage<'a> {
    app: &'a TestApp,
    tools: Tools,
    /// The path of an application for an open job.
    apply: String,
    /// The path of the files of a candidate.
    files: String,
}

impl<'a> Stage<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let tools = Tools::new(app).await;
        let apply = applications(&tools.job(app, true).await);
        let candidates = tools.list(app, "/v1/ats/candidates").await;
        let id = candidates[0]["id"].as_str().expect("an id");
        let files = format!("/v1/ats/candidates/{id}/attachments");
        Self { app, tools, apply, files }
    }

    async fn get(&self, path: &str, id: &str) -> Answer {
        self.app.request("GET", path).key(&self.app.tenant.key).integration(id).send().await
    }

    async fn employees(&self) -> Answer {
        self.get(EMPLOYEES, &self.tools.hris).await
    }

    async fn files_of(&self) -> Answer {
        self.get(&self.files, &self.tools.ats).await
    }

    async fn apply_as(&self, name: &str) -> Answer {
        self.tools.ask(self.app, ("POST", &self.apply), "", &somebody(name)).await
    }

    async fn post(&self, path: &str, id: &str, body: &Value) -> Answer {
        let call = self.app.request("POST", path).key(&self.app.tenant.key);
        call.integration(id).json(body).send().await
    }

    async fn fault(&self, fault: Value) {
        self.tools.order(self.app, fault).await;
    }

    async fn scope_config(&self, settings: &Value) {
        let scope = &self.app.tenant.scope;
        let config = self.app.store.scope_config_default(scope).await.expect("a store");
        let changed = self.app.store.scope_config_update(scope, &config.id, settings);
        changed.await.expect("a store");
    }

    /// An account that is linked and not synced.
    async fn linked(&self, form: Value) -> String {
        let end_user =
            EndUser { organization_name: "Acme".into(), creator_email: None, origin_id: None };
        let form = form.as_object().expect("an object").clone();
        let tool = "sandboxhris".to_owned();
        let new = Link {
            tool,
            category: None,
            suffix: None,
            end_user,
            form,
            mapping: None,
            check: false,
        };
        let linked = link(&self.app.state.parts, &self.app.tenant.scope, new).await;
        linked.expect("an integration").0.id
    }

    fn form(&self) -> Value {
        let sandbox = &self.tools.sandbox;
        json!({ "base_url": sandbox.base_url, "client_id": sandbox.client_id, "client_secret": sandbox.client_secret })
    }

    /// A process with other settings.
    fn process(&self, web: WebSettings, action_timeout: Duration) -> Router {
        router(self.app.replica(web, |settings| settings.action_timeout = action_timeout))
    }

    async fn platform(&self, code: Code) -> Answer {
        let (app, tools) = (self.app, &self.tools);
        let long = Duration::from_secs(8);
        match code {
            Code::PlatformRateLimitExceeded => {
                let web = WebSettings { requests_per_minute_per_key: 1, ..Default::default() };
                let process = self.process(web, long);
                let ask = || app.request("GET", EMPLOYEES).key(&app.tenant.key).to(&process);
                assert_eq!(ask().integration(&tools.hris).send().await.status, 200);
                ask().integration(&tools.hris).send().await
            }
            Code::PlatformConcurrencyLimitExceeded => {
                self.fault(json!({ "fault": "delay_ms", "ms": 2_500, "times": 0 })).await;
                let all = futures::future::join_all((0..31).map(|_| self.files_of())).await;
                self.fault(json!([])).await;
                let mut refused: Vec<_> = all
                    .into_iter()
                    .filter(|one| one.header("x-cadre-error-code") == Some(code.as_str()))
                    .collect();
                assert_eq!(refused.len(), 1);
                refused.remove(0)
            }
            Code::PlatformIntegrationNotFound => self.get(EMPLOYEES, &app.other.hris).await,
            Code::PlatformInputInvalid => {
                let body = json!({ "candidate": { "first_name": "Ada" } });
                self.post(&self.apply, &tools.ats, &body).await
            }
            Code::PlatformIpNotWhitelisted => {
                let allow_list = vec!["192.0.2.1".to_owned()];
                let new = NewKey { name: "office".into(), expires_at: None, allow_list };
                let made = app.store.api_key_create(&app.tenant.scope, new).await;
                let call = app.request("GET", EMPLOYEES).key(made.expect("a key").1.expose());
                call.integration(&tools.hris).from("198.51.100.1:1").send().await
            }
            Code::PlatformAuthenticationInvalid => {
                let new = NewKey { name: "gone".into(), expires_at: None, allow_list: vec![] };
                let made = app.store.api_key_create(&app.tenant.scope, new).await.expect("a key");
                app.store.api_key_revoke(&app.tenant.scope, &made.0.id).await.expect("a store");
                let call = app.request("GET", EMPLOYEES).key(made.1.expose());
                call.integration(&tools.hris).send().await
            }
            Code::PlatformTaskTimedOut => {
                let post = json!({ "method": "POST", "path": "/ats/v1/applications" });
                self.fault(json!({ "match": post, "fault": "late_answer", "ms": 30_000 })).await;
                let process = self.process(WebSettings::default(), Duration::from_secs(1));
                let call = app.request("POST", &self.apply).key(&app.tenant.key).to(&process);
                call.integration(&tools.ats).json(&somebody("late")).send().await
            }
            _ => {
                app.store.close().await;
                self.employees().await
            }
        }
    }

    async fn integration(&self, code: Code) -> Answer {
        let (app, tools) = (self.app, &self.tools);
        match code {
            Code::IntegrationPermissionMissing => {
                let permission = |allowed: bool| json!({ "tool": "ats", "resource": "attachments", "allowed": allowed });
                tools.admin(app, "POST", "permissions", &permission(false)).await;
                let answer = self.files_of().await;
                tools.admin(app, "POST", "permissions", &permission(true)).await;
                answer
            }
            Code::IntegrationAuthenticationInvalid => {
                self.fault(json!({ "fault": "status", "status": 401, "times": 0 })).await;
                self.files_of().await
            }
            Code::IntegrationQaFailed => {
                let start = START.parse().expect("a moment");
                let options = SandboxOptions { employees: 0, start, ..Default::default() };
                let empty = Sandbox::start(options).await.expect("a sandbox");
                // It has one person at least.
                let url = format!("{}/admin/mutate", empty.base_url);
                let mut request = HttpRequest::new("POST", url.parse().expect("a URL"));
                request.set_header("Content-Type", "application/json");
                let person =
                    json!({ "op": "delete", "tool": "hris", "table": "employees", "id": "10001" });
                request.body = Some(person.to_string().into());
                let sent = app.state.parts.http.send(request, Duration::from_secs(5)).await;
                assert_eq!(sent.expect("an answer").status, 200);
                let form = json!({ "base_url": empty.base_url, "client_id": empty.client_id, "client_secret": empty.client_secret });
                let id = app.connect("sandboxhris", form).await;
                self.get(EMPLOYEES, &id).await
            }
            Code::IntegrationSetupSyncPending => {
                let id = self.linked(self.form()).await;
                self.get(EMPLOYEES, &id).await
            }
            Code::IntegrationSetupIncomplete => {
                let id = self.linked(self.form()).await;
                let scope = app.integration(&id).await;
                let state = SetupStatus::Incomplete;
                app.store.integration_setup_status_set(&scope, state).await.expect("a store");
                self.get(EMPLOYEES, &id).await
            }
            Code::IntegrationInactive => {
                let path = format!("/v1/integrations/{}/enabled", tools.hris);
                let switch = |value: bool| {
                    let call = app.request("PUT", &path).key(&app.tenant.key);
                    call.json(&json!({ "value": value })).send()
                };
                assert_eq!(switch(false).await.status, 200);
                let answer = self.employees().await;
                assert_eq!(switch(true).await.status, 200);
                answer
            }
            Code::IntegrationModelNotAvailable => self.get(EMPLOYEES, &tools.ats).await,
            Code::IntegrationModelDisabled => {
                let off = json!({ "models": { "hris_employees": { "setting": "DISABLED" } } });
                self.scope_config(&off).await;
                let answer = self.employees().await;
                self.scope_config(&json!({})).await;
                answer
            }
            Code::IntegrationActionNotAvailable => {
                let body = json!({
                    "employee_id": "a", "absence_type_id": "b", "start_date": "2026-01-01",
                    "end_date": "2026-01-01", "employee_note": null,
                });
                self.post("/v1/hris/absences", &tools.ats, &body).await
            }
            _ => {
                let off = json!({ "actions": { "ats_create_application": "DISABLED" } });
                self.scope_config(&off).await;
                let answer = self.apply_as("off").await;
                self.scope_config(&json!({})).await;
                answer
            }
        }
    }

    /// Imports a line into a feed that somebody else holds, or for longer than an import may take.
    async fn import(&self, code: Code) -> Answer {
        let app = self.app;
        let feed = app.feed().await;
        let path = format!("/v1/ai-apply/job-feeds/{feed}/bulk-import");
        let never =
            futures::stream::pending::<Result<axum::body::Bytes, std::convert::Infallible>>();
        let call = || {
            let call = app.request("POST", &path).key(&app.tenant.key);
            call.header("content-type", "application/x-ndjson")
        };
        if code == Code::AiApplyJobFeedImportTimedOut {
            let state = app.replica(WebSettings::default(), |settings| {
                settings.apply.import_timeout = Duration::from_millis(200);
            });
            return call().raw(Body::from_stream(never)).to(&router(state)).send().await;
        }
        let first = call().raw(Body::from_stream(never)).send();
        let second = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            call().raw("\n").send().await
        };
        tokio::select! {
            _ = first => panic!("the first import has no end"),
            second = second => second,
        }
    }

    /// The error of a course that was ordered with an origin id that another one has.
    async fn upsert_again(&self) -> Value {
        let (app, id) = (self.app, &self.tools.lms);
        let path = "/v1/lms/courses/bulk";
        let mut item = Value::Null;
        for title in ["Knots", "Ropes"] {
            let course = json!({ "type": "EXTERNAL", "title": title, "course_url": "https://knots.example" });
            let body = json!({ "items": [{ "origin_id": "o-1", "course": course }] });
            let ordered = self.post(path, id, &body).await;
            assert_eq!(ordered.status, 200, "{}", ordered.text);
            cadre_jobs::worker::drain(&app.state.parts).await.expect("a store");
            let task = ordered.json["data"]["task_id"].as_str().expect("a task");
            let done = self.get(&format!("{path}/{task}"), id).await;
            item = done.json["data"]["data"][0].clone();
        }
        item["error"].clone()
    }

    async fn remote(&self, code: Code) -> Answer {
        let (app, tools) = (self.app, &self.tools);
        match code {
            Code::RemoteServiceUnavailable => {
                self.fault(json!({ "fault": "status", "status": 503, "times": 0 })).await;
                self.apply_as("down").await
            }
            Code::RemoteRateLimitExceeded => {
                // In a process of its own: the tool is not asked again for ten minutes.
                self.fault(json!({ "fault": "rate_limit", "retry_after": 600 })).await;
                let process = self.process(WebSettings::default(), Duration::from_secs(8));
                let call = app.request("POST", &self.apply).key(&app.tenant.key).to(&process);
                call.integration(&tools.ats).json(&somebody("limited")).send().await
            }
            Code::RemoteInputInvalid => {
                let mut body = somebody("blank");
                body["candidate"]["first_name"] = json!(" ");
                self.post(&self.apply, &tools.ats, &body).await
            }
            Code::RemoteUnknownHttpError => {
                self.fault(json!({ "fault": "html" })).await;
                self.files_of().await
            }
            Code::HrisEmployeeAlreadyExists => {
                let body =
                    json!({ "first_name": "G", "last_name": "H", "work_email": "g@sand.example" });
                assert_eq!(self.post(EMPLOYEES, &tools.hris, &body).await.status, 200);
                self.post(EMPLOYEES, &tools.hris, &body).await
            }
            Code::AtsJobClosed => {
                let path = applications(&tools.job(app, false).await);
                self.post(&path, &tools.ats, &somebody("latecomer")).await
            }
            _ => {
                assert_eq!(self.apply_as("twice").await.status, 200);
                self.apply_as("twice").await
            }
        }
    }
}

#[tokio::test]
async fn every_code_has_a_trigger() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/errors.json"));
    let contract: Value = serde_json::from_str(&text.expect("the contract")).expect("JSON");
    let rows = contract["codes"].as_array().expect("codes");
    assert_eq!(rows.len(), Code::ALL.len());
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let mut seen = 0;
        // The failure of our own comes last: nothing works after it.
        let last = |row: &&Value| row["code"] == Code::PlatformUnknownError.as_str();
        for row in rows.iter().filter(|row| !last(row)).chain(rows.iter().filter(last)) {
            let code = Code::parse(row["code"].as_str().expect("a code")).expect("a known code");
            if recipe(code).is_err() {
                continue;
            }
            stage.fault(json!([])).await;
            if code == Code::LmsCourseUpdateNotSupported {
                // Answers of LMS operations have only the codes of the general class; a task's items have all.
                let error = stage.upsert_again().await;
                assert_eq!(error["code"], row["code"]);
                assert_eq!(error["title"], row["title"]);
                seen += 1;
                continue;
            }
            let answer = match code.as_str().split_once('.').expect("a space").0 {
                "PLATFORM" => stage.platform(code).await,
                "INTEGRATION" => stage.integration(code).await,
                "AI_APPLY" => stage.import(code).await,
                _ => stage.remote(code).await,
            };
            let status = row["http_status"].as_u64().expect("a status");
            let class = match code.as_str().split_once('.') {
                Some(("AI_APPLY", _)) => "ai-apply",
                _ if is_ats(code) => "ats",
                _ => "hris",
            };
            answer.refused(class, code.as_str(), u16::try_from(status).expect("a status"));
            assert_eq!(answer.json["error"]["code"], row["code"]);
            assert_eq!(answer.json["error"]["title"], row["title"]);
            seen += 1;
        }
        assert_eq!(seen, 28);
    })
    .await;
}

/// Whether the code is provoked on an operation of the ATS class.
fn is_ats(code: Code) -> bool {
    use Code as C;
    matches!(
        code,
        C::PlatformConcurrencyLimitExceeded
            | C::PlatformInputInvalid
            | C::PlatformTaskTimedOut
            | C::IntegrationPermissionMissing
            | C::IntegrationAuthenticationInvalid
            | C::IntegrationActionDisabled
            | C::RemoteServiceUnavailable
            | C::RemoteRateLimitExceeded
            | C::RemoteInputInvalid
            | C::RemoteUnknownHttpError
            | C::AtsJobClosed
            | C::AtsApplicationAlreadyExists
    )
}

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Made by a test (`crates/cadre-web/tests/it/codes.rs`) of the table that the server answers from, \
         `crates/cadre-model/src/fault.rs`. The same\ntest provokes each code through HTTP on both databases. \
         Codes are explained in [errors](errors.md); paths below `/admin` are those of the sandbox.\n",
    );
    for code in Code::ALL {
        let who = match code.who() {
            Who::Caller => "the software that calls the API",
            Who::EndCustomer => "the person at the end customer who connected the tool",
            Who::Operator => "whoever runs the server or its connectors",
            Who::Wait => "nobody: wait",
        };
        let again = match code.retry() {
            Retry::Backoff => "yes, with growing pauses and jitter",
            Retry::AfterCorrection => "once the request is corrected",
            Retry::SameIdempotencyKey => "yes, with the same `Idempotency-Key`",
            Retry::Never => "not before somebody has acted",
        };
        let _ = write!(
            page,
            "\n## {code}\n\n> {}\n\n* Status: {}\n* Who must act: {who}\n* Send it again: {again}\n* Next step: {}\n",
            code.title(),
            code.status(),
            code.hint(),
        );
        let _ = match recipe(*code) {
            Ok(how) => writeln!(page, "* In the sandbox: {how}"),
            Err(why) => writeln!(page, "* {why}"),
        };
    }
    page
}

#[test]
fn the_page_is_made_of_the_table() {
    if std::env::var_os("CADRE_TEST_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, page()).expect("the page is written");
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert_eq!(written, page(), "CADRE_TEST_WRITE_DOCS=1 writes the page anew");
}
