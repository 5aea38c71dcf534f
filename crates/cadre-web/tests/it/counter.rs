//! What people set in the dashboard: links, set-up, scopes, mappings, and actions tried out.

use cadre_jobs::worker::drain;
use cadre_store::{AuditFilter, NewCustomField, Role};
use cadre_web::WebSettings;
use serde_json::json;

use crate::app::{Answer, TestApp, on_both};
use crate::browser::Browser;
use crate::connect::{open, sandbox};

/// What stands between two texts of a page.
fn between<'t>(page: &'t Answer, from: &str, to: &str) -> &'t str {
    let (_, after) = page.text.split_once(from).unwrap_or_else(|| panic!("{from}: {}", page.text));
    after.split(to).next().expect("a part")
}

#[tokio::test]
async fn links_are_made_and_followed() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Support).await;
        let path = "/env/production/links";
        let wrong = [("organization", "Acme"), ("email", "anna"), ("tool", "sandboxhris/HRIS")];
        let refused = browser.post(path, &wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains("no e-mail address"), "{}", refused.text);
        let right = [
            ("organization", "Acme & Co"),
            ("email", "anna@acme.example"),
            ("tool", "sandboxhris/HRIS"),
            ("filtering", "on"),
        ];
        let made = browser.post(path, &right).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let url = between(&made, "id=\"link\">", "<").to_owned();
        let link = url.strip_prefix("http://localhost:8080").expect("ours").to_owned();
        let first = open(&app, &link).await;
        assert_eq!(first.header("location"), Some(format!("{link}/tools/sandboxhris").as_str()));
        let list = browser.get(path).await;
        assert!(list.text.contains("opened") && !list.text.contains(&link), "{}", list.text);

        let base = format!("/env/production/integrations/{}", app.tenant.hris);
        let relink = browser.post(&format!("{base}/links"), &[("kind", "relink")]).await;
        assert!(relink.text.contains("id=\"link\">http"), "{}", relink.text);
        let setup = browser.post(&format!("{base}/links"), &[("kind", "setup")]).await;
        assert_eq!(setup.status, 409, "no step is switched on: {}", setup.text);
        let denied = browser.post(&format!("{base}/steps"), &[("filtering", "on")]).await;
        assert_eq!(denied.status, 403);
    })
    .await;
}

#[tokio::test]
async fn scopes_are_made_changed_and_assigned() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let path = "/env/production/scopes";
        assert!(browser.get(path).await.text.contains("default"));
        let made = browser.post(path, &[("name", "Payroll only")]).await;
        let at = made.header("location").expect("a page").to_owned();
        let at = at.split('?').next().expect("a path").to_owned();
        let id = at.rsplit('/').next().expect("an id").to_owned();
        let change = [
            ("model", "hris_employees"),
            ("setting", "ENABLED"),
            ("shown", "ssn"),
            ("shown", "first_name"),
            ("field", "first_name"),
        ];
        assert_eq!(browser.post(&at, &change).await.status, 303);
        let config = app.store.scope_config_get(&app.tenant.scope, &id).await.expect("a store");
        let config = config.expect("it");
        assert!(!config.field_enabled("hris_employees", "ssn"));
        assert!(config.field_enabled("hris_employees", "first_name"));
        let base = format!("/env/production/integrations/{}", app.tenant.hris);
        let assigned = browser.post(&format!("{base}/assign"), &[("scope", &id)]).await;
        assert_eq!(assigned.status, 303, "{}", assigned.text);
        let scope = app.integration(&app.tenant.hris).await;
        let now = app.store.integration_get(&scope).await.expect("a store").expect("it");
        assert!(now.scope_config_id == id && now.data_expired_at.is_some());
        let gone = browser.post(&format!("{at}/delete"), &[]).await;
        assert_eq!(gone.status, 404, "an integration has it");
        assert_eq!(browser.post(&format!("{at}/default"), &[]).await.status, 303);
        let default = app.store.scope_config_default(&app.tenant.scope).await.expect("a store");
        assert_eq!(default.id, id);
        // Another environment's is not there.
        let theirs = at.replace("production", "development");
        assert_eq!(browser.get(&theirs).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn mappings_are_previewed_and_actions_tried_out() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let sandbox = sandbox().await;
        let form = json!({
            "base_url": sandbox.base_url, "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        });
        let new = NewCustomField {
            model: "hris_employees".into(),
            key: "shirt".into(),
            ..NewCustomField::default()
        };
        let custom = app.store.custom_field_create(&app.tenant.scope, new).await;
        let custom = custom.expect("a store").expect("a field");
        let id = app.connect("sandboxhris", form).await;
        let scope = app.integration(&id).await;
        let browser = Browser::with_role(&app, Role::Developer).await;
        let base = format!("/env/production/integrations/{id}");
        let mapping = r#"{"hris_employees": {"job_title": {"jq": ".custom.shirt_size"}}}"#;
        let path = format!("{base}/mapping");
        let broken = browser.post(&path, &[("mapping", "{"), ("act", "preview")]).await;
        assert!(broken.status == 422 && broken.text.contains("no JSON"), "{}", broken.text);
        let shown = browser.post(&path, &[("mapping", mapping), ("act", "preview")]).await;
        assert!(shown.text.contains("What it would change"), "{}", shown.text);
        assert!(shown.text.contains("<code>job_title</code>"), "{}", shown.text);
        let before = app.store.integration_get(&scope).await.expect("a store").expect("it");
        assert!(before.mapping.is_none(), "a preview sets nothing");
        let set = browser.post(&path, &[("mapping", mapping), ("act", "set")]).await;
        assert_eq!(set.status, 303, "{}", set.text);
        let known = app.store.integration_fields(&scope).await.expect("a store");
        let shirt = known.iter().find(|field| field.key == "custom.shirt_size").expect("a field");
        let fields = [(custom.id.as_str(), shirt.id.as_str())];
        assert_eq!(browser.post(&format!("{base}/custom-fields"), &fields).await.status, 303);
        drain(&app.state.parts).await.expect("the jobs are done");
        let list = app.request("GET", "/v1/hris/employees").key(&app.tenant.key).integration(&id);
        let list = list.send().await;
        let first = &list.json["data"]["results"][0];
        assert_eq!(first["job_title"], first["custom_fields"]["shirt"], "{first:#}");

        let actions = browser.get(&format!("{base}/actions")).await;
        assert!(actions.text.contains("Create absence"), "{}", actions.text);
        let path = format!("{base}/actions/hris_create_absence");
        let page = browser.get(&path).await;
        assert!(page.text.contains("name=\"absence_type_id\""), "{}", page.text);
        let refused = browser.post(&path, &[("employee_id", "nobody")]).await;
        assert_eq!(refused.status, 200, "{}", refused.text);
        assert!(refused.text.contains("PLATFORM.INPUT_INVALID"), "{}", refused.text);
        let log = between(&refused, "<a href=\"/env/production/logs/", "\"").to_owned();
        let log = browser.get(&format!("/env/production/logs/{log}")).await;
        assert!(log.status == 200 && log.text.contains("/v1/hris/absences"), "{}", log.text);
        let wanted = AuditFilter { limit: 50, ..AuditFilter::default() };
        let audit = app.store.audit_list(Some(&app.tenant.scope), &wanted).await;
        let audit = audit.expect("a store");
        assert!(audit.iter().any(|entry| entry.act.act == "action.tried"));
    })
    .await;
}
