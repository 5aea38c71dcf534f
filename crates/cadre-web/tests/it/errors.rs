//! Every way to be refused has the same envelope.

use axum::Router;
use axum::routing::get;
use cadre_store::NewKey;
use cadre_web::{WebSettings, recorder};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::app::{TestApp, on_both};

#[tokio::test]
async fn unknown_paths_and_methods() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (method, path, class, words) in [
            ("GET", "/nothing", "general", "GET /v1/openapi.json"),
            ("GET", "/v1", "general", "There is nothing at GET /v1."),
            ("GET", "/v1/hris/employees/", "hris", "Did you mean /v1/hris/employees?"),
            ("GET", "/hris/employees", "hris", "Did you mean /v1/hris/employees?"),
            ("POST", "/v1/hris/groups", "hris", "does not answer POST requests. It answers GET"),
            ("DELETE", "/v1/force-sync", "general", "It answers POST"),
            ("BREW", "/v1/check-api-key", "general", "does not answer BREW requests"),
            ("GET", "/v1/hris/%ff%fe", "hris", "There is nothing"),
            ("GET", "/v1/ats/custom/x", "general", "There is nothing"),
            ("GET", "/v1/tools/%ff", "general", "not percent-encoded UTF-8"),
            ("GET", "/v1/tools/crm", "general", "expected one of hris, ats"),
        ] {
            let answer = app.request(method, path).key(&app.tenant.key).send().await;
            let message = answer.refused(class, "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains(words), "{method} {path}: {message}");
        }
    })
    .await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let settings = WebSettings { body_limit_bytes: 1_000, ..WebSettings::default() };
    on_both(settings, async |app: TestApp| {
        let long = format!("{{\"type\": \"{}\"}}", "x".repeat(2_000));
        for (kind, body, words) in [
            (Some("application/json"), "{\"type\": \"FU", "not valid JSON"),
            (Some("application/json"), "[1]", "expected an object, got a list"),
            (Some("application/json"), "{\"type\": \"BOTH\"}", "`FULL` or `DELTA`, got \"BOTH\""),
            (Some("application/json"), "{\"type\": null}", "got null"),
            (Some("application/json"), long.as_str(), "larger than the 1000 bytes"),
            (Some("text/xml"), "{}", "\"text/xml\""),
            (None, "{}", "no Content-Type"),
            (Some("application/json"), "{\"type\": \"\u{1}\"}", "not valid JSON"),
        ] {
            let call = app.request("POST", "/v1/force-sync").key(&app.tenant.key);
            let call = call.integration(&app.tenant.hris).raw(body.to_owned());
            let call = match kind {
                Some(kind) => call.header("content-type", kind),
                None => call,
            };
            let answer = call.send().await;
            let message = answer.refused("general", "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains(words), "{body}: {message}");
        }
        let broken = vec![b'{', 0xff, 0xfe, b'}'];
        let call = app.request("POST", "/v1/force-sync").key(&app.tenant.key);
        let call = call.integration(&app.tenant.hris).header("content-type", "application/json");
        call.raw(broken).send().await.refused("general", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn the_integration_header_is_named() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let path = "/v1/hris/groups";
        let missing = app.request("GET", path).key(&app.tenant.key).send().await;
        let message = missing.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        assert!(message.contains("`X-Integration-Id` is missing"), "{message}");
        let unknown = app.request("GET", path).key(&app.tenant.key).integration("acme:nobody");
        let unknown = unknown.send().await;
        let message = unknown.refused("hris", "PLATFORM.INTEGRATION_NOT_FOUND", 404);
        assert!(message.contains("acme:nobody"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn every_wrong_parameter_is_named_at_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let answer = app.hris("/v1/hris/employees?page_size=0&ids=x&updated_after=soon").await;
        let message = answer.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        for name in ["page_size", "ids", "updated_after"] {
            assert!(message.contains(&format!("`query.{name}`")), "{message}");
        }
        let url = answer.json["error"]["log_url"].as_str().expect("a log");
        let id = answer.header("x-cadre-interaction-id").expect("an interaction");
        assert_eq!(url, format!("http://localhost:8080/logs/{id}"));
    })
    .await;
}

#[tokio::test]
async fn keys_work_from_their_addresses_only() {
    let settings = WebSettings { trusted_proxies: vec!["10.0.0.0/8".into()], ..Default::default() };
    on_both(settings, async |app: TestApp| {
        let new = NewKey {
            name: "office".into(),
            expires_at: None,
            allow_list: vec!["203.0.113.0/24".into()],
        };
        let (_, key) = app.store.api_key_create(&app.tenant.scope, new).await.expect("a key");
        let ask = |from: &str, forwarded: &str| {
            let call = app.request("GET", "/v1/check-api-key").key(key.expose());
            call.from(from).header("x-forwarded-for", forwarded)
        };
        assert_eq!(ask("203.0.113.9:1", "").send().await.status, 200);
        assert_eq!(ask("10.0.0.1:1", "203.0.113.9").send().await.status, 200);
        for (from, forwarded) in [("198.51.100.1:1", "203.0.113.9"), ("10.0.0.1:1", "198.51.100.1")]
        {
            let answer = ask(from, forwarded).send().await;
            let message = answer.refused("general", "PLATFORM.IP_NOT_WHITELISTED", 403);
            assert!(message.contains("198.51.100.1"), "{message}");
        }
        let nowhere = app.request("GET", "/v1/check-api-key").key(key.expose()).send().await;
        nowhere.refused("general", "PLATFORM.IP_NOT_WHITELISTED", 403);
    })
    .await;
}

#[tokio::test]
async fn too_many_requests() {
    let settings = WebSettings { requests_per_minute_per_key: 3, ..WebSettings::default() };
    on_both(settings, async |app: TestApp| {
        let ask = || app.request("GET", "/v1/check-api-key").key(&app.tenant.key).send();
        let first = ask().await;
        assert_eq!(first.header("ratelimit-policy"), Some("\"key\";q=3;w=60"));
        assert_eq!(first.header("ratelimit"), Some("\"key\";r=2;t=60"));
        ask().await;
        ask().await;
        let refused = ask().await;
        refused.refused("general", "PLATFORM.RATE_LIMIT_EXCEEDED", 429);
        assert_eq!(refused.header("retry-after"), Some("60"));
        assert_eq!(
            app.request("GET", "/v1/check-api-key").key(&app.other.key).send().await.status,
            200
        );
        app.clock.advance(jiff::SignedDuration::from_mins(1));
        assert_eq!(ask().await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_panic_is_an_unknown_error() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let state = app.state.clone();
        let router: Router = Router::new()
            .route("/v1/hris/boom", get(async || -> String { panic!("a secret detail") }))
            .layer(axum::middleware::from_fn_with_state(state.clone(), recorder::record))
            .with_state(state);
        let request = http::Request::get("/v1/hris/boom").body(axum::body::Body::empty());
        let response = router.oneshot(request.expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), 500);
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
        crate::contract::assert_error_envelope("hris", &answer);
        assert_eq!(answer["error"]["code"], "PLATFORM.UNKNOWN_ERROR");
        assert!(!answer.to_string().contains("secret detail"));
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_gone() {
    on_both(WebSettings::default(), async |app: TestApp| {
        app.store.close().await;
        let answer = app.hris("/v1/hris/groups").await;
        answer.refused("hris", "PLATFORM.UNKNOWN_ERROR", 500);
        let ready = app.request("GET", "/ready").send().await;
        ready.refused("general", "PLATFORM.UNKNOWN_ERROR", 500);
        assert_eq!(
            app.request("GET", "/health").send().await.json,
            json!({"status": "success", "data": {}})
        );
    })
    .await;
}
