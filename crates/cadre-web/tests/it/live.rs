//! Live reads: the tool is asked while the caller waits, and every way it can fail has its code.

use std::time::Duration;

use bytes::Bytes;
use cadre_connector::HttpRequest;
use cadre_model::fault::Code;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::browser::{Browser, page};
use crate::contract::assert_valid;

const OPERATION: &str = "ats_get_candidate_attachments";

/// A tool with people, connected and synced.
pub struct Connected {
    pub sandbox: Running,
    pub integration: String,
    /// Ids of a candidate and of an application that have files.
    candidate: String,
    application: String,
}

impl Connected {
    pub async fn new(app: &TestApp) -> Self {
        let options =
            SandboxOptions { candidates: 10, jobs: 4, employees: 1, ..Default::default() };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.api_key });
        let integration = app.connect("sandboxats", form).await;
        let call = app.request("GET", "/v1/ats/attachments").key(&app.tenant.key);
        let files = call.integration(&integration).send().await;
        let files = files.json["data"]["results"].as_array().expect("records").clone();
        let file = files.iter().find(|file| file["application_id"].is_string()).expect("a file");
        let text = |name: &str| file[name].as_str().expect("an id").to_owned();
        Self {
            candidate: text("candidate_id"),
            application: text("application_id"),
            sandbox,
            integration,
        }
    }

    pub async fn order(&self, app: &TestApp, faults: Value) {
        for method in ["DELETE", "POST"] {
            let url = format!("{}/admin/faults", self.sandbox.base_url);
            let mut request = HttpRequest::new(method, url.parse().expect("a URL"));
            request.set_header("Content-Type", "application/json");
            request.body = (method == "POST").then(|| Bytes::from(faults.to_string()));
            let answer = app.state.parts.http.send(request, Duration::from_secs(5)).await;
            assert_eq!(answer.expect("an answer").status, 204);
        }
    }

    async fn files(&self, app: &TestApp) -> Answer {
        let path = format!("/v1/ats/candidates/{}/attachments", self.candidate);
        app.request("GET", &path).key(&app.tenant.key).integration(&self.integration).send().await
    }
}

/// The page behind the log of an answer.
pub async fn log_of(app: &TestApp, answer: &Answer, cookie: &str) -> String {
    let url = answer.json["error"]["log_url"].as_str().expect("a log");
    let path = url.strip_prefix("http://localhost:8080").expect("ours");
    let log = page(app, path, cookie).await;
    assert_eq!(log.status, 200, "{}", log.text);
    log.text
}

#[tokio::test]
async fn files_are_listed_and_fetched() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let answer = tool.files(&app).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_valid("get", "/ats/candidates/{candidate_id}/attachments", &answer.json);
        assert_eq!(answer.header("concurrency-limit"), Some("30"));
        assert_eq!(answer.header("concurrency-remaining"), Some("29"));
        assert_eq!(answer.json["warnings"], json!([]));
        let files = answer.json["data"]["results"].as_array().expect("files");
        // A candidate may have applied more than once, with a CV each time.
        let is_own = |file: &&Value| {
            file["type"] == "CV" && file["application_id"] == tool.application.as_str()
        };
        let file = files.iter().find(is_own).expect("a CV of the application");
        assert_eq!(file["candidate_id"], tool.candidate);
        assert_eq!(file["content_type"], "application/pdf");
        // The same file has the same id in the mirror.
        let call = app.request("GET", "/v1/ats/attachments").key(&app.tenant.key);
        let mirrored = call.integration(&tool.integration).send().await;
        assert!(mirrored.ids().contains(&file["id"].as_str().expect("an id")));

        let path = format!("/v1/ats/applications/{}/attachments", tool.application);
        let call = app.request("GET", &path).key(&app.tenant.key).integration(&tool.integration);
        let own = call.send().await;
        assert_valid("get", "/ats/applications/{application_id}/attachments", &own.json);
        let own = own.json["data"]["results"].as_array().expect("files");
        assert!(own.iter().any(|own| own["id"] == file["id"]));

        let url = file["data_url"].as_str().expect("a link");
        let path = url.strip_prefix("http://localhost:8080").expect("ours").to_owned();
        let content = app.request("GET", &path).send().await;
        assert_eq!(content.status, 200, "{}", content.text);
        assert!(content.text.starts_with("This is Lebenslauf"), "{}", content.text);
        assert_eq!(content.header("content-type"), Some("application/pdf"));
        assert_eq!(content.header("x-content-type-options"), Some("nosniff"));

        tool.order(&app, json!({"fault": "status", "status": 401, "times": 0})).await;
        let refused = app.request("GET", &path).send().await;
        refused.refused("general", "INTEGRATION.AUTHENTICATION_INVALID", 403);
        let browser = Browser::by_link(&app).await;
        let log = log_of(&app, &refused, &browser.cookie).await;
        assert!(log.contains("/content") && log.contains("default: status 401"), "{log}");
        assert!(!log.contains(&path), "the link is not in the log");

        app.clock.advance(SignedDuration::from_mins(16));
        let ended = app.request("GET", &path).send().await;
        let words = ended.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        assert!(words.contains("has ended"), "{words}");
        let changed = app.request("GET", &format!("{path}AAAA")).send().await;
        changed.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
    })
    .await;
}

#[tokio::test]
async fn every_failure_of_the_tool_has_its_code() {
    let live = "connector.yaml live.ats_get_candidate_attachments.errors[0]";
    let invalid =
        json!({"code": "invalid", "message": "Validation failed", "errors": ["id: is odd"]});
    let cases = [
        (
            json!({"fault": "status", "status": 401}),
            Code::IntegrationAuthenticationInvalid,
            403,
            "with status 401: A fault was ordered",
            "default: status 401",
        ),
        (
            json!({"fault": "forbid"}),
            Code::IntegrationPermissionMissing,
            400,
            "do not have the permission to read this",
            "connector.yaml errors[1]",
        ),
        (
            json!({"fault": "rate_limit", "retry_after": 1, "times": 0}),
            Code::RemoteRateLimitExceeded,
            429,
            "Too many requests. Slow down. (tried 3 times)",
            "default: status 429",
        ),
        (
            json!({"fault": "status", "status": 503, "times": 0}),
            Code::RemoteServiceUnavailable,
            500,
            "with status 503: A fault was ordered for this request. (tried 3 times)",
            "default: status 503",
        ),
        (
            json!({"fault": "status", "status": 422, "body": invalid}),
            Code::RemoteInputInvalid,
            400,
            "Validation failed: id: is odd",
            "connector.yaml errors[4]",
        ),
        (
            json!({"fault": "status", "status": 404}),
            Code::RemoteInputInvalid,
            400,
            "was deleted in the tool after the last sync",
            live,
        ),
        (
            json!({"fault": "html"}),
            Code::RemoteUnknownHttpError,
            400,
            "the body is a web page, not JSON. It reads: Maintenance",
            "default: body is not what was declared",
        ),
        (
            json!({"fault": "drop_connection", "times": 0}),
            Code::RemoteServiceUnavailable,
            500,
            "could not be asked GET /ats/v1/candidates/",
            "default: connection failed",
        ),
        (
            json!({"fault": "delay_ms", "ms": 20_000, "times": 0}),
            Code::RemoteServiceUnavailable,
            500,
            "did not answer GET /ats/v1/candidates/",
            "default: timeout",
        ),
    ];
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let browser = Browser::by_link(&app).await;
        for (fault, code, status, words, rule) in &cases {
            tool.order(&app, fault.clone()).await;
            let answer = tool.files(&app).await;
            let message = answer.refused("ats", code.as_str(), *status);
            assert!(message.contains(words), "{fault}: {message}");
            assert_eq!(answer.json["error"]["code"], code.as_str());
            assert_eq!(answer.json["error"]["title"], code.title());
            assert_eq!(answer.header("concurrency-limit"), Some("30"));
            let log = log_of(&app, &answer, &browser.cookie).await;
            for shown in [rule, &code.as_str(), &"/ats/v1/candidates/cand-", &"Action"] {
                assert!(log.contains(shown), "{fault}: {shown}: {log}");
            }
            assert!(!log.contains(&tool.sandbox.api_key), "{log}");
        }

        // A tool that wants a long pause gets it: the next call is refused without asking.
        tool.order(&app, json!({"fault": "rate_limit", "retry_after": 600})).await;
        let first = tool.files(&app).await;
        first.refused("ats", "REMOTE.RATE_LIMIT_EXCEEDED", 429);
        assert_eq!(first.header("retry-after"), Some("600"));
        let second = tool.files(&app).await;
        let message = second.refused("ats", "REMOTE.RATE_LIMIT_EXCEEDED", 429);
        assert!(message.contains("may not be asked for another"), "{message}");
        let log = log_of(&app, &second, &browser.cookie).await;
        assert!(log.contains("limit: the tool asked to wait"), "{log}");
    })
    .await;
}

#[tokio::test]
async fn what_stands_before_the_tool() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let ask = async |id: &str, integration: &str| {
            let path = format!("/v1/ats/candidates/{id}/attachments");
            app.request("GET", &path).key(&app.tenant.key).integration(integration).send().await
        };
        for id in ["nobody", &tool.application] {
            let answer = ask(id, &tool.integration).await;
            let message = answer.refused("ats", "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains("`path.candidate_id`"), "{message}");
        }
        let answer = ask(&tool.candidate, &app.tenant.hris).await;
        let message = answer.refused("ats", "INTEGRATION.ACTION_NOT_AVAILABLE", 400);
        assert!(message.contains(OPERATION), "{message}");

        let scope = app.integration(&tool.integration).await;
        let mut slots = Vec::new();
        for _ in 0..30 {
            slots.push(app.state.live_slot(&scope).await.expect("room"));
        }
        let full = tool.files(&app).await;
        full.refused("ats", "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED", 429);
        assert_eq!(full.header("concurrency-remaining"), Some("0"));
        for slot in slots {
            slot.release().await;
        }
        assert_eq!(tool.files(&app).await.status, 200);

        let config = app.store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let settings = json!({ "actions": { OPERATION: "DISABLED" } });
        let update = app.store.scope_config_update(&app.tenant.scope, &config.id, &settings);
        update.await.expect("a store");
        tool.files(&app).await.refused("ats", "INTEGRATION.ACTION_DISABLED", 400);
    })
    .await;
}
