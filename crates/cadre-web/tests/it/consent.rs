//! Signing in by consent, against the sandbox's authorization server.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cadre_connector::HttpRequest;
use cadre_jobs::Parts;
use cadre_jobs::live::{Live, PassRequest};
use cadre_sandbox::Running;
use cadre_web::WebSettings;
use serde_json::{Value, json};
use url::Url;

use crate::app::{Answer, TestApp, on_both_with_consent};
use crate::connect::{activation, admin, by_token, events, fill, leads_to, link, open, sandbox};

/// What stands in an attribute of a page.
fn attribute(page: &Answer, before: &str) -> String {
    let (_, rest) = page.text.split_once(before).unwrap_or_else(|| panic!("{}", page.text));
    rest.split('"').next().expect("an end").replace("&#38;", "&")
}

/// Goes to the page of consent: its address, and the cookie that this browser got.
async fn set_out(app: &TestApp, path: &str, sandbox: &Running) -> (Url, String) {
    let form = format!("{path}/tools/sandboxconsent/credentials");
    let page = fill(app, &form, &[("base_url", sandbox.base_url.as_str())]).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let start = attribute(&page, "class=\"button\" href=\"");
    assert!(start.starts_with("/oauth/start/"), "{start}");
    let away = open(app, &start).await;
    let cookie = away.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    (leads_to(&away).parse().expect("a URL"), cookie)
}

/// Answers on the tool's page; the path that the browser is sent back to.
async fn decide(app: &TestApp, page: &Url, answer: &str) -> String {
    let mut to = page.clone();
    to.set_query(None);
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(page.query_pairs()).append_pair("answer", answer);
    let mut request = HttpRequest::new("POST", to);
    request.set_header("Content-Type", "application/x-www-form-urlencoded");
    request.body = Some(Bytes::from(form.finish()));
    request.stays = true;
    let sent = app.state.parts.http.send(request, Duration::from_secs(5)).await;
    let sent = sent.expect("an answer");
    let location = sent.header("location").unwrap_or_else(|| panic!("{sent:?}"));
    location.strip_prefix("http://localhost:8080").expect("our callback").to_owned()
}

async fn come_back(app: &TestApp, to: &str, cookie: &str) -> Answer {
    app.request("GET", to).header("accept", "text/html").header("cookie", cookie).send().await
}

/// How often the token endpoint was asked.
async fn tokens_asked(app: &TestApp, sandbox: &Running) -> usize {
    let seen = admin(app, sandbox, "requests", None).await;
    seen.to_string().matches("/hris/oauth/token").count()
}

#[tokio::test]
async fn an_account_is_linked_by_consent_and_its_token_is_renewed_once() {
    on_both_with_consent(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let more = json!({ "integration_tool": "sandboxconsent", "link_type": "MAGIC_LINK" });
        let path = link(&app, more).await;
        let (page, cookie) = set_out(&app, &path, &sandbox).await;
        let asked =
            |name: &str| page.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(asked("scope").as_deref(), Some("people absences"));
        assert_eq!(asked("redirect_uri").as_deref(), Some("http://localhost:8080/oauth/callback"));
        assert!(!page.as_str().contains("sandbox-secret"));
        let back = decide(&app, &page, "allow").await;

        // Another browser cannot finish it, and cannot spoil it.
        let stolen = app.request("GET", &back).send().await;
        stolen.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        let done = leads_to(&come_back(&app, &back, &cookie).await);
        assert_eq!(done, format!("{path}/done"));
        assert_eq!(come_back(&app, &back, &cookie).await.status, 401, "a state is used once");
        let token = activation(&open(&app, &done).await);
        let activated = by_token(&app, &app.tenant.key, &token).await;
        let id = activated.json["data"]["id"].as_str().expect("an id").to_owned();
        cadre_jobs::worker::drain(&app.state.parts).await.expect("a sync");
        let people = app.request("GET", "/v1/hris/employees").key(&app.tenant.key);
        let people = people.integration(&id).send().await;
        assert_eq!(people.ids().len(), 3, "{}", people.text);

        // The token ends at the tool: ten calls in two processes renew it once, and none fails. A
        // refresh token that is used twice would end the consent.
        let before = tokens_asked(&app, &sandbox).await;
        admin(&app, &sandbox, "settings", Some(json!({ "advance_seconds": 3_600 }))).await;
        let scope = app.integration(&id).await;
        let integration = app.store.integration_get(&scope).await.expect("a store").expect("it");
        let second = Parts { standings: Arc::default(), ..app.state.parts.clone() };
        let calls = (0..10).map(|at| {
            let parts = if at % 2 == 0 { &app.state.parts } else { &second };
            let (scope, integration) = (&scope, &integration);
            async move {
                let live = Live::open(parts, scope, integration, "test").await.expect("a session");
                let request = PassRequest {
                    api: "v1".to_owned(),
                    method: "GET".to_owned(),
                    path: "/employees".to_owned(),
                    headers: Vec::new(),
                    params: Vec::new(),
                    body: None,
                };
                let passed =
                    live.pass(&request).await.unwrap_or_else(|judged| panic!("{judged:?}"));
                assert_eq!(passed.status, 200);
            }
        });
        futures::future::join_all(calls).await;
        assert_eq!(tokens_asked(&app, &sandbox).await, before + 1);

        // The consent is gone: the integration needs its customer again.
        let body = json!({ "match": { "path": "/hris/oauth" }, "times": 0,
            "fault": "status", "status": 400, "body": { "error": "invalid_grant" } });
        admin(&app, &sandbox, "faults", Some(body)).await;
        admin(&app, &sandbox, "settings", Some(json!({ "advance_seconds": 3_600 }))).await;
        let pass = app.request("POST", "/v1/passthrough/sandboxconsent/v1").key(&app.tenant.key);
        let pass = pass.integration(&id).json(&json!({ "method": "GET", "path": "/employees" }));
        let refused = pass.send().await;
        assert_eq!(
            refused.header("x-cadre-error-code"),
            Some("INTEGRATION.AUTHENTICATION_INVALID")
        );
        app.state.close().await;
    })
    .await;
}

#[tokio::test]
async fn who_declines_is_told_and_may_try_again() {
    on_both_with_consent(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let path = link(&app, json!({ "integration_tool": "sandboxconsent" })).await;
        let (page, cookie) = set_out(&app, &path, &sandbox).await;
        let waiting = format!("{path}/waiting/sandboxconsent");
        assert_eq!(open(&app, &waiting).await.status, 200);
        let back = decide(&app, &page, "refuse").await;
        let declined = come_back(&app, &back, &cookie).await;
        assert_eq!(declined.status, 422);
        assert!(declined.text.contains("You did not agree"), "{}", declined.text);
        let failed: Value = events(&app).await.pop().expect("an event");
        assert_eq!(failed["type"], "connection-flow-failed");

        let (page, cookie) = set_out(&app, &path, &sandbox).await;
        let back = decide(&app, &page, "allow").await;
        let agreed = come_back(&app, &back, &cookie).await;
        assert!(agreed.status == 200 && agreed.text.contains("You can close this window"));
        assert_eq!(leads_to(&open(&app, &waiting).await), format!("{path}/done"));
    })
    .await;
}
