//! Fields beyond the unified model: made of the raw values that are stored, while the tool is gone.

use cadre_jobs::fields::refresh_all;
use cadre_jobs::worker::drain;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{EventFilter, EventType, NewCustomField};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::contract::assert_valid;

async fn connected(app: &TestApp) -> (Running, String) {
    let options = SandboxOptions { candidates: 1, jobs: 1, employees: 12, ..Default::default() };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let form = json!({
        "base_url": sandbox.base_url, "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    });
    let integration = app.connect("sandboxhris", form).await;
    (sandbox, integration)
}

async fn send(app: &TestApp, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let call = app.request(method, path).key(&app.tenant.key);
    let call = match body {
        Some(body) => call.json(body),
        None => call,
    };
    call.send().await
}

async fn employees(app: &TestApp, integration: &str, query: &str) -> Vec<Value> {
    let path = format!("/v1/hris/employees?page_size=250{query}");
    let answer = app.request("GET", &path).key(&app.tenant.key).integration(integration).send();
    let answer = answer.await;
    assert_valid("get", "/hris/employees", &answer.json);
    answer.json["data"]["results"].as_array().expect("records").clone()
}

/// Lets what was asked for be done, a minute later.
async fn settle(app: &TestApp) {
    app.clock.advance(SignedDuration::from_mins(1));
    drain(&app.state.parts).await.expect("the jobs are done");
    app.clock.advance(SignedDuration::from_mins(1));
}

async fn field_id(app: &TestApp, integration: &str, key: &str) -> String {
    let path = format!("/v1/integrations/{integration}/integration-fields?page_size=2000");
    let fields = send(app, "GET", &path, None).await;
    let path = "/integrations/{integration_id}/integration-fields";
    assert_valid("get", path, &fields.json);
    let fields = fields.json["data"]["results"].as_array().expect("fields").clone();
    let field = fields
        .iter()
        .find(|field| field["model"] == "hris_employees" && field["key"] == key)
        .unwrap_or_else(|| panic!("no {key}: {fields:#?}"));
    field["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_and_integration_fields_come_from_what_is_stored() {
    on_both(WebSettings::default(), async |app| {
        let (sandbox, integration) = connected(&app).await;
        // Nothing from here on can ask the tool.
        sandbox.stop().await;
        let before = employees(&app, &integration, "").await;
        assert!(before.len() > 5);
        for employee in &before {
            assert_eq!(employee["custom_fields"], json!({}));
            assert_eq!(employee["integration_fields"], json!([]));
            assert_eq!(employee["remote_data"], Value::Null);
        }
        let new = NewCustomField {
            model: "hris_employees".into(),
            key: "office".into(),
            label: Some("Office".into()),
            description: None,
            aliases: vec!["office.none".into(), "OFFICE.ID".into()],
        };
        let store = &app.store;
        let field = store.custom_field_create(&app.tenant.scope, new).await.expect("a store");
        let field = field.expect("a new key").id;
        refresh_all(store, &app.tenant.scope).await.expect("a store");
        settle(&app).await;

        let path = format!("/v1/integrations/{integration}/custom-fields");
        let listed = send(&app, "GET", &path, None).await;
        assert_valid("get", "/integrations/{integration_id}/custom-fields", &listed.json);
        let only = &listed.json["data"]["results"][0];
        assert_eq!(only["integration_field"]["key"], "office.id");
        assert_eq!(only["integration_field"]["type"], "DEFAULT");
        let after = employees(&app, &integration, "").await;
        let offices: Vec<&Value> =
            after.iter().map(|employee| &employee["custom_fields"]["office"]).collect();
        assert!(offices.iter().any(|office| !office.is_null()), "{offices:?}");
        for (old, new) in before.iter().zip(&after) {
            assert!(new["changed_at"].as_str() > old["changed_at"].as_str(), "{new:#}");
        }
        // Found by the value.
        let wanted = offices.iter().find(|office| !office.is_null()).expect("an office");
        let count = offices.iter().filter(|office| office == &wanted).count();
        let pair: String = url::form_urlencoded::byte_serialize(
            json!({ "office": wanted }).to_string().as_bytes(),
        )
        .collect();
        let query = format!("&custom_fields={pair}");
        assert_eq!(employees(&app, &integration, &query).await.len(), count);

        // Somebody decides otherwise.
        let one = format!("{path}/{field}");
        let title = field_id(&app, &integration, "position_title").await;
        let contract = "/integrations/{integration_id}/custom-fields/{custom_field_id}";
        let put = send(&app, "PUT", &one, Some(&json!({ "integration_field_id": title }))).await;
        assert_valid("put", contract, &put.json);
        assert_eq!(put.json["data"]["integration_field"]["id"], title.as_str());
        settle(&app).await;
        let after = employees(&app, &integration, "").await;
        assert!(after.iter().all(|one| one["custom_fields"]["office"] == one["job_title"]));
        let put = send(&app, "PUT", &one, Some(&json!({ "integration_field_id": null }))).await;
        assert_eq!(put.json["data"]["integration_field"], Value::Null);
        settle(&app).await;
        let after = employees(&app, &integration, "").await;
        assert!(after.iter().all(|one| one["custom_fields"] == json!({})));
        let put = send(&app, "PUT", &one, Some(&json!({ "integration_field_id": "x" }))).await;
        put.refused("general", "PLATFORM.INPUT_INVALID", 400);

        // And shown as it is.
        let path = format!("/v1/integrations/{integration}/integration-fields/{title}");
        let contract = "/integrations/{integration_id}/integration-fields/{integration_field_id}";
        let patch = send(&app, "PATCH", &path, Some(&json!({ "enable_passthrough": true }))).await;
        assert_valid("patch", contract, &patch.json);
        assert_eq!(patch.json["data"]["is_passthrough_enabled"], true);
        settle(&app).await;
        for one in employees(&app, &integration, "").await {
            let expected = json!([{
                "id": title, "key": "position_title", "type": "DEFAULT", "value": one["job_title"],
                "label": null,
            }]);
            assert_eq!(one["integration_fields"], expected);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remapping_is_previewed_and_applied_to_what_is_stored() {
    on_both(WebSettings::default(), async |app| {
        let (sandbox, integration) = connected(&app).await;
        sandbox.stop().await;
        let before = employees(&app, &integration, "").await;
        let path = format!("/v1/integrations/{integration}/mapping");
        let mapping = json!({ "mapping": { "hris_employees": {
            "job_title": { "path": "contact.work_email" },
            "display_full_name": { "jq": "\"\\(.name.family), \\(.name.given)\"" },
        } } });
        let preview = send(&app, "POST", &format!("{path}/preview"), Some(&mapping)).await;
        let preview = &preview.json["data"];
        assert_eq!(preview["complete"], true, "{preview:#}");
        let of = &preview["models"]["hris_employees"];
        assert_eq!(of["fields"]["display_full_name"], of["read"]);
        assert_eq!(of["fields"].as_object().expect("fields").len(), 2, "{of:#}");
        assert_eq!(preview["models"]["hris_employments"]["changed"], 0);
        assert_eq!(employees(&app, &integration, "").await, before);

        let wrong = json!({ "mapping": { "hris_employees": { "job_title": { "jq": ".a |" } } } });
        let refused = send(&app, "PUT", &path, Some(&wrong)).await;
        refused.refused("general", "PLATFORM.INPUT_INVALID", 400);
        let put = send(&app, "PUT", &path, Some(&mapping)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        settle(&app).await;
        let after = employees(&app, &integration, "").await;
        for (old, new) in before.iter().zip(&after) {
            assert_eq!(new["job_title"], old["work_email"]);
            let name = |part: &str| old[part].as_str().expect("a name");
            let expected = format!("{}, {}", name("last_name"), name("first_name"));
            assert_eq!(new["display_full_name"], expected.as_str());
            assert!(new["changed_at"].as_str() > old["changed_at"].as_str());
        }
        let filter = EventFilter {
            after: 0,
            until: None,
            types: vec![EventType::DataChanged],
            integration_id: Some(integration.clone()),
            limit: 100,
        };
        let events = app.store.event_list(&app.tenant.scope, &filter).await.expect("a store");
        let changed = &events.last().expect("an event").payload["changed_models"];
        assert!(changed.as_array().expect("models").contains(&json!({ "name": "hris_employees" })));

        // Taken away, everything is as it was; a second time changes nothing, and tells nobody.
        for _ in 0..2 {
            send(&app, "PUT", &path, Some(&json!({ "mapping": null }))).await;
            settle(&app).await;
        }
        let last = employees(&app, &integration, "").await;
        for (old, new) in before.iter().zip(&last) {
            assert_eq!(new["job_title"], old["job_title"]);
            assert_eq!(new["groups"], old["groups"]);
        }
        let told = app.store.event_list(&app.tenant.scope, &filter).await.expect("a store");
        assert_eq!(told.len(), events.len() + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_is_not_stored_in_raw_values_either() {
    on_both(WebSettings::default(), async |app| {
        let (sandbox, integration) = connected(&app).await;
        let scope = app.integration(&integration).await;
        let store = &app.store;
        let raw = async || {
            let rows = store.raw_page(&scope, "hris_employees", "", 250).await.expect("a store");
            rows.into_iter().map(|row| row.value).collect::<Vec<_>>()
        };
        let all = raw().await;
        assert!(all.iter().any(|value| value["personal"]["national_id"].is_string()));
        let fields = json!({ "ssn": "DISABLED", "remote_data": "ENABLED" });
        let settings = json!({ "models": { "hris_employees": { "fields": fields } } });
        let config = store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let set = store.scope_config_update(&app.tenant.scope, &config.id, &settings).await;
        assert!(set.expect("a store"));
        let full = cadre_store::RunKind::Full;
        let by = cadre_store::RunTrigger::ForceSync;
        cadre_jobs::enqueue_sync(store, &scope, full, by).await.expect("a run");
        settle(&app).await;
        for value in raw().await {
            assert_eq!(value["personal"].get("national_id"), None, "{value:#}");
            assert!(value["name"]["given"].is_string());
        }
        for one in employees(&app, &integration, "").await {
            assert_eq!(one["ssn"], Value::Null);
            let shown = &one["remote_data"]["/employees"];
            assert_eq!(shown["position_title"], one["job_title"]);
            assert_eq!(shown["personal"].get("national_id"), None);
        }
        sandbox.stop().await;
    })
    .await;
}
