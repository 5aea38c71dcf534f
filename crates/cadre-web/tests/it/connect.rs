//! The connect flow: links by the API, and the pages that an end customer sees.

use std::time::Duration;

use bytes::Bytes;
use cadre_connector::HttpRequest;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::IntegrationStatus;
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::contract::{assert_event, assert_valid};

/// What a browser accepts.
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

pub async fn sandbox() -> Running {
    let options = SandboxOptions { candidates: 3, jobs: 2, employees: 3, ..Default::default() };
    Sandbox::start(options).await.expect("a sandbox")
}

/// Asks the sandbox's own door.
pub async fn admin(app: &TestApp, sandbox: &Running, path: &str, body: Option<Value>) -> Value {
    let url = format!("{}/admin/{path}", sandbox.base_url);
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut request = HttpRequest::new(method, url.parse().expect("a URL"));
    request.set_header("Content-Type", "application/json");
    request.body = body.map(|body| Bytes::from(body.to_string()));
    let answer = app.state.parts.http.send(request, Duration::from_secs(5)).await;
    serde_json::from_slice(&answer.expect("an answer").body).unwrap_or_default()
}

/// Makes a link; its path.
pub async fn link(app: &TestApp, more: Value) -> String {
    let mut body = json!({
        "end_user_email": "anna@acme.example",
        "end_user_organization_name": "Acme & Söhne",
        "end_user_origin_id": "acme-1",
    });
    let given = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(given);
    let call = app.request("POST", "/v1/connect/create-link").key(&app.tenant.key);
    let answer = call.json(&body).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_valid("post", "/connect/create-link", &answer.json);
    let link = answer.json["data"]["link"].as_str().expect("a link");
    link.strip_prefix("http://localhost:8080").expect("ours").to_owned()
}

pub async fn open(app: &TestApp, path: &str) -> Answer {
    app.request("GET", path).header("accept", HTML).send().await
}

pub async fn fill(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    let call = app.request("POST", path).header("accept", HTML);
    let call = call.header("content-type", "application/x-www-form-urlencoded");
    call.raw(form.finish()).send().await
}

/// Where an answer leads.
#[track_caller]
pub fn leads_to(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").expect("a location").to_owned()
}

/// The activation token on the last page.
pub fn activation(page: &Answer) -> String {
    let (_, rest) = page.text.split_once("data-activation=\"").expect("a token");
    rest.split('"').next().expect("a token").to_owned()
}

pub async fn by_token(app: &TestApp, key: &str, token: &str) -> Answer {
    let path = format!("/v1/connect/integration-by-token/{token}");
    app.request("GET", &path).key(key).send().await
}

/// The latest events of the tenant: type and data.
pub async fn events(app: &TestApp) -> Vec<Value> {
    let answer = app.request("GET", "/v1/events?page_size=100").key(&app.tenant.key).send().await;
    answer.json["data"]["results"].as_array().expect("events").clone()
}

#[tokio::test]
async fn an_account_is_linked_on_the_pages() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let path = link(&app, json!({ "integration_category": "ATS" })).await;
        let choose = open(&app, &path).await;
        assert_eq!(choose.status, 200, "{}", choose.text);
        assert!(choose.text.contains("Sandbox ATS") && !choose.text.contains("Sandbox HR"));
        assert!(choose.text.contains("Acme &#38; Söhne"), "{}", choose.text);
        let none = open(&app, &format!("{path}?q=zzz")).await;
        assert!(none.text.contains("No tool of that name"), "{}", none.text);

        let tool = format!("{path}/tools/sandboxats");
        let review = open(&app, &tool).await;
        assert!(review.text.contains("Candidates") && review.text.contains("Create candidate"));
        let form = format!("{tool}/credentials");
        let page = open(&app, &form).await;
        assert!(page.text.contains("for=\"api_key\"") && page.text.contains("type=\"password\""));
        assert!(page.text.contains("Start the sandbox"), "the guide: {}", page.text);

        let address = sandbox.base_url.as_str();
        let empty = fill(&app, &form, &[("base_url", address), ("api_key", "")]).await;
        assert_eq!(empty.status, 422);
        assert!(empty.text.contains("aria-invalid") && empty.text.contains("is required"));
        let wrong = fill(&app, &form, &[("base_url", address), ("api_key", "nonsense")]).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("Sandbox ATS did not accept these details."), "{}", wrong.text);
        assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains(address));
        assert!(!wrong.text.contains("nonsense"), "a secret is not shown again");
        let failed = events(&app).await.pop().expect("an event");
        assert_event(&failed);
        assert_eq!(failed["type"], "connection-flow-failed");
        assert_eq!(failed["data"]["end_user"]["origin_id"], "acme-1");

        let right = [("base_url", address), ("api_key", sandbox.api_key.as_str())];
        let done = format!("{path}/done");
        assert_eq!(leads_to(&fill(&app, &form, &right).await), done);
        let page = open(&app, &done).await;
        assert!(page.text.contains("Sandbox ATS is connected"), "{}", page.text);
        let created = events(&app).await.pop().expect("an event");
        assert_event(&created);
        assert_eq!(created["type"], "integration-created");
        assert_eq!(created["data"]["end_user"]["creator_email"], "anna@acme.example");

        // What was done cannot be done again.
        for again in [&path, &tool, &form] {
            assert_eq!(leads_to(&open(&app, again).await), done);
        }
        assert_eq!(leads_to(&fill(&app, &form, &right).await), done);
        assert_eq!(app.store.integration_list(&app.tenant.scope).await.expect("all").len(), 4);

        let token = activation(&page);
        let activated = by_token(&app, &app.tenant.key, &token).await;
        assert_valid("get", "/connect/integration-by-token/{token}", &activated.json);
        assert_eq!(activated.json["data"]["end_user_organization_name"], "Acme & Söhne");
        assert_eq!(activated.json["data"]["tool"], "sandboxats");
        let call = app.request("POST", "/v1/connect/activate-integration").key(&app.tenant.key);
        let older = call.json(&json!({ "token": token })).send().await;
        assert_valid("post", "/connect/activate-integration", &older.json);
        assert_eq!(older.json["data"], activated.json["data"]);
        let theirs = by_token(&app, &app.other.key, &token).await;
        theirs.refused("general", "PLATFORM.INPUT_INVALID", 400);
        app.clock.advance(SignedDuration::from_millis(15 * 60 * 1000));
        let late = by_token(&app, &app.tenant.key, &token).await;
        let words = late.refused("general", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains("15 minutes"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn a_link_says_everything_that_is_wrong_with_it() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let call = app.request("POST", "/v1/connect/create-link").key(&app.tenant.key);
        let body = json!({
            "end_user_email": "anna", "integration_category": "PAYROLL", "language": "xx",
            "integration_tool": "sandboxats", "scope_config_id": "nothing", "link_type": "SMS",
            "enable_filtering": "yes", "enable_static_ips": true, "remote_environment": "test",
        });
        let answer = call.json(&body).send().await;
        let words = answer.refused("general", "PLATFORM.INPUT_INVALID", 400);
        for property in body.as_object().expect("an object").keys() {
            assert!(words.contains(&format!("`body.{property}`")), "{property}: {words}");
        }
        assert!(words.contains("`body.end_user_organization_name`"), "{words}");
        // Another environment's scope configuration is not there.
        let theirs = app.store.scope_config_default(&app.other.scope).await.expect("one");
        let call = app.request("POST", "/v1/connect/create-link").key(&app.tenant.key);
        let body = json!({
            "end_user_email": "a@acme.example", "end_user_organization_name": "Acme",
            "scope_config_id": theirs.id,
        });
        call.json(&body).send().await.refused("general", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn links_end_and_are_shown_where_they_may_be() {
    let settings = WebSettings {
        connect_origins: vec!["https://app.acme.example".to_owned()],
        static_ips: vec!["192.0.2.7".to_owned()],
        ..WebSettings::default()
    };
    on_both(settings, async |app: TestApp| {
        let embedded =
            link(&app, json!({ "language": "de", "integration_tool": "sandboxhris" })).await;
        assert_eq!(leads_to(&open(&app, &embedded).await), format!("{embedded}/tools/sandboxhris"));
        let page = open(&app, &format!("{embedded}/tools/sandboxhris")).await;
        assert!(page.text.contains("<html lang=\"de\">") && page.text.contains("Wird gelesen"));
        assert!(page.text.contains("Abwesenheiten"), "{}", page.text);
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with("frame-ancestors https://app.acme.example"), "{policy}");
        assert!(policy.contains("script-src 'self';") && !page.text.contains("<script>"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        let other = open(&app, &format!("{embedded}/tools/sandboxats")).await;
        assert_eq!(other.status, 404, "the tool is settled");

        let magic =
            link(&app, json!({ "link_type": "MAGIC_LINK", "enable_static_ips": true })).await;
        let page = open(&app, &magic).await;
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        app.clock.advance(SignedDuration::from_millis(3_600_000));
        let ended = open(&app, &embedded).await;
        assert_eq!(ended.status, 410);
        assert!(ended.text.contains("Dieser Link gilt nicht mehr"), "{}", ended.text);
        assert_eq!(open(&app, &magic).await.status, 200);
        app.clock.advance(SignedDuration::from_millis(365 * 24 * 3_600_000));
        assert_eq!(open(&app, &magic).await.status, 410);
        let nobody = open(&app, "/connect/nobody").await;
        assert!(nobody.status == 401 && nobody.text.contains("This link does not work"));
    })
    .await;
}

#[tokio::test]
async fn customers_opt_out_and_hear_what_may_not_be_read() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let settings = json!({
            "models": {
                "hris_absences": { "setting": "OPTIONAL" },
                "hris_employees": { "fields": { "date_of_birth": "OPTIONAL" } },
                "hris_timesheets": { "setting": "DISABLED" },
            },
            "actions": { "hris_create_absence": "OPTIONAL" },
        });
        let config =
            app.store.scope_config_create(&app.tenant.scope, Some("Asks"), false, settings);
        let config = config.await.expect("a scope configuration");
        let forbidden = json!({ "tool": "hris", "resource": "reviews", "allowed": false });
        admin(&app, &sandbox, "permissions", Some(forbidden)).await;
        let more = json!({ "integration_tool": "sandboxhris", "scope_config_id": config.id });
        let path = link(&app, more).await;
        let tool = format!("{path}/tools/sandboxhris");
        let review = open(&app, &tool).await.text;
        assert!(review.contains("value=\"hris_absences\" checked"), "{review}");
        assert!(!review.contains("Timesheets"), "what is switched off is not asked for");
        let query = "seen=hris_absences&seen=hris_create_absence&on=hris_create_absence\
                     &seen=hris_employees.date_of_birth&seen=hris_employees";
        let form = format!("{tool}/credentials");
        let page = open(&app, &format!("{form}?{query}")).await.text;
        assert!(page.contains("name=\"off\" value=\"hris_absences\""), "{page}");
        let fields = [
            ("off", "hris_absences"),
            ("off", "hris_employees.date_of_birth"),
            // What is not theirs to decide does not count.
            ("off", "hris_employees"),
            ("base_url", sandbox.base_url.as_str()),
            ("client_id", sandbox.client_id.as_str()),
            ("client_secret", sandbox.client_secret.as_str()),
        ];
        let done = leads_to(&fill(&app, &form, &fields).await);
        let page = open(&app, &done).await;
        assert!(page.text.contains("Not everything may be read"), "{}", page.text);
        assert!(
            page.text.contains("Performance reviews") && page.text.contains("permission to read")
        );

        let token = activation(&page);
        let activated = by_token(&app, &app.tenant.key, &token).await;
        let id = activated.json["data"]["id"].as_str().expect("an id").to_owned();
        cadre_jobs::worker::drain(&app.state.parts).await.expect("a sync");
        let path = format!("/v1/integrations/{id}");
        let shown = app.request("GET", &path).key(&app.tenant.key).send().await;
        assert_valid("get", "/integrations/{integration_id}", &shown.json);
        let models = shown.json["data"]["read_models"].as_array().expect("models");
        let model = |id: &str| models.iter().find(|model| model["id"] == id).expect("a model");
        assert_eq!(model("hris_absences")["opted_out_by_customer"], true);
        assert_eq!(model("hris_absences")["is_available"], false);
        let born = model("hris_employees")["fields"].as_array().expect("fields");
        let born = born.iter().find(|field| field["id"] == "date_of_birth").expect("a field");
        assert_eq!(born["opted_out_by_customer"], true);
        let list = async |path: &str| {
            app.request("GET", path).key(&app.tenant.key).integration(&id).send().await
        };
        let people = list("/v1/hris/employees").await;
        assert_eq!(people.json["data"]["results"][0]["date_of_birth"], Value::Null);
        let absences = list("/v1/hris/absences").await;
        absences.refused("hris", "INTEGRATION.MODEL_DISABLED", 403);
    })
    .await;
}

#[tokio::test]
async fn reconnecting_heals_an_integration() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.api_key });
        let id = app.connect("sandboxats", form).await;
        let scope = app.integration(&id).await;
        let invalid = IntegrationStatus::Invalid;
        app.store.integration_status_set(&scope, invalid, Some("Refused.")).await.expect("set");
        let call = app.request("POST", &format!("/v1/integrations/{id}/relink"));
        let answer = call.key(&app.tenant.key).json(&json!({ "language": "de" })).send().await;
        assert_valid("post", "/integrations/{integration_id}/relink", &answer.json);
        let link = answer.json["data"]["link"].as_str().expect("a link");
        let path = link.strip_prefix("http://localhost:8080").expect("ours");
        let form = format!("{path}/tools/sandboxats/credentials");
        let page = open(&app, &form).await;
        assert!(page.text.contains(&sandbox.base_url), "what is no secret is filled in");
        let fields = [("base_url", sandbox.base_url.as_str()), ("api_key", &sandbox.api_key)];
        let done = leads_to(&fill(&app, &form, &fields).await);
        let page = open(&app, &done).await;
        assert!(page.text.contains("Sandbox ATS ist wieder verbunden"), "{}", page.text);
        let activated = by_token(&app, &app.tenant.key, &activation(&page)).await;
        assert_eq!(activated.json["data"]["id"], id.as_str(), "the integration is the same");
        let healed = app.store.integration_get(&scope).await.expect("a store").expect("it");
        assert_eq!(healed.status, IntegrationStatus::Active);
        let states: Vec<Value> =
            events(&app).await.into_iter().map(|e| e["type"].clone()).collect();
        assert_eq!(states.iter().filter(|state| *state == "integration-created").count(), 4);
        assert_eq!(states.last(), Some(&json!("integration-state-changed")));

        let setup = app.request("POST", &format!("/v1/integrations/{id}/setup-link"));
        let setup =
            setup.key(&app.tenant.key).json(&json!({ "link_type": "EMBEDDED" })).send().await;
        let words = setup.refused("general", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains("No step of the set-up"), "{words}");
    })
    .await;
}
