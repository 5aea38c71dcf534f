//! What stands between a caller and the records, in its order.

use cadre_model::fault::{Code, Fault};
use cadre_store::{IntegrationStatus, RunEnd, RunKind, RunState, RunTrigger, SetupStatus};
use cadre_web::WebSettings;
use serde_json::json;

use crate::app::{TestApp, on_both};

const EMPLOYEES: &str = "/v1/hris/employees";

#[tokio::test]
async fn switched_off() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let path = format!("/v1/integrations/{}/enabled", app.tenant.hris);
        let switch = async |value: bool| {
            let call = app.request("PUT", &path).key(&app.tenant.key);
            let answer = call.json(&json!({ "value": value })).send().await;
            assert_eq!(answer.json, json!({"status": "success", "data": {}}), "{}", answer.text);
        };
        switch(false).await;
        app.hris(EMPLOYEES).await.refused("hris", "INTEGRATION.INACTIVE", 403);
        let sync = app.request("POST", "/v1/force-sync").key(&app.tenant.key);
        let sync = sync.integration(&app.tenant.hris).json(&json!({})).send().await;
        // A code that clients of this operation do not know: it is in the header alone.
        let message = sync.refused("general", "INTEGRATION.INACTIVE", 403);
        assert!(message.contains("switched off"), "{message}");
        assert!(sync.json["error"]["code"].is_null() && sync.json["error"]["title"].is_null());
        switch(true).await;
        assert_eq!(app.hris(EMPLOYEES).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn models_that_are_not_there_or_not_wanted() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let call = app.request("GET", EMPLOYEES).key(&app.tenant.key).integration(&app.tenant.ats);
        let answer = call.send().await;
        let message = answer.refused("hris", "INTEGRATION.MODEL_NOT_AVAILABLE", 400);
        assert!(message.contains("hris_employees") && message.contains("Sandbox"), "{message}");

        let config = app.store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let settings = json!({ "models": {
            "hris_teams": { "setting": "DISABLED" },
            "hris_employees": { "fields": { "ssn": "DISABLED", "work_email": "DISABLED" } },
        } });
        app.store
            .scope_config_update(&app.tenant.scope, &config.id, &settings)
            .await
            .expect("a store");
        app.hris("/v1/hris/groups").await.refused("hris", "INTEGRATION.MODEL_DISABLED", 403);
        assert_eq!(app.hris(EMPLOYEES).await.status, 200);

        let employees = cadre_model::registry::model("hris_employees").expect("a model");
        let record = crate::sample::record(employees, "1", crate::sample::Fill::Everything);
        app.sync(&app.tenant.hris, &[record]).await;
        let shown = app.hris(EMPLOYEES).await;
        let employee = &shown.json["data"]["results"][0];
        assert!(employee["ssn"].is_null() && employee["work_email"].is_null(), "{employee}");
        assert!(employee["first_name"].is_string());
        // What may not be read may not be searched either.
        let found = app.hris("/v1/hris/employees?work_emails=ann%40example.com").await;
        assert!(found.ids().is_empty(), "{}", found.text);
    })
    .await;
}

#[tokio::test]
async fn set_up_that_is_not_finished() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let scope = app.integration(&app.tenant.hris).await;
        let store = &app.store;
        store.integration_setup_status_set(&scope, SetupStatus::Incomplete).await.expect("a store");
        app.hris(EMPLOYEES).await.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);
        let pending = SetupStatus::FinalSyncPending;
        store.integration_setup_status_set(&scope, pending).await.expect("a store");
        app.hris(EMPLOYEES).await.refused("hris", "INTEGRATION.SETUP_SYNC_PENDING", 503);
    })
    .await;
}

#[tokio::test]
async fn a_first_sync_that_failed_says_why() {
    let settings = WebSettings { setup_status: 409, ..WebSettings::default() };
    on_both(settings, async |app: TestApp| {
        let scope = app.integration(&app.tenant.hris).await;
        let pending = SetupStatus::FinalSyncPending;
        app.store.integration_setup_status_set(&scope, pending).await.expect("a store");
        app.clock.advance(jiff::SignedDuration::from_secs(1));
        let queued =
            cadre_jobs::enqueue_sync(&app.store, &scope, RunKind::Full, RunTrigger::Setup).await;
        let run = queued.expect("a run").run_id;
        app.hris(EMPLOYEES).await.refused("hris", "INTEGRATION.SETUP_SYNC_PENDING", 409);
        let fault = Fault::new(Code::IntegrationAuthenticationInvalid, "The password is wrong.");
        let end = RunEnd {
            state: RunState::AuthenticationFailed,
            reason: Some("The password is wrong.".into()),
            fault: Some(fault),
            counts: json!({}),
        };
        app.store.run_start(&scope, &run).await.expect("a store");
        app.store.run_end(&scope, &run, end).await.expect("a store");
        let answer = app.hris(EMPLOYEES).await;
        let message = answer.refused("hris", "INTEGRATION.AUTHENTICATION_INVALID", 403);
        assert!(message.contains("The password is wrong."), "{message}");
    })
    .await;
}

#[tokio::test]
async fn invalid_credentials_leave_what_was_read_readable() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let scope = app.integration(&app.tenant.hris).await;
        let invalid = IntegrationStatus::Invalid;
        app.store.integration_status_set(&scope, invalid, Some("x")).await.expect("a store");
        assert_eq!(app.hris(EMPLOYEES).await.status, 200);
    })
    .await;
}
