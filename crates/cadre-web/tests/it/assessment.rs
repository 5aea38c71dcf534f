//! Assessments: packages, orders of the customer's tool, what the receiver says, and results.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use cadre_store::Role;
use cadre_web::WebSettings;
use serde_json::{Value, json};

use crate::actions::Tools;
use crate::app::{Answer, TestApp, on_both};
use crate::browser::Browser;
use crate::contract::{assert_event, assert_valid};

const PACKAGES: &str = "/v1/assessment/packages";
const ORDERS: &str = "/v1/assessment/orders";

/// A receiver that answers every event with this.
async fn receiver(status: u16, body: Value) -> String {
    let status = http::StatusCode::from_u16(status).expect("a status");
    let answer = move || {
        let body = body.clone();
        async move { (status, axum::Json(body)) }
    };
    let router = Router::new().route("/", post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

/// The tool, as it calls us.
struct Caller<'a> {
    app: &'a TestApp,
    id: String,
    token: String,
    secret: String,
}

impl<'a> Caller<'a> {
    async fn new(app: &'a TestApp, id: &str) -> Self {
        let scope = app.integration(id).await;
        let hook = app.store.hook(&scope).await.expect("a hook");
        let secret = hook.secret.expose().to_owned();
        Self { app, id: id.to_owned(), token: hook.token, secret }
    }

    async fn ask(&self, method: &str, request: &str, body: Option<&Value>) -> Answer {
        let path = format!("/hooks/{}/{request}", self.token);
        let call = self.app.request(method, &path).header("X-Sandbox-Secret", &self.secret);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    /// Orders, while deliveries are made beside it.
    async fn order(&self, body: &Value) -> Answer {
        let parts = self.app.state.parts.clone();
        let deliver = async {
            for _ in 0..40 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                cadre_jobs::webhooks::drain(&parts, "http://localhost:8080")
                    .await
                    .expect("a store");
            }
        };
        tokio::select! {
            answer = self.ask("POST", "orders", Some(body)) => answer,
            () = async { deliver.await; std::future::pending::<()>().await } => unreachable!(),
        }
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let call = self.app.request(method, path).key(&self.app.tenant.key).integration(&self.id);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn listen(&self, url: &str) {
        let body = json!({ "url": url });
        let call = self.app.request("POST", "/v1/webhook-endpoints").key(&self.app.tenant.key);
        let made = call.json(&body).send().await;
        assert_eq!(made.status, 200, "{}", made.text);
    }

    async fn packages(&self, ids: &[&str]) -> Answer {
        let package = |id: &&str| json!({ "id": id, "type": "SKILLS_TEST", "name": format!("Test {id}"), "description": "." });
        let packages: Vec<Value> = ids.iter().map(package).collect();
        self.call("PUT", PACKAGES, Some(&json!({ "packages": packages }))).await
    }
}

fn candidate(inline: bool) -> Value {
    json!({
        "package_id": "a", "candidate_waits": inline, "reference": "r-1", "application_id": "app-1",
        "candidate": { "id": "c-1", "email": "ada@post.example", "first_name": "Ada", "last_name": "Berg" },
        "job": {
            "id": "job-1", "title": "Bookkeeper", "code": "B-1", "location": { "city": "Berlin", "country": "DE" },
            "team": [{ "id": "u-1", "email": "bo@sand.example", "functions": ["recruiter", "sourcer"] }],
        },
    })
}

#[tokio::test]
async fn packages_are_replaced() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Caller::new(&app, &app.tenant.ats).await;
        let wrong = json!({ "packages": [{ "id": "a", "type": "PUZZLE", "name": "A", "description": "" }, { "id": "a" }] });
        let words = tool.call("PUT", PACKAGES, Some(&wrong)).await;
        let words = words.refused("ats", "PLATFORM.INPUT_INVALID", 400);
        for part in ["`body.packages[0].type`", "`body.packages[1].name`", "an id of its own"] {
            assert!(words.contains(part), "{words}");
        }
        let set = tool.packages(&["a", "b"]).await;
        assert_valid("put", "/assessment/packages", &set.json);
        assert_eq!(set.status, 200, "{}", set.text);
        tool.packages(&["b", "c"]).await;
        let shown = tool.call("GET", PACKAGES, None).await;
        assert_valid("get", "/assessment/packages", &shown.json);
        let ids: Vec<&Value> =
            shown.json["data"]["packages"].as_array().expect("a list").iter().map(|p| &p["id"]).collect();
        assert_eq!(ids, ["b", "c"]);
        let seen = tool.ask("GET", "packages", None).await;
        assert_eq!(seen.json["packages"][0], json!({ "id": "b", "name": "Test b", "about": "." }));
        let call = app.request("GET", PACKAGES).key(&app.tenant.key).integration(&app.tenant.hris);
        call.send().await.refused("ats", "INTEGRATION.ACTION_NOT_AVAILABLE", 400);
        let other = app.request("GET", PACKAGES).key(&app.other.key).integration(&app.tenant.ats);
        other.send().await.refused("ats", "PLATFORM.INTEGRATION_NOT_FOUND", 404);
    })
    .await;
}

#[tokio::test]
async fn an_order_and_its_result() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let tool = Caller::new(&app, &tools.ats).await;
        tool.packages(&["a"]).await;
        let ordered = tool.ask("POST", "orders", Some(&candidate(false))).await;
        assert_eq!(ordered.status, 200, "{}", ordered.text);
        let id = ordered.json["order_id"].as_str().expect("an id").to_owned();
        let events = app.request("GET", "/v1/events?types=assessment:order-received");
        let events = events.key(&app.tenant.key).send().await;
        let event = &events.json["data"]["results"][0];
        assert_event(&json!({ "id": event["id"], "type": event["type"], "data": event["data"] }));
        assert_eq!(event["data"]["job"]["hiring_team"][0]["hiring_team_roles"], json!(["RECRUITER"]));
        for (path, list) in [(ORDERS, "/assessment/orders"), ("/v1/assessment/orders/open", "/assessment/orders/open")] {
            let shown = tool.call("GET", path, None).await;
            assert_valid("get", list, &shown.json);
            assert_eq!(shown.json["data"]["results"][0]["id"], id.as_str());
            assert_eq!(shown.json["data"]["results"][0]["candidate"]["email"], "ada@post.example");
        }
        let put = format!("{ORDERS}/{id}/result");
        let mut result = json!({ "status": "COMPLETED", "result_url": "https://tests.example/1", "score": 8, "max_score": 10,
            "attributes": [{ "type": "TEXT", "label": "Note", "value": "Well done" },
                { "type": "SUB_RESULT", "id": "s", "label": "Sums", "score": { "value": 4, "max": 5 }, "status": "COMPLETED" }] });
        let early = tool.call("PUT", &put, Some(&result)).await;
        assert!(early.refused("ats", "PLATFORM.INPUT_INVALID", 400).contains("body.completed_at"));
        result["completed_at"] = "2026-03-01T11:00:00Z".into();
        let mut many = result.clone();
        let file = json!({ "name": "a.txt", "content_type": "text/plain", "data": "aGk=" });
        many["attachments"] = Value::from(vec![file; 6]);
        let many = tool.call("PUT", &put, Some(&many)).await;
        assert!(many.refused("ats", "PLATFORM.INPUT_INVALID", 400).contains("at most 5"));
        let done = tool.call("PUT", &put, Some(&result)).await;
        assert_valid("put", "/assessment/orders/{assessment_order_id}/result", &done.json);
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(tools.count(&app, "ats", "assessment-results").await, 1);
        let state = tool.ask("GET", &format!("order?id={id}"), None).await;
        assert_eq!(state.json["state"], "completed", "{}", state.text);
        assert_eq!(state.json["result"]["score"], 8);
        result["score"] = 9.into();
        let again = tool.call("PUT", &put, Some(&result)).await;
        assert!(again.refused("ats", "PLATFORM.INPUT_INVALID", 400).contains("COMPLETED"));
        let none = tool.call("GET", &format!("{ORDERS}?statuses=OPEN"), None).await;
        assert_eq!(none.json["data"]["results"], json!([]));
        let some = tool.call("GET", &format!("{ORDERS}?statuses=COMPLETED,OPEN&ids={id}"), None).await;
        assert_eq!(some.ids().len(), 1, "{}", some.text);
    })
    .await;
}

#[tokio::test]
async fn the_receiver_decides() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Caller::new(&app, &app.tenant.ats).await;
        tool.packages(&["a"]).await;
        tool.listen(&receiver(422, json!({ "message": "No credits left." })).await).await;
        let refused = tool.order(&candidate(false)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json["message"], "No credits left.");
        let shown = tool.call("GET", &format!("{ORDERS}?statuses=REJECTED"), None).await;
        let id = shown.ids()[0].to_owned();
        let result = json!({ "status": "OPEN", "result_url": "https://tests.example/1" });
        let late = tool.call("PUT", &format!("{ORDERS}/{id}/result"), Some(&result)).await;
        assert!(late.refused("ats", "PLATFORM.INPUT_INVALID", 400).contains("REJECTED"));
    })
    .await;
}

#[tokio::test]
async fn the_candidate_is_sent_on() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Caller::new(&app, &app.tenant.ats).await;
        tool.packages(&["a"]).await;
        let url = "https://tests.example/take/1";
        tool.listen(&receiver(200, json!({ "assessment_url": url })).await).await;
        let ordered = tool.order(&candidate(true)).await;
        assert_eq!(ordered.status, 200, "{}", ordered.text);
        assert_eq!(ordered.json["send_candidate_to"], url);
    })
    .await;
}

#[tokio::test]
async fn only_the_tool_may_order() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let mut tool = Caller::new(&app, &app.tenant.ats).await;
        tool.packages(&["a"]).await;
        let mut order = candidate(false);
        order["package_id"] = "z".into();
        let unknown = tool.ask("POST", "orders", Some(&order)).await;
        assert_eq!(unknown.status, 422);
        assert_eq!(unknown.json["code"], "rejected");
        assert_eq!(tool.ask("GET", "orders", None).await.status, 404);
        assert_eq!(tool.ask("GET", "order?id=nothing", None).await.status, 404);
        tool.secret = "guessed".into();
        assert_eq!(tool.ask("POST", "orders", Some(&candidate(false))).await.status, 401);
        tool.token = "guessed".into();
        assert_eq!(tool.ask("GET", "packages", None).await.status, 401);
    })
    .await;
}

#[tokio::test]
async fn people_order_by_hand() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let base = format!("/env/production/integrations/{}/assessment", app.tenant.ats);
        let package = [("act", "package"), ("id", "a"), ("name", "Sums"), ("type", "SKILLS_TEST")];
        assert_eq!(browser.post(&base, &package).await.status, 303);
        let nobody = [("act", "order"), ("package", "a"), ("email", "nobody")];
        let wrong = browser.post(&base, &nobody).await;
        assert_eq!(wrong.header("location"), Some(format!("{base}?wrong=order").as_str()));
        let order = [("act", "order"), ("package", "a"), ("email", "ada@post.example")];
        assert_eq!(browser.post(&base, &order).await.status, 303);
        let page = browser.get(&base).await;
        for words in ["Sums", "ada@post.example", "OPEN", "Order by hand"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let support = Browser::with_role(&app, Role::Support).await;
        let page = support.get(&base).await;
        assert!(page.text.contains("Sums") && !page.text.contains("/hooks/"), "{}", page.text);
        assert_eq!(support.post(&base, &[("act", "reset")]).await.status, 403);
        assert_eq!(browser.post(&base, &[("act", "reset")]).await.status, 303);
        assert!(browser.get(&base).await.text.contains("Nothing was ordered yet"));
        let other = format!("/env/production/integrations/{}", app.tenant.hris);
        assert!(!browser.get(&other).await.text.contains(">Assessment<"), "no tab");
        // A tool that orders by itself is not ordered for.
        let refused = browser.post(&format!("{other}/assessment"), &package).await;
        assert_eq!(refused.status, 303);
        let packages = app.integration(&app.tenant.hris).await;
        assert!(app.store.assessment_packages(&packages).await.expect("a store").is_empty());
    })
    .await;
}
