//! Recent data only: a first sync that is bounded by a date, and what follows when the bound is lifted.

use cadre_jobs::connect::{Link, link};
use cadre_jobs::worker::drain;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{EndUser, RunKind, RunTrigger};
use cadre_web::WebSettings;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::app::{TestApp, on_both};

async fn linked(app: &TestApp, sandbox: &Running) -> String {
    let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.api_key });
    let new = Link {
        tool: "sandboxats".into(),
        category: None,
        suffix: None,
        end_user: EndUser::default(),
        form: form.as_object().expect("an object").clone(),
        mapping: None,
        check: true,
    };
    link(&app.state.parts, &app.tenant.scope, new).await.expect("an integration").0.id
}

/// Remote id and time of change of every record of a list.
async fn all(app: &TestApp, integration: &str, list: &str) -> Vec<(String, String)> {
    let path = format!("/v1/ats/{list}?page_size=250");
    let answer = app.request("GET", &path).key(&app.tenant.key).integration(integration).send();
    let answer = answer.await;
    let records = answer.json["data"]["results"].as_array().expect("records").clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<(String, String)> = records
        .iter()
        .map(|one| (text(&one["remote_updated_at"]), text(&one["remote_id"])))
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn old_records_are_left_out_until_the_bound_is_lifted() {
    on_both(WebSettings::default(), async |app| {
        let options =
            SandboxOptions { candidates: 60, jobs: 4, employees: 1, ..Default::default() };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let whole = linked(&app, &sandbox).await;
        drain(&app.state.parts).await.expect("a sync");
        let everybody = all(&app, &whole, "candidates").await;
        assert_eq!(everybody.len(), 60);
        // Just before the last dozen changed.
        let recent: Timestamp = everybody[48].0.parse().expect("a moment");
        let bound = recent.as_millisecond() - 1_000;
        let expected: Vec<_> = everybody
            .iter()
            .filter(|(at, _)| at.parse::<Timestamp>().expect("a moment").as_millisecond() >= bound)
            .cloned()
            .collect();

        let bounded = linked(&app, &sandbox).await;
        let scope = app.integration(&bounded).await;
        app.store.integration_recent_set(&scope, Some(bound)).await.expect("a store");
        drain(&app.state.parts).await.expect("a sync");
        assert_eq!(all(&app, &bounded, "candidates").await, expected);
        // What cannot be bounded is whole.
        let jobs = all(&app, &whole, "jobs").await;
        assert_eq!(all(&app, &bounded, "jobs").await, jobs);

        // A second reading with the bound proves nothing about what it leaves out.
        let full = RunKind::Full;
        app.clock.advance(SignedDuration::from_mins(5));
        let by = RunTrigger::ForceSync;
        cadre_jobs::enqueue_sync(&app.store, &scope, full, by).await.expect("a run");
        drain(&app.state.parts).await.expect("a sync");
        assert_eq!(all(&app, &bounded, "candidates").await, expected);

        app.store.integration_recent_set(&scope, None).await.expect("a store");
        app.clock.advance(SignedDuration::from_hours(4));
        cadre_jobs::sync::plan::enqueue_due(&app.state.parts).await.expect("a store");
        drain(&app.state.parts).await.expect("a sync");
        assert_eq!(all(&app, &bounded, "candidates").await, everybody);
        sandbox.stop().await;
    })
    .await;
}
