//! Job feeds, career sites and postings, as callers fill and read them.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use cadre_store::BeginImport;
use cadre_web::{WebSettings, router};
use futures::StreamExt as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::contract::{assert_event, assert_valid};

const TYPE: &str = "application/x-ndjson";

/// A line of a feed.
fn line(number: usize, label: &str) -> String {
    json!({ "url": format!("https://jobs.example/{number}"), "career_site_label": label })
        .to_string()
}

impl TestApp {
    /// Asks as the tenant.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let call = self.request(method, &format!("/v1/ai-apply{path}")).key(&self.tenant.key);
        match method {
            "GET" => call.send().await,
            _ => call.json(body).send().await,
        }
    }

    /// Asks as the tenant, and holds the answer against the contract.
    pub async fn told(&self, method: &str, path: &str, of: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        assert_valid(&method.to_lowercase(), &format!("/ai-apply{of}"), &answer.json);
        answer.json["data"].clone()
    }

    pub async fn feed(&self) -> String {
        let feed =
            self.told("POST", "/job-feeds", "/job-feeds", &json!({ "label": "Board" })).await;
        feed["id"].as_str().expect("an id").to_owned()
    }

    pub async fn import(&self, feed: &str, body: impl Into<Body>) -> Answer {
        let path = format!("/v1/ai-apply/job-feeds/{feed}/bulk-import");
        let call = self.request("POST", &path).key(&self.tenant.key).header("content-type", TYPE);
        call.raw(body).send().await
    }

    /// The postings by the ends of their URLs.
    async fn postings(&self, query: &str) -> Vec<(String, String)> {
        let path = format!("/postings?page_size=250{query}");
        let list = self.told("GET", &path, "/postings", &Value::Null).await;
        let mut all: Vec<(String, String)> = list["results"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| {
                let url = one["url"].as_str().expect("a URL");
                let end = url.rsplit('/').next().expect("an end").to_owned();
                (end, one["availability"].as_str().expect("a word").to_owned())
            })
            .collect();
        all.sort();
        all
    }
}

fn counts(answer: &Answer) -> [i64; 3] {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_valid("post", "/ai-apply/job-feeds/{job_feed_id}/bulk-import", &answer.json);
    ["created", "processed", "archived"]
        .map(|name| answer.json["data"][name].as_i64().expect("a number"))
}

#[tokio::test]
async fn an_import_makes_updates_and_takes_down() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let feed = app.feed().await;
        let first =
            format!("{}\n{}\n\n{}\n{}", line(1, "A"), line(2, "A"), line(3, "B"), line(3, "B"));
        assert_eq!(counts(&app.import(&feed, first).await), [3, 4, 0]);
        let pending = |ends: &[&str]| -> Vec<(String, String)> {
            ends.iter().map(|end| ((*end).to_owned(), "PENDING".to_owned())).collect()
        };
        assert_eq!(app.postings("").await, pending(&["1", "2", "3"]));
        let sites = app.told("GET", "/career-sites", "/career-sites", &Value::Null).await;
        let mut labels: Vec<&str> = sites["results"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["label"].as_str())
            .collect();
        labels.sort_unstable();
        assert_eq!(labels, ["A", "B"]);
        app.clock.advance(SignedDuration::from_secs(60));
        let between = app.clock_text();
        app.clock.advance(SignedDuration::from_secs(60));
        // The same job with a code is another posting: three things make one.
        let coded =
            json!({ "url": "https://jobs.example/1", "career_site_label": "A", "job_code": "x" });
        let second = format!("{}\n{}\n{coded}", line(1, "A"), line(3, "B"));
        assert_eq!(counts(&app.import(&feed, second.clone()).await), [1, 3, 1]);
        let all = app.postings("").await;
        assert_eq!(all.iter().filter(|(_, state)| state == "ARCHIVED").count(), 1);
        assert_eq!(app.postings("&job_codes=x").await, pending(&["1"]));
        let changed = app.postings(&format!("&updated_after={between}")).await;
        assert_eq!(changed, [("1".into(), "PENDING".into()), ("2".into(), "ARCHIVED".into())]);
        // Again the same: nothing moves. Then what was taken down comes back.
        assert_eq!(counts(&app.import(&feed, second).await), [0, 3, 0]);
        assert_eq!(counts(&app.import(&feed, line(2, "A")).await), [0, 1, 3]);
        // Another feed is another source.
        let other = app.feed().await;
        assert_eq!(counts(&app.import(&other, line(2, "A")).await), [1, 1, 0]);
        assert_eq!(counts(&app.import(&other, "\n").await), [0, 0, 1]);
        let events =
            app.request("GET", "/v1/events?page_size=250").key(&app.tenant.key).send().await;
        let events = events.json["data"]["results"].as_array().expect("a list").clone();
        let of = |name: &str| {
            events.iter().filter(|one| one["type"] == name).cloned().collect::<Vec<_>>()
        };
        assert_eq!(of("ai-apply-data-changed").len(), 6);
        let archived = of("ai-apply-job-posting-status-updated");
        assert_eq!(archived.len(), 5);
        for event in archived.iter().chain(&of("ai-apply-data-changed")) {
            assert_event(event);
        }
        assert_eq!(archived[0]["data"]["archived_reason"], "REMOVED_FROM_JOB_FEED");
    })
    .await;
}

impl TestApp {
    fn clock_text(&self) -> String {
        use cadre_model::time::Clock as _;
        cadre_model::time::wire(self.clock.now_ms())
    }
}

#[tokio::test]
async fn bad_lines_are_named_and_change_nothing() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let feed = app.feed().await;
        assert_eq!(counts(&app.import(&feed, line(1, "A")).await), [1, 1, 0]);
        let mut text =
            format!("{}\nnull\n{}\n", line(2, "A"), json!({ "url": "jobs", "location": {} }));
        for _ in 0..40 {
            text.push_str("{}\n");
        }
        let refused = app.import(&feed, text).await;
        let words = refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        for part in [
            "line 2: expected a JSON object",
            "line 3: `url`: expected an http",
            "line 3: `career_site_label`",
            "line 3: `location.country`",
            "line 4: `url`",
            "; and 64 more",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(refused.json["error"]["log_url"].as_str().is_some());
        for empty in ["", "\u{feff}"] {
            let refused = app.import(&feed, empty).await;
            assert!(empty == "\u{feff}" || refused.status == 400, "{}", refused.text);
        }
        let wrong = app.ask("POST", &format!("/job-feeds/{feed}/bulk-import"), &json!({})).await;
        assert!(wrong.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains(TYPE));
        let nobody = app.import("nobody", line(1, "A")).await;
        assert!(
            nobody.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains("path.job_feed_id")
        );
        // Somebody else's feed is nobody's.
        let path = format!("/v1/ai-apply/job-feeds/{feed}/bulk-import");
        let call = app.request("POST", &path).key(&app.other.key).header("content-type", TYPE);
        call.raw(line(1, "A")).send().await.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        let imports = app.store.feed_import_list(&app.tenant.scope, Some(&feed), 9).await;
        let states: Vec<String> =
            imports.expect("a store").iter().map(|one| one.state.to_string()).collect();
        assert_eq!(states.iter().filter(|state| *state == "running").count(), 0, "{states:?}");
    })
    .await;
}

#[tokio::test]
async fn one_import_at_a_time() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let feed = app.feed().await;
        // A process that was killed in the middle of an import still holds the feed for a while.
        let begun = app.store.feed_import_begin(&app.tenant.scope, &feed, 30_000).await;
        assert!(matches!(begun, Ok(BeginImport::Begun(_))));
        let second = app.import(&feed, line(1, "A")).await;
        let code = "AI_APPLY.JOB_FEED_IMPORT_ALREADY_RUNNING";
        second.refused("ai-apply", code, 409);
        assert_eq!(second.json["error"]["title"], "This job feed already has a running import.");
        assert_eq!(second.header("retry-after"), Some("30"));
        let other = app.feed().await;
        assert_eq!(counts(&app.import(&other, line(1, "A")).await), [1, 1, 0]);
        app.clock.advance(SignedDuration::from_secs(31));
        assert_eq!(counts(&app.import(&feed, line(1, "A")).await), [1, 1, 0]);
        let imports = app.store.feed_import_list(&app.tenant.scope, Some(&feed), 9).await;
        let states: Vec<String> =
            imports.expect("a store").iter().map(|one| one.state.to_string()).collect();
        assert_eq!(states, ["done", "broken"]);
    })
    .await;
}

#[tokio::test]
async fn an_import_that_takes_too_long_changes_nothing() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let feed = app.feed().await;
        let time = Duration::from_millis(300);
        let slow =
            router(app.replica(WebSettings::default(), |jobs| jobs.apply.import_timeout = time));
        let lines: Vec<Bytes> =
            (0..3).map(|number| format!("{}\n", line(number, "A")).into()).collect();
        let body = futures::stream::iter(lines).then(async |part| {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok::<Bytes, Infallible>(part)
        });
        let path = format!("/v1/ai-apply/job-feeds/{feed}/bulk-import");
        let call = app.request("POST", &path).key(&app.tenant.key).header("content-type", TYPE);
        let late = call.raw(Body::from_stream(body)).to(&slow).send().await;
        late.refused("ai-apply", "AI_APPLY.JOB_FEED_IMPORT_TIMED_OUT", 504);
        assert_eq!(late.json["error"]["title"], "The job feed import timed out.");
        assert_eq!(app.postings("").await, []);
        // The feed is free again at once.
        assert_eq!(counts(&app.import(&feed, line(1, "A")).await), [1, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn an_import_larger_than_what_is_taken_is_refused() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let feed = app.feed().await;
        let small =
            router(app.replica(WebSettings::default(), |jobs| jobs.apply.import_bytes = 1_000));
        let mut text = String::new();
        for number in 0..100 {
            let _ = writeln!(text, "{}", line(number, "A"));
        }
        let path = format!("/v1/ai-apply/job-feeds/{feed}/bulk-import");
        let call = app.request("POST", &path).key(&app.tenant.key).header("content-type", TYPE);
        let refused = call.raw(text).to(&small).send().await;
        assert!(refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains("1000 bytes"));
    })
    .await;
}

#[tokio::test]
async fn postings_by_hand() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let site = |label: &str| json!({ "label": label });
        let first = app.told("POST", "/career-sites", "/career-sites", &site("X")).await;
        let again = app.told("POST", "/career-sites", "/career-sites", &site("X")).await;
        assert_ne!(first["id"], again["id"], "labels are not unique");
        let mut body = json!({
            "url": "https://x.example/job?id=1", "career_site_id": first["id"], "location": { "country": "DE" },
        });
        let made = app.told("POST", "/postings", "/postings", &body).await;
        assert_eq!(made["availability"], "PENDING");
        let twice = app.ask("POST", "/postings", &body).await;
        let words = twice.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains(made["id"].as_str().expect("an id")), "{words}");
        body["career_site_id"] = again["id"].clone();
        app.told("POST", "/postings", "/postings", &body).await;
        let wrong = json!({
            "url": "ftp://x", "career_site_id": "nobody", "job_code": 7, "location": { "country": "XX" },
        });
        let refused = app.ask("POST", "/postings", &wrong).await;
        let words = refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        for name in ["url", "career_site_id", "job_code", "location"] {
            assert!(words.contains(&format!("`body.{name}`: expected ")), "{name}: {words}");
        }
        let of = "/postings/{posting_id}/parse";
        let path = format!("/postings/{}/parse", made["id"].as_str().expect("an id"));
        app.told("POST", &path, of, &json!({})).await;
        let nobody = app.ask("POST", "/postings/nobody/parse", &json!({})).await;
        nobody.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        // Pages of one, and a cursor that fits only where it came from.
        let page = app.told("GET", "/postings?page_size=1", "/postings", &Value::Null).await;
        let next = page["next"].as_str().expect("a cursor");
        let path = format!("/postings?page_size=1&cursor={next}");
        let rest = app.told("GET", &path, "/postings", &Value::Null).await;
        assert_eq!(rest["next"], Value::Null);
        assert_ne!(rest["results"][0]["id"], page["results"][0]["id"]);
        let foreign = app.ask("GET", &format!("/career-sites?cursor={next}"), &Value::Null).await;
        foreign.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        let wrong = app.ask("GET", "/postings?page_size=251&ids=x&updated_after=now", &Value::Null).await;
        let words = wrong.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        for name in ["page_size", "ids", "updated_after"] {
            assert!(words.contains(&format!("`query.{name}`")), "{name}: {words}");
        }
        let theirs = app.request("GET", "/v1/ai-apply/postings").key(&app.other.key).send().await;
        assert_eq!(theirs.ids(), Vec::<&str>::new());
        let none = app.told("GET", "/applications", "/applications", &Value::Null).await;
        assert_eq!(none["results"], json!([]));
    })
    .await;
}
