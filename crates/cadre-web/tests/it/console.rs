//! The pages: log-in, overview, the log behind `log_url`.

use cadre_model::fault::{Code, Fault};
use cadre_model::ids::random_id;
use cadre_model::time::Clock as _;
use cadre_store::{ExchangeRow, InteractionKind, NewInteraction};
use cadre_web::WebSettings;
use serde_json::json;

use crate::app::{Answer, TestApp, on_both};
use crate::browser::{Browser, page};

#[tokio::test]
async fn a_refused_call_can_be_looked_at() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let refused = app.hris("/v1/hris/employees?page_size=0&work_emails=a%27b").await;
        let url = refused.json["error"]["log_url"].as_str().expect("a log");
        let path = url.strip_prefix("http://localhost:8080").expect("ours");

        let stranger = app.request("GET", path).header("accept", "text/html").send().await;
        assert_eq!(stranger.status, 401);
        assert!(stranger.text.contains("cadre login-link"), "{}", stranger.text);
        assert!(stranger.text.contains(&format!("value=\"{path}\"")), "it leads back there");

        let browser = Browser::by_link(&app).await;
        let log = browser.get(path).await;
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
        let id = path.trim_start_matches("/logs/");
        assert_eq!(browser.get(&format!("/env/production/logs/{id}")).await.status, 200);
        assert_eq!(browser.get(&format!("/env/development/logs/{id}")).await.status, 404);
        let missing = browser.get(&format!("/logs/{}", random_id())).await;
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
        let log = Browser::by_link(&app).await.get(&format!("/logs/{id}")).await;
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
        assert!(!log.text.contains("<script>"), "{}", log.text);
    })
    .await;
}

#[tokio::test]
async fn the_overview_and_logging_out() {
    on_both(WebSettings::default(), async |app: TestApp| {
        app.hris("/v1/hris/employees").await;
        let browser = Browser::by_link(&app).await;
        let overview = browser.get("/").await;
        for words in ["Calls, syncs and webhooks", "up to 3 hours", "production", "development"] {
            assert!(overview.text.contains(words), "{words}: {}", overview.text);
        }
        let list = browser.get("/env/production/integrations").await;
        for words in [app.tenant.hris.as_str(), "Sandbox HR", "active"] {
            assert!(list.text.contains(words), "{words}: {}", list.text);
        }
        assert!(!list.text.contains(&app.other.hris), "another environment's");
        let logs = browser.get("/env/production/logs").await;
        assert!(logs.text.contains("GET /v1/hris/employees"), "{}", logs.text);
        let out = browser.post("/logout", &[]).await;
        assert_eq!(out.status, 303);
        assert_eq!(browser.get("/").await.status, 401, "the token itself is worth nothing now");
    })
    .await;
}

#[tokio::test]
async fn a_log_in_leads_nowhere_else() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (next, location) in [
            ("/logs/abc", "/logs/abc"),
            ("//evil.example", "/welcome"),
            ("https:%2F%2Fx", "/welcome"),
        ] {
            let token = app.store.login_link_create().await.expect("a link");
            let path = format!("/login?token={}&next={next}", token.expose());
            let answer = app.request("GET", &path).send().await;
            assert_eq!(answer.header("location"), Some(location));
            let again = app.request("GET", &path).send().await;
            assert_eq!(again.status, 401, "a link works once");
        }
        assert_eq!(app.request("GET", "/login?token=nonsense").send().await.status, 401);
        assert_eq!(app.request("GET", "/login").send().await.status, 200);
    })
    .await;
}

/// Every page answers to somebody who may see it, and what it sends runs nothing of its own.
#[tokio::test]
async fn every_page_is_shown_under_a_policy() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::by_link(&app).await;
        for route in cadre_web::console::routes().iter().filter(|route| route.method == "GET") {
            let path = route
                .path
                .replace("{env}", "production")
                .replace("{integration}", &app.tenant.hris)
                .replace("{model}", "hris_employees")
                .replace("{tool}", "sandboxhris");
            if path.contains('{') {
                continue;
            }
            let answer: Answer = page(&app, &path, &browser.cookie).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(policy.contains("default-src 'none'; script-src 'self'; style-src 'self'"));
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            for word in ["<script>", " style=", " onclick=", "javascript:", "<style"] {
                assert!(!answer.text.contains(word), "{path}: {word}");
            }
        }
    })
    .await;
}
