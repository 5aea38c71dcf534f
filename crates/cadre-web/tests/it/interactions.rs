//! The log for software: filters, pages, and what one entry shows.

use std::collections::BTreeSet;

use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::actions::{Tools, applications, somebody};
use crate::app::{Answer, TestApp, on_both};

async fn log(app: &TestApp, query: &str) -> Answer {
    let path = format!("/v1/interactions{query}");
    app.request("GET", &path).key(&app.tenant.key).send().await
}

fn results(answer: &Answer) -> Vec<Value> {
    answer.json["data"]["results"].as_array().expect("results").clone()
}

#[tokio::test]
async fn the_log_is_listed_and_shown() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let apply = applications(&tools.job(&app, true).await);
        app.clock.advance(SignedDuration::from_hours(1));
        let down = json!({
            "match": { "method": "POST", "path": "/ats/v1/applications" },
            "fault": "status", "status": 503, "times": 0,
        });
        tools.order(&app, down).await;
        let failed = tools.ask(&app, ("POST", &apply), "", &somebody("down")).await;
        failed.refused("ats", "REMOTE.SERVICE_UNAVAILABLE", 500);
        let id = failed.header("x-cadre-interaction-id").expect("an id").to_owned();

        // Each filter finds it, and nothing else with it that does not belong.
        let found = log(&app, "?state=failed").await;
        assert_eq!(results(&found).len(), 1, "{}", found.text);
        for query in [
            "?type=action&state=failed".to_owned(),
            "?code=REMOTE.SERVICE_UNAVAILABLE".to_owned(),
            format!("?type=action&integration_id={}", tools.ats.replace(':', "%3A")),
            "?after=2026-03-01T12:30:00.000Z&state=failed".to_owned(),
        ] {
            let found = results(&log(&app, &query).await);
            assert_eq!(found.len(), 1, "{query}: {found:?}");
            assert_eq!(found[0]["id"], id.as_str(), "{query}");
            assert_eq!(found[0]["type"], "action");
        }
        assert!(results(&log(&app, "?before=2026-03-01T12:30:00Z&state=failed").await).is_empty());
        assert!(!results(&log(&app, "?type=sync&state=succeeded").await).is_empty());

        // Page by page, everything comes once.
        let all = results(&log(&app, "?page_size=250&before=2026-03-01T12:30:00Z").await);
        let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
        loop {
            let page =
                log(&app, &format!("?page_size=3&before=2026-03-01T12:30:00Z{cursor}")).await;
            for one in results(&page) {
                assert!(seen.insert(one["id"].as_str().expect("an id").to_owned()));
            }
            match page.json["data"]["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(seen.len() > 3 && seen.len() == all.len(), "{} of {}", seen.len(), all.len());

        let whole = log(&app, &format!("/{id}")).await;
        let one = &whole.json["data"];
        assert_eq!(one["failure"]["cause"], "vendor", "{}", whole.text);
        assert_eq!(one["failure"]["rule"], "default: status 503");
        assert_eq!(one["failure"]["who_must_act"], "wait");
        assert!(one["failure"]["next_step"].as_str().is_some_and(|words| words.contains("again")));
        assert_eq!(one["exchanges"].as_array().expect("exchanges").len(), 4);
        assert_eq!(one["exchanges"][0]["status"], 503);
        // The beginning, four attempts, the end.
        assert_eq!(one["timeline"].as_array().expect("moments").len(), 6);
        assert!(!whole.text.contains(&tools.sandbox.api_key));

        // Somebody else does not see it.
        let path = format!("/v1/interactions/{id}");
        let theirs = app.request("GET", &path).key(&app.other.key).send().await;
        theirs.refused("general", "PLATFORM.INPUT_INVALID", 400);
        let theirs = app.request("GET", "/v1/interactions?state=failed").key(&app.other.key);
        let theirs = results(&theirs.send().await);
        assert!(theirs.iter().all(|one| one["id"] != id.as_str()), "{theirs:?}");

        let wrong = log(&app, "?type=x&state=y&after=soon&cursor=z&page_size=0").await;
        let words = wrong.refused("general", "PLATFORM.INPUT_INVALID", 400);
        for name in ["type", "state", "after", "cursor", "page_size"] {
            assert!(words.contains(&format!("`query.{name}`")), "{words}");
        }
    })
    .await;
}
