//! The set-up: employees are chosen before anything of them is stored, and the choice holds.

use cadre_jobs::worker::drain;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{InteractionFilter, NewCustomField};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::connect::{activation, admin, by_token, fill, leads_to, link, open};
use crate::contract::assert_valid;

async fn sandbox() -> Running {
    let options = SandboxOptions { candidates: 1, jobs: 1, employees: 30, ..Default::default() };
    Sandbox::start(options).await.expect("a sandbox")
}

fn form(sandbox: &Running) -> [(&'static str, &str); 3] {
    [
        ("base_url", sandbox.base_url.as_str()),
        ("client_id", sandbox.client_id.as_str()),
        ("client_secret", sandbox.client_secret.as_str()),
    ]
}

async fn settle(app: &TestApp) {
    app.clock.advance(SignedDuration::from_mins(1));
    drain(&app.state.parts).await.expect("the jobs are done");
    app.clock.advance(SignedDuration::from_mins(1));
}

async fn list(app: &TestApp, id: &str, path: &str) -> Vec<Value> {
    let path = format!("/v1/hris/{path}?page_size=250");
    let answer = app.request("GET", &path).key(&app.tenant.key).integration(id).send().await;
    let results = answer.json["data"]["results"].as_array();
    results.unwrap_or_else(|| panic!("{}", answer.text)).clone()
}

fn remote_ids(records: &[Value]) -> Vec<String> {
    let id = |record: &Value| record["remote_id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<String> = records.iter().map(id).collect();
    ids.sort();
    ids
}

async fn setup(app: &TestApp, id: &str, body: Option<Value>) -> Answer {
    let path = format!("/v1/integrations/{id}/setup");
    let method = if body.is_some() { "PUT" } else { "GET" };
    let call = app.request(method, &path).key(&app.tenant.key);
    match body {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// The value of a choice, by its field and label.
async fn choice(app: &TestApp, id: &str, field: &str, at: usize) -> (String, String) {
    let shown = setup(app, id, None).await;
    let choices = shown.json["data"]["choices"].as_array().expect("choices").clone();
    let of = |choice: &&Value| choice["field"] == field && choice["value"] != "";
    let choice = choices.iter().filter(of).nth(at).expect("a choice");
    let text = |name: &str| choice[name].as_str().expect("text").to_owned();
    (text("value"), text("label"))
}

/// An account that is linked with a filter to come; the path of its link, and its id.
async fn linked(app: &TestApp, sandbox: &Running, more: Value) -> (String, String) {
    let path = link(app, more).await;
    let credentials = format!("{path}/tools/sandboxhris/credentials");
    let done = leads_to(&fill(app, &credentials, &form(sandbox)).await);
    assert_eq!(leads_to(&open(app, &done).await), format!("{path}/setup"), "steps are left");
    let all = app.store.integration_list(&app.tenant.scope).await.expect("a store");
    let open = all.iter().find(|one| one.setup.is_open());
    (path, open.expect("an integration").id.clone())
}

/// Somebody else's view of the same company, without a filter.
async fn everybody(app: &TestApp, sandbox: &Running) -> Vec<Value> {
    let values: serde_json::Map<String, Value> =
        form(sandbox).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let other = app.connect("sandboxhris", Value::Object(values)).await;
    list(app, &other, "employees").await
}

#[tokio::test]
async fn nothing_of_employees_is_stored_before_they_are_chosen() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let all = everybody(&app, &sandbox).await;
        let new = NewCustomField {
            model: "hris_employees".into(),
            key: "shirt".into(),
            label: Some("Size of shirts".into()),
            ..NewCustomField::default()
        };
        let custom = app.store.custom_field_create(&app.tenant.scope, new).await;
        let custom = custom.expect("a store").expect("a field");
        app.clock.advance(SignedDuration::from_mins(1));
        let more = json!({
            "integration_tool": "sandboxhris", "enable_filtering": true, "enable_field_mapping": true,
        });
        let since = app.state.clock.now_ms();
        let (path, id) = linked(&app, &sandbox, more).await;
        let step = leads_to(&open(&app, &format!("{path}/setup")).await);
        let page = open(&app, &leads_to(&open(&app, &step).await)).await;
        assert!(page.text.contains("Nothing about your employees is stored"), "{}", page.text);
        let read = async || {
            let call = app.request("GET", "/v1/hris/employees").key(&app.tenant.key);
            call.integration(&id).send().await
        };
        read().await.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);
        settle(&app).await;
        read().await.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);

        // What was looked at left no trace.
        let scope = app.integration(&id).await;
        assert_eq!(app.store.records_stats(&scope).await.expect("a store").len(), 0);
        let raw = app.store.raw_page(&scope, "hris_employees", "", 10).await.expect("a store");
        assert_eq!(raw.len(), 0);
        let filter = InteractionFilter { since: Some(since), limit: 200, ..Default::default() };
        let logged = app.store.interaction_list(&app.tenant.scope, &filter).await.expect("a log");
        let mut exchanges = 0;
        for one in &logged {
            let of = app.store.exchange_list(&app.tenant.scope, &one.id).await.expect("exchanges");
            exchanges += of.len();
            for exchange in of {
                let kept = format!("{:?} {:?}", exchange.response_body, exchange.request_body);
                for person in &all {
                    let name = person["work_email"].as_str().unwrap_or("nobody");
                    assert!(!kept.contains(name), "{kept}");
                }
            }
        }
        assert!(exchanges > 0, "the tool was asked");

        // The fields, then the filter, in the order of the way.
        let fields = leads_to(&open(&app, &format!("{path}/setup")).await);
        assert_eq!(fields, format!("{path}/setup/fields"));
        let page = open(&app, &fields).await;
        assert!(page.text.contains("Size of shirts") && page.text.contains("custom.shirt_size"));
        let known = app.store.integration_fields(&scope).await.expect("a store");
        let shirt = known.iter().find(|field| {
            field.model == "hris_employees" && field.key == "custom.shirt_size"
        });
        let shirt = shirt.expect("a field").id.clone();
        let filters = leads_to(&fill(&app, &fields, &[(&custom.id, &shirt)]).await);
        assert_eq!(filters, format!("{path}/setup/filters"));
        let page = open(&app, &filters).await;
        let (value, label) = choice(&app, &id, "legal_entities", 0).await;
        assert!(page.text.contains(&format!("value=\"{value}\"")), "{}", page.text);
        let done = leads_to(&fill(&app, &filters, &[("legal_entities", &value)]).await);
        assert_eq!(done, format!("{path}/done"));
        let page = open(&app, &done).await;
        assert!(page.text.contains("is connected"), "{}", page.text);
        let token = activation(&page);
        let activated = by_token(&app, &app.tenant.key, &token).await;
        assert_eq!(activated.json["data"]["setup_status"], "FINAL_SYNC_PENDING");
        settle(&app).await;

        let chosen: Vec<Value> =
            all.iter().filter(|one| one["legal_entity"]["name"] == label).cloned().collect();
        assert!(!chosen.is_empty() && chosen.len() < all.len());
        let there = list(&app, &id, "employees").await;
        assert_eq!(remote_ids(&there), remote_ids(&chosen));
        assert!(there.iter().all(|one| one["custom_fields"]["shirt"].is_string()), "{there:#?}");
        let ids: Vec<&Value> = there.iter().map(|one| &one["id"]).collect();
        for path in ["absences", "timesheets"] {
            let of = list(&app, &id, path).await;
            assert!(!of.is_empty() && of.iter().all(|one| ids.contains(&&one["employee_id"])));
        }
        let shown = setup(&app, &id, None).await;
        assert_eq!(shown.json["data"]["setup_status"], "COMPLETED");
    })
    .await;
}

#[tokio::test]
async fn whoever_leaves_the_filter_is_gone_and_comes_back_with_it() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let more = json!({ "integration_tool": "sandboxhris", "enable_filtering": true });
        let (_, id) = linked(&app, &sandbox, more).await;
        settle(&app).await;
        let (value, _) = choice(&app, &id, "legal_entities", 0).await;
        let (other, _) = choice(&app, &id, "legal_entities", 1).await;
        let wrong = json!({ "filtering": "yes", "filter": { "shoes": [], "groups": 7 } });
        let refused = setup(&app, &id, Some(wrong)).await;
        let words = refused.refused("general", "PLATFORM.INPUT_INVALID", 400);
        for place in ["`body.filtering`", "`body.filter.shoes`", "`body.filter.groups`"] {
            assert!(words.contains(place), "{place}: {words}");
        }
        let filter = json!({ "filter": { "legal_entities": [value] } });
        setup(&app, &id, Some(filter)).await;
        settle(&app).await;
        let first = list(&app, &id, "employees").await;
        assert!(!first.is_empty());

        // One of them moves to another company; only what changed is read.
        let mover = first[0]["remote_id"].as_str().expect("an id").to_owned();
        let entity = first[0]["legal_entity"]["remote_id"].as_str().expect("an id").to_owned();
        let elsewhere = if entity == "1" { "2" } else { "1" };
        let elsewhere: Value = elsewhere.parse::<u64>().expect("a number").into();
        let change = json!({
            "op": "set", "tool": "hris", "table": "employees", "id": mover,
            "patch": { "legal_entity": { "id": elsewhere } },
        });
        admin(&app, &sandbox, "mutate", Some(change)).await;
        let call = app.request("POST", "/v1/force-sync").key(&app.tenant.key).integration(&id);
        call.json(&json!({ "sync_type": "DELTA" })).send().await;
        settle(&app).await;
        let deleted = list(&app, &id, "employees").await;
        let gone = deleted.iter().find(|one| one["remote_id"] == mover.as_str());
        assert!(gone.is_none_or(|one| !one["remote_deleted_at"].is_null()), "{gone:#?}");
        let left = list(&app, &id, "employees").await;
        assert!(!remote_ids(&left).contains(&mover), "out of the filter");
        let absences = list(&app, &id, "absences").await;
        assert!(absences.iter().all(|one| one["employee_id"] != first[0]["id"]));

        // Another filter, by a set-up link of the existing integration.
        let call = app.request("POST", &format!("/v1/integrations/{id}/setup-link"));
        let body = json!({ "link_type": "MAGIC_LINK", "language": "de" });
        let answer = call.key(&app.tenant.key).json(&body).send().await;
        assert_valid("post", "/integrations/{integration_id}/setup-link", &answer.json);
        let made = answer.json["data"]["link"].as_str().expect("a link");
        let path = made.strip_prefix("http://localhost:8080").expect("ours").to_owned();
        let step = leads_to(&open(&app, &leads_to(&open(&app, &path).await)).await);
        let page = open(&app, &step).await;
        assert!(page.text.contains("Welche Mitarbeitenden"), "{}", page.text);
        let done = leads_to(&fill(&app, &step, &[("legal_entities", &other)]).await);
        let page = open(&app, &done).await;
        assert!(page.text.contains("ist eingerichtet"), "{}", page.text);
        assert_eq!(leads_to(&open(&app, &step).await), done, "it is used up");
        let integration = app.request("GET", &format!("/v1/integrations/{id}"));
        let integration = integration.key(&app.tenant.key).send().await;
        assert!(integration.json["data"]["data_expired_at"].is_string());
        settle(&app).await;
        let now = list(&app, &id, "employees").await;
        assert!(
            !now.is_empty() && now.iter().all(|one| one["legal_entity"]["id"] == other.as_str())
        );
    })
    .await;
}

#[tokio::test]
async fn set_up_links_end_and_need_a_step() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        everybody(&app, &sandbox).await;
        let all = app.store.integration_list(&app.tenant.scope).await.expect("a store");
        let id = &all.iter().find(|one| one.tool == "sandboxhris").expect("one").id;
        let asked = async || {
            let call = app.request("POST", &format!("/v1/integrations/{id}/setup-link"));
            call.key(&app.tenant.key).json(&json!({ "link_type": "EMBEDDED" })).send().await
        };
        let words = asked().await;
        let words = words.refused("general", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains("No step of the set-up"), "{words}");
        setup(&app, id, Some(json!({ "filtering": true }))).await;
        let locked = app.request("GET", "/v1/hris/employees").key(&app.tenant.key).integration(id);
        locked.send().await.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);
        let made = asked().await;
        let made = made.json["data"]["link"].as_str().expect("a link").to_owned();
        let path = made.strip_prefix("http://localhost:8080").expect("ours");
        app.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(open(&app, path).await.status, 410);
        let scope = app.integration(id).await;
        let refused = cadre_jobs::force_unlock(&app.store, &scope).await.expect_err("not agreed");
        assert!(refused.message.contains("has not confirmed"), "{}", refused.message);
    })
    .await;
}
