//! Events, as those who read the ledger and those who are told meet them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cadre_connector::{Wire, WireOptions};
use cadre_jobs::connect::{Link, link};
use cadre_jobs::webhooks::drain;
use cadre_model::mapped::Mapped;
use cadre_model::registry;
use cadre_store::{
    EndUser, EventType, IntegrationIssueKind, InteractionFilter, InteractionKind, NewEvent,
    Observed, Turn, UNNAMED_MODELS,
};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{TestApp, on_both};
use crate::contract::{CONTRACT, assert_event};
use crate::receiver::{Receiver, Reply};
use crate::sample::{Fill, record};

const PUBLIC_URL: &str = "http://localhost:8080";

/// An endpoint that was made by the API.
struct Hook {
    id: String,
    secret: String,
}

impl TestApp {
    async fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.request(method, path).key(&self.tenant.key).json(body).send().await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        answer.json["data"].clone()
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.request("GET", path).key(&self.tenant.key).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json["data"].clone()
    }

    async fn hook(&self, url: &str, more: Value) -> Hook {
        let mut body = json!({ "url": url });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        let made = self.api("POST", "/v1/webhook-endpoints", &body).await;
        let text = |name: &str| made[name].as_str().expect(name).to_owned();
        Hook { id: text("id"), secret: text("secret") }
    }

    /// Events of made-up causes, one for each subject that is named.
    async fn happen(&self, subjects: &[&str]) {
        let events: Vec<NewEvent> = subjects.iter().map(|subject| event(subject)).collect();
        self.store.events_append(&self.tenant.scope, &events).await.expect("a store");
    }

    async fn deliver(&self) {
        drain(&self.state.parts, PUBLIC_URL).await.expect("a store");
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    async fn deliveries(&self, hook: &Hook) -> Vec<Value> {
        let list = self.read(&format!("/v1/webhook-endpoints/{}/deliveries", hook.id)).await;
        let mut list = list["results"].as_array().expect("a list").clone();
        list.reverse();
        list
    }
}

fn event(subject: &str) -> NewEvent {
    NewEvent {
        event_type: EventType::DataChanged,
        integration_id: Some(subject.to_owned()),
        subject: Some(subject.to_owned()),
        payload: json!({ "integration_id": subject }),
    }
}

fn employees() -> Vec<Mapped> {
    let model = registry::model("hris_employees").expect("a model");
    ["1", "2", "3"].map(|id| record(model, id, Fill::Least)).into()
}

fn sequences(got: &[crate::receiver::Got]) -> Vec<i64> {
    got.iter().map(crate::receiver::Got::sequence).collect()
}

/// The subject of each message, with its number.
fn by_subject(got: &[crate::receiver::Got]) -> BTreeMap<String, Vec<i64>> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for one in got {
        let subject = one.json["data"]["integration_id"].as_str().expect("a subject");
        found.entry(subject.to_owned()).or_default().push(one.sequence());
    }
    found
}

#[test]
fn every_model_has_a_name_in_events() {
    let names = CONTRACT["components"]["schemas"]["ChangedModel"].to_string();
    for model in registry::models() {
        let named = names.contains(&format!("\"{}\"", model.id));
        assert!(named != UNNAMED_MODELS.contains(&model.id), "{}", model.id);
    }
}

#[tokio::test]
async fn the_ledger_holds_the_life_of_an_integration() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let before = app.read("/v1/events?page_size=1").await["last_sequence"].clone();
        let before = before.as_i64().expect("a number");
        let hris = app.tenant.hris.clone();
        app.later(1);
        app.sync(&hris, &employees()).await;
        app.later(1);
        // The same once more: nothing changed.
        app.sync(&hris, &employees()).await;
        let refused = link(
            &app.state.parts,
            &app.tenant.scope,
            Link {
                tool: "sandboxats".into(),
                category: None,
                suffix: None,
                end_user: EndUser { organization_name: "Acme".into(), ..EndUser::default() },
                form: json!({ "base_url": "http://127.0.0.1:1", "api_key": "k" })
                    .as_object()
                    .expect("an object")
                    .clone(),
                mapping: None,
                check: true,
            },
        );
        refused.await.expect_err("nothing listens there");
        let enabled = format!("/v1/integrations/{hris}/enabled");
        app.api("PUT", &enabled, &json!({ "value": false })).await;
        app.api("PUT", &enabled, &json!({ "value": false })).await;
        let scope = app.integration(&hris).await;
        let observed = Observed {
            kind: IntegrationIssueKind::SyncFailing,
            subject: String::new(),
            message: "It failed.".into(),
            hint: Some("Look.".into()),
        };
        for _ in 0..2 {
            app.store.integration_issue_raise(&scope, &observed).await.expect("a store");
        }
        for _ in 0..2 {
            let over = app.store.integration_issue_resolve(&scope, observed.kind, "").await;
            over.expect("a store");
        }
        let delete = format!("/v1/integrations/{hris}");
        app.api("DELETE", &delete, &json!({})).await;
        app.request("DELETE", &delete).key(&app.tenant.key).json(&json!({})).send().await;

        let ledger = app.read(&format!("/v1/events?after={before}")).await;
        let events = ledger["results"].as_array().expect("a list");
        let types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
        let expected = [
            "data-changed",
            "sync-finished",
            "sync-finished",
            "connection-flow-failed",
            "integration-state-changed",
            "issue-status-changed",
            "issue-status-changed",
            "integration-deleted",
        ];
        assert_eq!(types, expected);
        assert_eq!(events[4]["data"]["state"], "INACTIVE");
        assert_eq!(events[5]["data"]["change"], "raised");
        assert_eq!(events[6]["data"]["issue"]["status"], "RESOLVED");
        let mut expected = before;
        for event in events {
            expected += 1;
            assert_eq!(event["sequence"], expected);
            assert_event(event);
        }
        assert_eq!(events[0]["data"]["changed_models"], json!([{ "name": "hris_employees" }]));
        assert_eq!(events[1]["data"]["sync_state"], "SUCCEEDED");
        let url = events[3]["data"]["log_url"].as_str().expect("a URL");
        assert!(url.starts_with("http://localhost:8080/logs/"), "{url}");
        assert_eq!(ledger["last_sequence"], expected);

        // The first events are those of the links; page by page nothing is left out.
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let page = app.read(&format!("/v1/events?after={after}&page_size=2")).await;
            all.extend(page["results"].as_array().expect("a list").clone());
            match page["next"].as_i64() {
                Some(next) => after = next,
                None => break,
            }
        }
        let numbers: Vec<i64> = all.iter().filter_map(|event| event["sequence"].as_i64()).collect();
        assert_eq!(numbers, (1..=expected).collect::<Vec<_>>());
        assert_eq!(all[0]["type"], "integration-created");
        assert_event(&all[0]);
        let only = app.read("/v1/events?types=integration-deleted").await;
        assert_eq!(only["results"].as_array().expect("a list").len(), 1);
        // Somebody else's ledger is another one.
        let theirs = app.request("GET", "/v1/events").key(&app.other.key).send().await;
        assert!(!theirs.text.contains(&hris), "{}", theirs.text);
        let wrong = app.request("GET", "/v1/events?after=x&types=y").key(&app.tenant.key);
        let words = wrong.send().await;
        let words = words.refused("general", "PLATFORM.INPUT_INVALID", 400);
        assert!(words.contains("query.after") && words.contains("query.types"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn messages_are_signed_and_numbered() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({ "after": 0 })).await;
        let some = json!({ "types": ["integration-created"], "sequence_in_body": false });
        let exact = app.hook(&format!("{}/exact", receiver.url), some).await;
        app.happen(&["a", "b", "a"]).await;
        app.deliver().await;
        let got = receiver.take();
        let mut numbers = sequences(&got);
        numbers.sort_unstable();
        let all = app.read("/v1/events").await["last_sequence"].as_i64().expect("a number");
        assert_eq!(numbers, (1..=all).collect::<Vec<_>>());
        let ids: BTreeSet<&str> = got.iter().map(|one| one.header("webhook-id")).collect();
        assert_eq!(ids.len(), got.len());
        for one in &got {
            assert!(one.is_signed(&hook.secret), "{one:?}");
            assert!(one.is_signed_standard(&hook.secret), "{one:?}");
            assert!(!one.is_signed(&exact.secret) && !one.is_signed_standard(&exact.secret));
            assert_eq!(one.header("content-type"), "application/json");
            let keys: Vec<&String> = one.json.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["id", "type", "sequence", "data"]);
            let id = format!("{}-{}", one.json["id"].as_str().expect("an id"), one.sequence());
            assert_eq!(one.header("webhook-id"), id);
        }
        let own = app.read(&format!("/v1/webhook-endpoints/{}", hook.id)).await;
        assert_eq!((&own["last_sequence"], &own["read_through"]), (&json!(all), &json!(all)));
        assert_eq!(own["secret"], Value::Null);

        // Only what it wants, from now on, without a further member.
        let scope = app.tenant.scope.clone();
        let other = NewEvent { event_type: EventType::IntegrationCreated, ..event("c") };
        app.store.events_append(&scope, &[event("d"), other]).await.expect("a store");
        app.deliver().await;
        let got = receiver.take();
        let exact: Vec<_> = got.iter().filter(|one| one.path == "/hook/exact").collect();
        assert_eq!(exact.len(), 1, "{exact:?}");
        assert!(exact[0].header("webhook-id").ends_with("-1"));
        assert!(exact[0].json["sequence"].is_null());
        // A receiver that does not know the member sees the contract and nothing else.
        assert_eq!(got.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_failed_is_tried_again_and_keeps_its_place() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        receiver
            .rule(|got| (got.json["data"]["integration_id"] == "a").then(|| Reply::status(500)));
        app.happen(&["a", "b", "a", "b", "a"]).await;
        app.deliver().await;
        let got = by_subject(&receiver.take());
        assert_eq!(got["a"], [1], "the second waits for the first");
        assert_eq!(got["b"], [2, 4]);
        let first = &app.deliveries(&hook).await[0];
        assert_eq!(first["attempts"], 1);
        assert_eq!(first["last_status"], 500);
        assert_eq!(first["state"], "pending");
        app.deliver().await;
        assert!(receiver.take().is_empty(), "not before its time");
        app.later(10);
        receiver.no_rule();
        app.deliver().await;
        assert_eq!(by_subject(&receiver.take())["a"], [1, 3, 5]);
        let first = &app.deliveries(&hook).await[0];
        assert_eq!((&first["state"], &first["attempts"]), (&json!("delivered"), &json!(2)));

        // Both attempts stand in one log, without what would let somebody repeat them.
        let filter = InteractionFilter {
            kind: Some(InteractionKind::WebhookOut),
            limit: 10,
            ..InteractionFilter::default()
        };
        let log = app.store.interaction_list(&app.tenant.scope, &filter).await.expect("a store");
        assert_eq!(log.len(), 5);
        let url = first["log_url"].as_str().expect("a URL");
        let id = url.rsplit('/').next().expect("an id");
        let exchanges = app.store.exchange_list(&app.tenant.scope, id).await.expect("a store");
        let statuses: Vec<_> = exchanges.iter().map(|row| row.status).collect();
        assert_eq!(statuses, [Some(500), Some(200)]);
        assert_eq!(exchanges[0].request_headers["x-kombo-signature"], "[redacted]");
        let interaction = app.store.interaction_get(&app.tenant.scope, id).await.expect("a store");
        assert_eq!(interaction.expect("there").code, None, "it ended well");
    })
    .await;
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        app.hook(&receiver.url, json!({})).await;
        receiver.script([Reply::Status(429, vec![("retry-after", "120".into())], String::new())]);
        app.happen(&["a"]).await;
        app.deliver().await;
        assert_eq!(receiver.take().len(), 1);
        app.happen(&["b", "c"]).await;
        app.later(119);
        app.deliver().await;
        assert!(receiver.take().is_empty(), "the pause is for everything");
        app.later(2);
        app.deliver().await;
        let mut numbers = sequences(&receiver.take());
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
    })
    .await;
}

#[tokio::test]
async fn answers_that_are_no_success() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        let elsewhere = receiver.url.replace("/hook", "/elsewhere");
        let cases = [
            (Reply::Status(302, vec![("location", elsewhere)], String::new()), "redirect"),
            (Reply::Drip, "did not answer within 1 s"),
            (Reply::Status(200, Vec::new(), "x".repeat(100_000)), "more than 65536 bytes"),
            (Reply::Status(403, Vec::new(), "no".into()), "refused the message"),
            (Reply::status(404), "answered 404"),
        ];
        app.happen(&["a"]).await;
        for (attempts, (reply, words)) in (1..).zip(cases) {
            receiver.script([reply]);
            app.deliver().await;
            let got = receiver.take();
            assert_eq!(got.len(), 1, "{words}");
            assert_eq!(got[0].path, "/hook", "{words}");
            let delivery = &app.deliveries(&hook).await[0];
            let error = delivery["last_error"].as_str().expect("an error");
            assert!(error.contains(words), "{error}");
            assert_eq!(delivery["attempts"], attempts);
            app.later(3_600 * 2);
        }
        app.deliver().await;
        assert_eq!(app.deliveries(&hook).await[0]["state"], "delivered");
    })
    .await;
}

#[tokio::test]
async fn private_addresses_are_not_asked() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        app.happen(&["a"]).await;
        let mut parts = app.state.parts.clone();
        parts.http = Arc::new(Wire::new(WireOptions::default()).expect("a client"));
        drain(&parts, PUBLIC_URL).await.expect("a store");
        assert!(receiver.take().is_empty());
        let error = app.deliveries(&hook).await[0]["last_error"].clone();
        assert!(error.as_str().expect("an error").contains("not a public address"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_paused_endpoint_loses_nothing() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}", hook.id);
        app.happen(&["a", "b"]).await;
        app.api("PATCH", &path, &json!({ "state": "paused" })).await;
        app.deliver().await;
        app.happen(&["a", "b", "a"]).await;
        app.later(40 * 24 * 3_600);
        app.deliver().await;
        assert!(receiver.take().is_empty());
        app.api("PATCH", &path, &json!({ "state": "enabled" })).await;
        app.deliver().await;
        let got = by_subject(&receiver.take());
        assert_eq!(got["a"], [1, 3, 5]);
        assert_eq!(got["b"], [2, 4]);

        // One that is gone is disabled, and its events wait too.
        receiver.script([Reply::status(410)]);
        app.happen(&["a"]).await;
        app.deliver().await;
        let gone = app.read(&path).await;
        assert_eq!(gone["state"], "disabled");
        assert!(gone["state_reason"].as_str().expect("a reason").contains("410"), "{gone}");
        app.happen(&["b"]).await;
        app.later(3_600);
        app.deliver().await;
        assert_eq!(sequences(&receiver.take()), [6], "the one that was answered with 410");
        app.api("PATCH", &path, &json!({ "state": "enabled" })).await;
        app.deliver().await;
        let mut numbers = sequences(&receiver.take());
        numbers.sort_unstable();
        assert_eq!(numbers, [6, 7]);
    })
    .await;
}

#[tokio::test]
async fn what_was_told_is_told_again() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        app.happen(&["early"]).await;
        let early = app.read("/v1/events").await["last_sequence"].as_i64().expect("a number");
        let hook = app.hook(&receiver.url, json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}/replay", hook.id);
        app.happen(&["a", "b", "a"]).await;
        app.deliver().await;
        let mut first = receiver.take();
        first.sort_by_key(crate::receiver::Got::sequence);
        // The receiver has a gap: numbers 2 to 3.
        let done = app.api("POST", &path, &json!({ "from_sequence": 2, "to_sequence": 3 })).await;
        assert_eq!(done["replayed"], 2);
        app.deliver().await;
        let mut again = receiver.take();
        again.sort_by_key(crate::receiver::Got::sequence);
        assert_eq!(again.len(), 2);
        for (one, other) in first[1..].iter().zip(&again) {
            assert_eq!(one.raw, other.raw);
            assert_eq!(one.header("webhook-id"), other.header("webhook-id"));
        }
        // From the ledger: what it was never told gets the next numbers.
        let done = app.api("POST", &path, &json!({ "after": early - 1 })).await;
        assert_eq!((&done["replayed"], &done["new"]), (&json!(3), &json!(1)), "{done}");
        app.deliver().await;
        let got = by_subject(&receiver.take());
        assert_eq!(got["early"], [4]);
        assert_eq!(got["a"], [1, 3]);
        let none = app.api("POST", &path, &json!({ "failed": true })).await;
        assert_eq!(none["replayed"], 0);
        let wrong = app.request("POST", &path).key(&app.tenant.key).json(&json!({})).send().await;
        wrong.refused("general", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn two_secrets_count_for_a_while() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}/rotate-secret", hook.id);
        let new = app.api("POST", &path, &json!({ "keep_old_hours": 2 })).await;
        let new = new["secret"].as_str().expect("a secret").to_owned();
        app.happen(&["a"]).await;
        app.deliver().await;
        let got = receiver.take().remove(0);
        assert!(got.is_signed(&hook.secret) && !got.is_signed(&new));
        assert!(got.is_signed_standard(&hook.secret) && got.is_signed_standard(&new));
        app.later(2 * 3_600 + 1);
        app.happen(&["a"]).await;
        app.deliver().await;
        let got = receiver.take().remove(0);
        assert!(got.is_signed(&new) && !got.is_signed(&hook.secret));
        assert!(got.is_signed_standard(&new) && !got.is_signed_standard(&hook.secret));
        // A message of trial is signed as well, and has no number.
        let path = format!("/v1/webhook-endpoints/{}/test", hook.id);
        let sent = app.api("POST", &path, &json!({})).await;
        assert_eq!((&sent["delivered"], &sent["status"]), (&json!(true), &json!(200)), "{sent}");
        let got = receiver.take().remove(0);
        assert!(got.is_signed(&new) && got.is_signed_standard(&new));
        assert_eq!((&got.json["type"], &got.json["sequence"]), (&json!("test"), &Value::Null));
        let key = app.store.endpoint_secrets(&app.other.scope, &hook.id).await.expect("a store");
        assert!(key.is_none(), "somebody else's");
    })
    .await;
}

#[tokio::test]
async fn one_worker_at_a_time_delivers() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        for _ in 0..3 {
            app.hook(&receiver.url, json!({})).await;
        }
        let subjects: Vec<String> = (0..40).map(|number| format!("s{}", number % 7)).collect();
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        app.happen(&subjects).await;
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let parts = app.state.parts.clone();
                tokio::spawn(async move { drain(&parts, PUBLIC_URL).await.expect("a store") })
            })
            .collect();
        for worker in workers {
            worker.await.expect("no panic");
        }
        assert_eq!(receiver.take().len(), 3 * 40, "each message once");

        // Who vanished holds an endpoint until its lease runs out; what it says then does not count.
        app.happen(&["a"]).await;
        let mut held = Vec::new();
        while let Some(leased) = app.store.endpoint_claim(10_000).await.expect("a store") {
            held.push(leased);
        }
        assert_eq!(held.len(), 3);
        app.deliver().await;
        assert!(receiver.take().is_empty());
        app.later(11);
        app.deliver().await;
        assert_eq!(receiver.take().len(), 3);
        for leased in &held {
            let lost = app.store.endpoint_turn(leased, &Turn::default()).await;
            assert!(lost.expect_err("lost").is_lease_lost());
        }
    })
    .await;
}

#[tokio::test]
async fn one_event_is_given_up_after_thirty_days_a_receiver_never() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = app.hook(&receiver.url, json!({})).await;
        let path = format!("/v1/webhook-endpoints/{}", hook.id);
        receiver.rule(|got| (got.json["sequence"] == 1).then(|| Reply::status(500)));
        app.happen(&["a", "a"]).await;
        for _ in 0..31 {
            app.deliver().await;
            app.later(24 * 3_600);
            app.happen(&["b"]).await;
        }
        app.deliver().await;
        app.later(7_200);
        app.deliver().await;
        let list = app.deliveries(&hook).await;
        assert_eq!(list[0]["state"], "failed", "{}", list[0]);
        assert_eq!(list[1]["state"], "delivered", "the next of its subject is not held up longer");
        assert_eq!(app.read(&path).await["state"], "enabled");
        assert_eq!(app.read(&path).await["failed_deliveries"], 1);
        receiver.no_rule();
        let replay = format!("{path}/replay");
        assert_eq!(app.api("POST", &replay, &json!({ "failed": true })).await["replayed"], 1);
        app.deliver().await;
        assert_eq!(app.deliveries(&hook).await[0]["state"], "delivered");

        // A receiver that is down for good: its events are kept for whoever mends it.
        receiver.take();
        receiver.rule(|_| Some(Reply::status(500)));
        app.happen(&["c", "d"]).await;
        for _ in 0..33 {
            app.deliver().await;
            app.later(24 * 3_600);
        }
        assert_eq!(app.read(&path).await["state"], "disabled");
        receiver.no_rule();
        receiver.take();
        app.api("PATCH", &path, &json!({ "state": "enabled" })).await;
        app.deliver().await;
        let got = by_subject(&receiver.take());
        assert!(got.contains_key("c") && got.contains_key("d"), "{got:?}");
    })
    .await;
}
