//! What people do in the dashboard, and what comes of it.

use cadre_model::mapped::Mapped;
use cadre_model::registry;
use cadre_store::{
    IntegrationIssueKind, IntegrationIssueState, IntegrationStatus, Observed, QaStatus, Role,
    SetupStatus,
};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::browser::Browser;
use crate::receiver::{Receiver, Reply};
use crate::sample;

/// What stands between two texts of a page.
fn between<'t>(page: &'t Answer, from: &str, to: &str) -> &'t str {
    let (_, after) = page.text.split_once(from).unwrap_or_else(|| panic!("{from}: {}", page.text));
    after.split(to).next().expect("a part")
}

#[tokio::test]
async fn a_key_is_made_used_from_its_address_and_revoked() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let path = "/env/production/keys";
        let wrong = [("name", "export"), ("days", "30"), ("addresses", "203.0.113.7 nowhere")];
        let refused = browser.post(path, &wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains("nowhere") && refused.text.contains("no address"));
        let right = [("name", "export"), ("days", "30"), ("addresses", "203.0.113.7\n10.0.0.0/8")];
        let made = browser.post(path, &right).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let key = between(&made, "id=\"key\">", "<").to_owned();
        assert!(key.starts_with("ks_prod_"), "{key}");
        let list = browser.get(path).await;
        assert!(!list.text.contains(&key), "it is shown once");
        assert!(list.text.contains("203.0.113.7, 10.0.0.0/8"), "{}", list.text);
        let check = async |from: &str| {
            app.request("GET", "/v1/check-api-key").key(&key).from(from).send().await
        };
        assert_eq!(check("10.1.2.3:400").await.status, 200);
        check("192.0.2.1:400").await.refused("general", "PLATFORM.IP_NOT_WHITELISTED", 403);
        app.clock.advance(SignedDuration::from_hours(30 * 24 + 1));
        let browser = Browser::by_link(&app).await;
        check("10.1.2.3:400").await.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
        assert!(browser.get(path).await.text.contains("expired"));
        let keys = app.store.api_key_list(&app.tenant.scope).await.expect("a store");
        let test = keys.iter().find(|key| key.name == "test").expect("the tenant's own");
        let revoke = format!("{path}/{}/revoke", test.id);
        assert_eq!(browser.post(&revoke, &[]).await.status, 303);
        assert_eq!(browser.post(&revoke, &[]).await.status, 404, "once");
        app.request("GET", "/v1/check-api-key").key(&app.tenant.key).send().await.refused(
            "general",
            "PLATFORM.AUTHENTICATION_INVALID",
            401,
        );
        let audit = browser.get("/env/production/audit").await;
        assert!(audit.text.contains("key.created") && audit.text.contains("key.revoked"));
        assert!(audit.text.contains("developer@example.com") && !audit.text.contains(&key));
    })
    .await;
}

#[tokio::test]
async fn an_integration_is_synced_paused_and_deleted() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let (id, scope) = (&app.tenant.hris, app.integration(&app.tenant.hris).await);
        let base = format!("/env/production/integrations/{id}");
        let asked = browser.post(&format!("{base}/sync"), &[("kind", "FULL")]).await;
        assert_eq!(asked.header("location"), Some(format!("{base}/syncs?done=sync").as_str()));
        let syncs = browser.get(&format!("{base}/syncs")).await;
        for words in ["queued", "hx-trigger=\"every 2s\"", "Cancel this sync"] {
            assert!(syncs.text.contains(words), "{words}: {}", syncs.text);
        }
        let progress = browser.get(&format!("{base}/syncs/progress")).await;
        assert!(progress.text.starts_with("<section") && progress.text.contains("<progress"));
        browser.post(&format!("{base}/pause"), &[]).await;
        let read = async || app.store.integration_get(&scope).await.expect("a store").expect("one");
        assert_eq!(read().await.status, IntegrationStatus::Inactive);
        let list = browser.get("/env/production/integrations?state=inactive").await;
        assert!(list.text.contains(id.as_str()), "{}", list.text);
        let none = browser.get("/env/production/integrations?q=nobody").await;
        assert!(none.text.contains("Nothing fits"));
        let blocked = browser.post(&format!("{base}/sync"), &[]).await;
        assert_eq!(blocked.status, 409, "{}", blocked.text);
        browser.post(&format!("{base}/resume"), &[]).await;
        assert_eq!(read().await.status, IntegrationStatus::Active);
        browser.post(&format!("{base}/delete"), &[("confirm", "something else")]).await;
        assert!(read().await.deleted_at.is_none(), "its id was not typed");
        let gone = browser.post(&format!("{base}/delete"), &[("confirm", id)]).await;
        assert_eq!(gone.status, 303);
        assert!(read().await.deleted_at.is_some());
        assert_eq!(browser.get(&base).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn issues_are_answered_and_a_set_up_is_unlocked() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Support).await;
        let scope = app.integration(&app.tenant.hris).await;
        let base = format!("/env/production/integrations/{}", app.tenant.hris);
        let raise = async |kind, subject: &str| {
            let observed = Observed {
                kind,
                subject: subject.into(),
                message: "Was filled, came empty.".into(),
                hint: None,
            };
            app.store.integration_issue_raise(&scope, &observed).await.expect("a store");
        };
        raise(IntegrationIssueKind::FieldDegraded, "hris_employees.work_email").await;
        raise(IntegrationIssueKind::DropHeld, "hris_employees").await;
        let states = async || {
            let issues = app.store.integration_issues(&scope, 10).await.expect("a store");
            let mut states: Vec<_> =
                issues.into_iter().map(|i| (i.kind.as_str(), i.state)).collect();
            states.sort_by_key(|(kind, _)| *kind);
            states
        };
        let page = browser.get(&format!("{base}/issues")).await;
        for words in ["hris_employees.work_email", "Are the missing records gone?"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let overview = browser.get("/env/production").await;
        assert!(overview.text.contains("A field that was filled came empty"));
        let issues = app.store.integration_issues(&scope, 10).await.expect("a store");
        let field = issues.iter().find(|i| i.kind == IntegrationIssueKind::FieldDegraded);
        let one = format!("{base}/issues/{}", field.expect("an issue").id);
        browser.post(&one, &[("state", "accept")]).await;
        browser.post(&format!("{base}/drop/reject"), &[]).await;
        let expected = [
            ("integration.drop_held", IntegrationIssueState::Snoozed),
            ("integration.field_degraded", IntegrationIssueState::Accepted),
        ];
        assert_eq!(states().await, expected);
        browser.post(&one, &[("state", "reopen")]).await;
        assert_eq!(states().await[1].1, IntegrationIssueState::Open);
        browser.post(&format!("{base}/drop/accept"), &[]).await;
        let read = async || app.store.integration_get(&scope).await.expect("a store").expect("one");
        assert!(read().await.drop_accepted);

        app.store.integration_setup_status_set(&scope, SetupStatus::Incomplete).await.expect("ok");
        app.store.integration_qa_status_set(&scope, QaStatus::Failed).await.expect("ok");
        let locked = app.hris("/v1/hris/employees").await;
        locked.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);
        assert_eq!(browser.post(&format!("{base}/unlock"), &[]).await.status, 403, "an admin's");
        let admin = Browser::with_role(&app, Role::Admin).await;
        assert!(admin.get(&format!("{base}/issues")).await.text.contains("Force unlock"));
        admin.post(&format!("{base}/unlock"), &[]).await;
        assert_eq!(app.hris("/v1/hris/employees").await.status, 200);
        let audit = admin.get("/env/production/audit?act=integration").await;
        for words in ["integration.force-unlocked", "set-up INCOMPLETE", "admin@example.com"] {
            assert!(audit.text.contains(words), "{words}: {}", audit.text);
        }
        assert!(!audit.text.contains("issue.set"), "another kind of act");
    })
    .await;
}

#[tokio::test]
async fn a_scope_is_narrowed_and_holds_for_the_api() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let base = format!("/env/production/integrations/{}", app.tenant.hris);
        let form = [
            ("model", "hris_employees"),
            ("setting", "OPTIONAL"),
            ("shown", "ssn"),
            ("shown", "first_name"),
            ("shown", "nonsense"),
            ("field", "first_name"),
        ];
        assert_eq!(browser.post(&format!("{base}/scope"), &form).await.status, 303);
        let off = [("model", "hris_teams"), ("setting", "DISABLED")];
        browser.post(&format!("{base}/scope"), &off).await;
        let action = [("action", "hris_create_absence"), ("setting", "DISABLED")];
        browser.post(&format!("{base}/scope"), &action).await;
        assert_eq!(browser.post(&format!("{base}/scope"), &[("setting", "X")]).await.status, 404);
        let config = app.store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let employees = json!({"setting": "OPTIONAL", "fields": {"ssn": "DISABLED"}});
        assert_eq!(config.settings["models"]["hris_employees"], employees);
        assert_eq!(config.settings["actions"], json!({"hris_create_absence": "DISABLED"}));
        let refused = app.hris("/v1/hris/teams").await;
        refused.refused("hris", "INTEGRATION.MODEL_DISABLED", 403);
        let path = format!("/v1/integrations/{}", app.tenant.hris);
        let seen = app.request("GET", &path).key(&app.tenant.key).send().await;
        assert!(seen.json["data"]["data_expired_at"].is_string(), "{}", seen.text);
    })
    .await;
}

#[tokio::test]
async fn a_record_says_where_its_values_come_from() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let model = registry::model("hris_employees").expect("a model");
        let mut record = sample::record(model, "e-1", sample::Fill::Least);
        record.fields.set("work_email", Value::from("ada@acme.example"));
        let records: Vec<Mapped> = vec![record];
        app.sync(&app.tenant.hris, &records).await;
        let browser = Browser::with_role(&app, Role::Support).await;
        let base = format!("/env/production/integrations/{}/data", app.tenant.hris);
        assert!(browser.get(&base).await.text.contains("hris_employees"));
        let list = browser.get(&format!("{base}/hris_employees?q=ada@acme.example")).await;
        assert!(list.text.contains("e-1"), "{}", list.text);
        let none = browser.get(&format!("{base}/hris_employees?q=bob@acme.example")).await;
        assert!(none.text.contains("No record has exactly"), "{}", none.text);
        let id = between(&list, "/data/hris_employees/", "\"").to_owned();
        let page = browser.get(&format!("{base}/hris_employees/{id}")).await;
        for words in [
            "map/hris_employees.yaml:11",
            "work_email: .contact.work_email",
            "stream employees",
            "ada@acme.example",
        ] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        assert_eq!(browser.get(&format!("{base}/hris_employees/nothing")).await.status, 404);
        assert_eq!(browser.get(&format!("{base}/nothing")).await.status, 404);
        let admin = Browser::with_role(&app, Role::Admin).await;
        let audit = admin.get("/env/production/audit?act=record").await;
        let seen =
            audit.text.contains("record.viewed") && audit.text.contains("support@example.com");
        assert!(seen && !audit.text.contains("ada@acme.example"), "{}", audit.text);
        let reader = Browser::with_role(&app, Role::ReadOnly).await;
        assert_eq!(reader.get(&format!("{base}/hris_employees")).await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_is_added_tested_and_told_again() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let browser = Browser::with_role(&app, Role::Developer).await;
        let path = "/env/production/webhooks";
        let wrong = browser.post(path, &[("url", "ftp://example.com")]).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text);
        let form = [("url", receiver.url.as_str()), ("type", "sync-finished")];
        let made = browser.post(path, &form).await;
        let secret = between(&made, "id=\"secret\">", "<").to_owned();
        assert!(secret.starts_with("whsec_"), "{secret}");
        let endpoints = app.store.endpoint_list(&app.tenant.scope).await.expect("a store");
        let one = format!("{path}/{}", endpoints[0].id);
        let tested = browser.post(&format!("{one}/test"), &[]).await;
        assert!(tested.text.contains("The endpoint took the message"), "{}", tested.text);
        assert!(receiver.take()[0].is_signed_standard(&secret));
        receiver.script([Reply::status(500)]);
        let failed = browser.post(&format!("{one}/test"), &[]).await;
        assert!(failed.text.contains("badge bad\">500"), "{}", failed.text);
        let rotated = browser.post(&format!("{one}/rotate"), &[("hours", "1")]).await;
        let second = between(&rotated, "id=\"secret\">", "<").to_owned();
        assert_ne!(second, secret);
        receiver.take();
        browser.post(&format!("{one}/test"), &[]).await;
        let got = receiver.take();
        assert!(got[0].is_signed_standard(&second) && got[0].is_signed_standard(&secret));
        browser.post(&format!("{one}/pause"), &[]).await;
        assert!(browser.get(&one).await.text.contains("paused"));
        browser.post(&format!("{one}/resume"), &[]).await;
        browser.post(&format!("{one}/types"), &[("type", "data-changed")]).await;
        let shown = browser.get(&one).await;
        assert!(shown.text.contains("value=\"data-changed\" checked"), "{}", shown.text);
        let again = browser.post(&format!("{one}/replay"), &[("what", "failed")]).await;
        assert_eq!(again.status, 303);
        assert!(!browser.get(&one).await.text.contains(&second), "a secret is shown once");
        browser.post(&format!("{one}/delete"), &[]).await;
        assert_eq!(browser.get(&one).await.status, 404);
    })
    .await;
}
