//! What actions leave behind: an issue where they keep failing, and nothing that is switched off.

use cadre_jobs::worker::drain;
use cadre_store::{IntegrationIssueKind, IntegrationIssueState};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::json;

use crate::actions::{Tools, applications, somebody};
use crate::app::{TestApp, on_both};

#[tokio::test]
async fn an_action_that_keeps_failing_is_an_issue() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let scope = app.integration(&tools.ats).await;
        let state = async || {
            let issues = app.store.integration_issues(&scope, 100).await.expect("a store");
            let kind = IntegrationIssueKind::ActionFailing;
            let found = issues.into_iter().find(|one| one.kind == kind);
            found.map(|one| (one.state, one.subject))
        };
        let closed = applications(&tools.job(&app, false).await);
        for at in 0..5 {
            assert_eq!(state().await, None, "four are too few");
            let body = somebody(&format!("nobody{at}"));
            let answer = tools.ask(&app, ("POST", &closed), "", &body).await;
            assert!(answer.status.as_u16() >= 400, "{}", answer.text);
        }
        let (open, subject) = state().await.expect("an issue");
        assert_eq!(open, IntegrationIssueState::Open);
        // What we refuse ourselves does not count, and what goes well does.
        tools.ask(&app, ("POST", &closed), "", &json!({})).await;
        let path = applications(&tools.job(&app, true).await);
        for at in 0..6 {
            let answer =
                tools.ask(&app, ("POST", &path), "", &somebody(&format!("body{at}"))).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert_eq!(state().await, Some((IntegrationIssueState::Resolved, subject)));
        app.clock.advance(SignedDuration::from_hours(25));
        drain(&app.state.parts).await.expect("the jobs are done");
        tools.sandbox.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_switched_off_is_not_learned_from_an_action() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let store = &app.store;
        let config = store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let set = async |setting: &str| {
            let wish = json!({"models": {"ats_candidates": {
                "setting": "ENABLED", "fields": {"last_name": setting},
            }}});
            store.scope_config_update(&app.tenant.scope, &config.id, &wish).await.expect("a store");
        };
        set("DISABLED").await;
        let path = applications(&tools.job(&app, true).await);
        let answer = tools.ask(&app, ("POST", &path), "", &somebody("hidden")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        set("ENABLED").await;
        let id = answer.json["data"]["candidate"]["id"].as_str().expect("an id").to_owned();
        let candidate = &tools.list(&app, &format!("/v1/ats/candidates?ids={id}")).await[0];
        assert_eq!(candidate["first_name"], "Ada", "{candidate}");
        assert!(candidate["last_name"].is_null(), "it was stored although it was switched off");
        tools.sandbox.stop().await;
    })
    .await;
}
