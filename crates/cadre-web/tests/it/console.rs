//! The pages: log-in, overview, the log behind `log_url`.

use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_model::time::Clock as _;
use cadre_store::{ExchangeRow, InteractionKind, NewInteraction};
use cadre_web::WebSettings;
use serde_json::json;

use crate::app::{Answer, TestApp, on_both};

/// Follows a log-in link; the answer is the cookie.
pub async fn log_in(app: &TestApp, next: &str) -> String {
    let token = app.store.login_link_create().await.expect("a link");
    let path = format!("/login?token={}&next={next}", token.expose());
    let answer = app.request("GET", &path).send().await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let again = app.request("GET", &path).send().await;
    assert_eq!(again.status, 401, "a link works once");
    cookie.split(';').next().expect("a pair").to_owned()
}

pub async fn page(app: &TestApp, path: &str, cookie: &str) -> Answer {
    app.request("GET", path).header("cookie", cookie).header("accept", "text/html").send().await
}

#[tokio::test]
async fn a_refused_call_can_be_looked_at() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let refused = app.hris("/v1/hris/employees?page_size=0&work_emails=a%27b").await;
        let url = refused.json["error"]["log_url"].as_str().expect("a log");
        let path = url.strip_prefix("http://localhost:8080").expect("ours");

        let stranger = app.request("GET", path).header("accept", "text/html").send().await;
        assert_eq!(stranger.status, 401);
        assert!(stranger.text.contains("cadre login-link"), "{}", stranger.text);

        let cookie = log_in(&app, "/").await;
        let log = page(&app, path, &cookie).await;
        assert_eq!(log.status, 200, "{}", log.text);
        for words in [
            "PLATFORM.INPUT_INVALID",
            "The software that called the API",
            "query.page_size",
            "curl -X GET",
            "$CADRE_API_KEY",
            app.tenant.hris.as_str(),
            "answered here, without asking the tool",
        ] {
            assert!(log.text.contains(words), "{words}: {}", log.text);
        }
        assert!(!log.text.contains(&app.tenant.key), "the key is not in the log");
        let policy = log.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        let missing = page(&app, &format!("/logs/{}", random_id()), &cookie).await;
        assert_eq!(missing.status, 404);
    })
    .await;
}

#[tokio::test]
async fn vendor_exchanges_are_shown() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let id = random_id();
        let now = app.clock.now_ms();
        let fault = Fault::new(Code::RemoteRateLimitExceeded, "The tool asks to wait.")
            .context("budget of 3 requests used up");
        let interaction = NewInteraction {
            id: id.clone(),
            environment_id: app.tenant.scope.id().to_owned(),
            integration_id: Some(app.tenant.hris.clone()),
            parent_id: None,
            kind: InteractionKind::Action,
            title: "Create an absence <script>alert(1)</script>".into(),
            method: None,
            path: None,
            status: None,
            fault: Some(fault),
            rule: Some("connector.yaml errors[0]".into()),
            started_at: now,
            ended_at: Some(now + 2_400),
            request: None,
            response: None,
        };
        app.store.interaction_write(interaction).await.expect("a store");
        let exchange = ExchangeRow {
            seq: 0,
            at: now,
            method: "GET".into(),
            url: "https://tool.example/v1/people?page=2".into(),
            request_headers: json!({"authorization": "[redacted]"}),
            request_body: None,
            status: Some(429),
            response_headers: json!({"retry-after": "60"}),
            response_body: Some("{\"error\":\"slow down\"}".into()),
            duration_ms: 31,
            rule: Some("connector.yaml errors[0]".into()),
            error: None,
        };
        app.store.exchange_write(&id, &[exchange]).await.expect("a store");
        let cookie = log_in(&app, "/").await;
        let log = page(&app, &format!("/logs/{id}"), &cookie).await;
        for words in [
            "https://tool.example/v1/people?page=2",
            "connector.yaml errors[0]",
            "retry-after: 60",
            "slow down",
            "[redacted]",
            "Nobody: wait and try again",
            "budget of 3 requests used up",
            "2.4 s",
        ] {
            assert!(log.text.contains(words), "{words}: {}", log.text);
        }
        assert!(!log.text.contains("<script"), "{}", log.text);
    })
    .await;
}

#[tokio::test]
async fn the_overview_and_logging_out() {
    on_both(WebSettings::default(), async |app: TestApp| {
        app.hris("/v1/hris/employees").await;
        app.state.recorder.flush().await;
        let cookie = log_in(&app, "/logs/x").await;
        let overview = page(&app, "/", &cookie).await;
        for words in [app.tenant.hris.as_str(), "Sandbox HR", "GET /v1/hris/employees", "succeeded"]
        {
            assert!(overview.text.contains(words), "{words}: {}", overview.text);
        }
        let out = app.request("POST", "/logout").header("cookie", &cookie).send().await;
        assert_eq!(out.status, 303);
        assert_eq!(page(&app, "/", &cookie).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn a_log_in_leads_nowhere_else() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (next, location) in
            [("/logs/abc", "/logs/abc"), ("//evil.example", "/"), ("https:%2F%2Fx", "/")]
        {
            let token = app.store.login_link_create().await.expect("a link");
            let path = format!("/login?token={}&next={next}", token.expose());
            let answer = app.request("GET", &path).send().await;
            assert_eq!(answer.header("location"), Some(location));
        }
        assert_eq!(app.request("GET", "/login?token=nonsense").send().await.status, 401);
        assert_eq!(app.request("GET", "/login").send().await.status, 401);
    })
    .await;
}
