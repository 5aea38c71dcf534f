//! What a tool tells by itself: a change in the tool is in the mirror, and told, without any sync.

use std::time::Duration;

use bytes::Bytes;
use cadre_connector::HttpRequest;
use cadre_jobs::connect::{Link, link};
use cadre_jobs::hooks::address;
use cadre_jobs::worker::drain;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{
    EndUser, IntegrationIssueKind, IntegrationIssueState, InteractionFilter, InteractionKind,
};
use cadre_web::WebSettings;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{Answer, TestApp, on_both};

async fn mutate(app: &TestApp, sandbox: &Running, change: Value) {
    let url = format!("{}/admin/mutate", sandbox.base_url);
    let mut request = HttpRequest::new("POST", url.parse().expect("a URL"));
    request.set_header("Content-Type", "application/json");
    request.body = Some(Bytes::from(change.to_string()));
    let answer = app.state.parts.http.send(request, Duration::from_secs(5)).await;
    assert_eq!(answer.expect("an answer").status, 200);
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    format!("sha256={}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

async fn employee(app: &TestApp, integration: &str, remote_id: &str) -> Option<Value> {
    let path = format!("/v1/hris/employees?remote_ids={remote_id}");
    let answer = app.request("GET", &path).key(&app.tenant.key).integration(integration).send();
    answer.await.json["data"]["results"].as_array().expect("records").first().cloned()
}

/// Runs the questions that wait, a few seconds later.
async fn settle(app: &TestApp) {
    app.clock.advance(SignedDuration::from_secs(5));
    drain(&app.state.parts).await.expect("the jobs are done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_tells_is_asked_for_at_once() {
    on_both(WebSettings::default(), async |mut app| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = format!("http://{}", listener.local_addr().expect("an address"));
        let settings = std::sync::Arc::make_mut(&mut app.state.parts.settings);
        settings.public_url = Some(own);
        app.router = cadre_web::router(app.state.clone());
        let served = app.router.clone();
        let server = tokio::spawn(async move { axum::serve(listener, served).await });

        let options =
            SandboxOptions { candidates: 1, jobs: 1, employees: 12, ..Default::default() };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let form = json!({
            "base_url": sandbox.base_url, "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        });
        let new = Link {
            tool: "sandboxhris".into(),
            category: None,
            suffix: None,
            end_user: EndUser::default(),
            form: form.as_object().expect("an object").clone(),
            mapping: None,
            check: true,
        };
        let linked = link(&app.state.parts, &app.tenant.scope, new).await;
        let integration = linked.expect("an integration").0.id;
        drain(&app.state.parts).await.expect("a sync");
        let scope = app.integration(&integration).await;
        let (url, hook) = address(&app.state.parts, &scope).await.expect("a store").expect("a URL");
        assert!(hook.subscribed_at.is_some(), "the tool was asked to tell");

        // The tool tells; nothing was scheduled.
        let change = json!({"op": "set", "tool": "hris", "table": "employees", "id": "10002",
                            "patch": {"position_title": "Chief of Surprises"}});
        app.clock.advance(SignedDuration::from_mins(1));
        mutate(&app, &sandbox, change).await;
        let mut called = None;
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            called = app.store.hook(&scope).await.expect("a store").last_event_at;
            if called.is_some() {
                break;
            }
        }
        assert!(called.is_some(), "the tool called");
        settle(&app).await;
        let changed = employee(&app, &integration, "10002").await.expect("an employee");
        assert_eq!(changed["job_title"], "Chief of Surprises");

        // Gone in the tool, and told: the tool's own 404 is the proof.
        let path = url.strip_prefix(app.state.parts.settings.public_url.as_deref().expect("a URL"));
        let path = path.expect("a path").to_owned();
        let secret = hook.secret.expose().to_owned();
        let told = async |body: &str, signed: &str| -> Answer {
            let call = app.request("POST", &path).header("x-sandbox-signature", signed);
            call.header("content-type", "application/json").raw(body.to_owned()).send().await
        };
        let gone = r#"{"event":"employees.delete","data":{"id":"99999"}}"#;
        let answer = told(gone, &signature("somebody else", gone)).await;
        answer.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        let change = json!({"op": "delete", "tool": "hris", "table": "employees", "id": "10003"});
        assert!(employee(&app, &integration, "10003").await.is_some());
        mutate(&app, &sandbox, change).await;
        let body = r#"{"event":"employees.delete","data":{"id":10003}}"#;
        assert_eq!(told(body, &signature(&secret, body)).await.status, 200);
        settle(&app).await;
        assert_eq!(employee(&app, &integration, "10003").await, None);

        // When most calls prove nothing, somebody has to look; it is over by itself.
        let failing = async || {
            let issues = app.store.integration_issues(&scope, 100).await.expect("a store");
            let kind = IntegrationIssueKind::IncomingWebhookFailing;
            issues.into_iter().find(|one| one.kind == kind).map(|one| one.state)
        };
        assert_eq!(failing().await, None);
        for _ in 0..8 {
            told(gone, &signature("somebody else", gone)).await;
        }
        assert_eq!(failing().await, Some(IntegrationIssueState::Open));
        app.clock.advance(SignedDuration::from_hours(7));
        assert_eq!(told(body, &signature(&secret, body)).await.status, 200);
        assert_eq!(failing().await, Some(IntegrationIssueState::Resolved));

        // Everything that came is kept as what it is, and the path with the token nowhere.
        let filter = InteractionFilter {
            kind: Some(InteractionKind::WebhookIn),
            limit: 100,
            ..InteractionFilter::default()
        };
        let kept = app.store.interaction_list(&app.tenant.scope, &filter).await.expect("a store");
        assert!(kept.iter().any(|one| one.status == Some(401)));
        assert!(kept.iter().any(|one| one.status == Some(200)));
        assert!(!format!("{kept:?}").contains(&hook.token));
        let unknown = app.request("POST", "/hooks/nobody").raw("{}").send().await;
        unknown.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);

        // The tool is asked not to tell any more before the credentials go.
        let path = format!("/v1/integrations/{integration}");
        let answer = app.request("DELETE", &path).key(&app.tenant.key).send().await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        let kept = app.store.interaction_list(&app.tenant.scope, &filter).await.expect("a store");
        let mut goodbyes = 0;
        for one in kept {
            let exchanges = app.store.exchange_list(&app.tenant.scope, &one.id).await;
            let exchanges = exchanges.expect("a store");
            let gone = exchanges.iter().filter(|one| one.method == "DELETE");
            goodbyes += gone.filter(|one| one.status == Some(204)).count();
        }
        assert_eq!(goodbyes, 1, "the tool was asked once, and agreed");
        server.abort();
        sandbox.stop().await;
    })
    .await;
}
