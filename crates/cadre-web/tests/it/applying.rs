//! Public postings from the page to the application, with career pages on the loopback address.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cadre_connector::{Wire, WireOptions};
use cadre_jobs::Parts;
use cadre_jobs::apply::{Assistant, parse};
use cadre_jobs::webhooks::drain;
use cadre_store::ApplicationStage;
use cadre_web::{WebSettings, router};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::career_pages::CareerPages;
use crate::contract::{assert_event, assert_valid};
use crate::receiver::Receiver;

/// A server whose visits need no pauses, and its pages.
pub struct Stage<'a> {
    app: &'a TestApp,
    pages: CareerPages,
    pub parts: Parts,
    router: Router,
}

impl<'a> Stage<'a> {
    pub async fn new(app: &'a TestApp) -> Self {
        let state = app.replica(WebSettings::default(), |jobs| {
            jobs.apply.host_pause = Duration::from_millis(1);
            jobs.apply.page_timeout = Duration::from_millis(800);
        });
        let pages = CareerPages::start().await;
        Self { app, pages, parts: state.parts.clone(), router: router(state) }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let call =
            self.app.request(method, &format!("/v1/ai-apply{path}")).key(&self.app.tenant.key);
        let call = call.to(&self.router);
        if method == "GET" { call.send().await } else { call.json(body).send().await }
    }

    async fn told(&self, method: &str, path: &str, of: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        assert_valid(&method.to_lowercase(), &format!("/ai-apply{of}"), &answer.json);
        answer.json["data"].clone()
    }

    /// Enters a posting and has its page read; its id.
    pub async fn posting(&self, url: &str) -> String {
        let site =
            self.told("POST", "/career-sites", "/career-sites", &json!({ "label": "X" })).await;
        let body = json!({ "url": url, "career_site_id": site["id"] });
        let posting = self.told("POST", "/postings", "/postings", &body).await;
        self.work().await;
        posting["id"].as_str().expect("an id").to_owned()
    }

    pub async fn work(&self) {
        parse::drain(&self.parts).await.expect("a store");
    }

    pub async fn availability(&self, id: &str) -> String {
        let list =
            self.told("GET", &format!("/postings?ids={id}"), "/postings", &Value::Null).await;
        list["results"][0]["availability"].as_str().expect("a word").to_owned()
    }

    pub async fn inquire(&self, id: &str) -> (Vec<Value>, String) {
        let of = "/postings/{posting_id}/inquire";
        let form = self.told("POST", &format!("/postings/{id}/inquire"), of, &json!({})).await;
        let blocks = form["application_form"].as_array().expect("blocks").clone();
        (blocks, form["submission_token"].as_str().expect("a token").to_owned())
    }

    pub async fn status(&self, id: &str) -> String {
        let path = format!("/applications?ids={id}");
        let list = self.told("GET", &path, "/applications", &Value::Null).await;
        list["results"][0]["status"].as_str().expect("a word").to_owned()
    }

    pub async fn apply(&self, body: &Value) -> Value {
        self.told("POST", "/apply", "/apply", body).await
    }
}

/// An application that answers everything.
fn filled(blocks: &[Value], token: &str, email: &str) -> Value {
    let answer = |block: &Value| match block["question_type"].as_str().expect("a type") {
        "SINGLE_SELECT" => block["options"][1]["id"].clone(),
        "BOOLEAN" => json!(true),
        "FILE" => {
            json!({ "name": "cv.pdf", "content_type": "application/pdf", "data": "JVBERi0=" })
        }
        _ if block["unified_key"] == "EMAIL" => json!(email),
        _ => block["label"].clone(),
    };
    let answers: Vec<Value> = blocks
        .iter()
        .map(|block| json!({ "question_id": block["question_id"], "answer": answer(block) }))
        .collect();
    json!({
        "submission_token": token, "candidate_email": email, "screening_question_answers": answers,
    })
}

#[tokio::test]
async fn from_the_page_to_the_application() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let receiver = Receiver::start().await;
        let hook = json!({ "url": receiver.url });
        let made = app
            .request("POST", "/v1/webhook-endpoints")
            .key(&app.tenant.key)
            .json(&hook)
            .send()
            .await;
        assert_eq!(made.status, 200, "{}", made.text);
        let stage = Stage::new(&app).await;
        let id = stage.posting(&stage.pages.job("plain")).await;
        assert_eq!(stage.availability(&id).await, "APPLYABLE");
        let (blocks, token) = stage.inquire(&id).await;
        // Worked out by hand from the page.
        let asked: Vec<(&str, &str, bool, Option<&str>)> = blocks
            .iter()
            .map(|block| {
                let text = |name: &str| block[name].as_str();
                let required = block["required"].as_bool().expect("a flag");
                (
                    text("label").expect("words"),
                    text("question_type").expect("a type"),
                    required,
                    text("unified_key"),
                )
            })
            .collect();
        assert_eq!(
            asked,
            [
                ("First name", "TEXT", true, Some("FIRST_NAME")),
                ("Last name", "TEXT", true, Some("LAST_NAME")),
                ("E-mail", "TEXT", true, Some("EMAIL")),
                ("CV", "FILE", true, Some("RESUME")),
                ("Gender", "SINGLE_SELECT", false, Some("GENDER")),
                ("Shift", "SINGLE_SELECT", true, None),
                ("I accept the privacy policy", "BOOLEAN", true, Some("TERMS_AND_CONDITIONS")),
            ]
        );
        assert_eq!(blocks[4]["category"], "EEO");
        let mut body = filled(&blocks, &token, "ada@x.example");
        body["query_params"] = json!({ "utm": "board" });
        let applied = stage.apply(&body).await;
        assert_eq!((&applied["status"], &applied["posting_id"]), (&json!("PENDING"), &json!(id)));
        let application = applied["id"].as_str().expect("an id").to_owned();
        // The same once more before it is sent is the same application.
        assert_eq!(stage.apply(&body).await["id"], applied["id"]);
        stage.work().await;
        assert_eq!(stage.status(&application).await, "SUBMITTED");
        let sent = stage.pages.applications();
        assert_eq!(sent.len(), 1);
        for part in [
            "name=\"token\"\r\n\r\nt",
            "name=\"first\"\r\n\r\nFirst name",
            "name=\"mail\"\r\n\r\nada@x.example",
            "filename=\"cv.pdf\"",
            "%PDF-",
            "name=\"sex\"\r\n\r\nm",
            "name=\"shift\"\r\n\r\n2",
            "name=\"ok\"\r\n\r\nyes",
            "name=\"go\"\r\n\r\n1",
        ] {
            assert!(sent[0].0.contains(part), "{part}: {}", sent[0].0);
        }
        // Token and cookie are those of the visit that went before.
        let visit = sent[0].1.strip_prefix("visit=v").expect("a cookie");
        assert!(sent[0].0.contains(&format!("\r\n\r\nt{visit}\r\n")));
        let visits = stage.pages.seen.lock().expect("not poisoned").visits.clone();
        assert_eq!(visits.last(), Some(&Some("utm=board".to_owned())));
        // With a new token, the same candidate has applied already; nothing goes out.
        let (blocks, token) = stage.inquire(&id).await;
        let twice = stage.apply(&filled(&blocks, &token, "ADA@x.example")).await;
        assert_eq!(twice["status"], "DUPLICATE");
        assert_ne!(twice["id"], applied["id"]);
        stage.work().await;
        assert_eq!(stage.pages.applications().len(), 1);
        drain(&stage.parts, "http://localhost:8080").await.expect("a store");
        let told: Vec<Value> = receiver.take().into_iter().map(|got| got.json).collect();
        let of = |name: &str| told.iter().filter(|one| one["type"] == name).collect::<Vec<_>>();
        let postings = of("ai-apply-job-posting-status-updated");
        assert_eq!(postings[0]["data"]["availability"], "APPLYABLE");
        let ends: Vec<&Value> = of("ai-apply-application-status-updated")
            .iter()
            .map(|one| &one["data"]["status"])
            .collect();
        assert_eq!(ends.len(), 2);
        assert!(
            ends.contains(&&json!("SUBMITTED")) && ends.contains(&&json!("DUPLICATE")),
            "{ends:?}"
        );
        let ledger =
            app.request("GET", "/v1/events?page_size=250").key(&app.tenant.key).send().await;
        for event in ledger.json["data"]["results"].as_array().expect("a list") {
            if event["type"].as_str().is_some_and(|name| name.starts_with("ai-apply")) {
                assert_event(event);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_the_form_of_the_token_is_named() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let id = stage.posting(&stage.pages.job("plain")).await;
        let (blocks, token) = stage.inquire(&id).await;
        let whole = filled(&blocks, &token, "ada@x.example");
        let mut body = whole.clone();
        let answers = body["screening_question_answers"].as_array_mut().expect("a list");
        answers[0]["answer"] = json!(7);
        answers[3]["answer"] = json!({ "name": "cv" });
        answers[5]["answer"] = json!("nothing");
        answers[4]["question_id"] = json!("nobody");
        answers.pop();
        let refused = stage.ask("POST", "/apply", &body).await;
        let words = refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        for part in ["answers[0].answer`: expected text", "answers[3].answer`: expected a file",
            "answers[4].question_id`", "answers[5].answer`", "required question", "privacy policy"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        let wrong = json!({
            "candidate_email": "nobody", "screening_question_answers": [{}], "query_params": { "a": 1 },
            "additional_clicks": 31, "additional_clicks_scatter_duration": 0,
        });
        let refused = stage.ask("POST", "/apply", &wrong).await;
        let words = refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        for name in ["submission_token", "candidate_email", "screening_question_answers[0]", "query_params",
            "additional_clicks", "additional_clicks_scatter_duration"] {
            assert!(words.contains(&format!("`body.{name}`")), "{name}: {words}");
        }
        // The token of another environment, a changed one, and one that has ended.
        let call = app.request("POST", "/v1/ai-apply/apply").key(&app.other.key).json(&whole);
        call.to(&stage.router).send().await.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        let mut changed = whole.clone();
        changed["submission_token"] = json!(token.replace(&token[30..31], "_"));
        stage.ask("POST", "/apply", &changed).await.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        app.clock.advance(SignedDuration::from_hours(48));
        let late = stage.ask("POST", "/apply", &whole).await;
        assert!(late.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains("ended at"));
        assert_eq!(stage.pages.applications().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn pages_that_nobody_can_apply_with() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        for (job, availability) in
            [("gone", "ARCHIVED"), ("filled", "ARCHIVED"), ("none", "UNAVAILABLE")]
        {
            let id = stage.posting(&stage.pages.job(job)).await;
            assert_eq!(stage.availability(&id).await, availability, "{job}");
            let refused = stage.ask("POST", &format!("/postings/{id}/inquire"), &json!({})).await;
            refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        }
        let id = stage.posting(&format!("{}/secret", stage.pages.url)).await;
        assert_eq!(stage.availability(&id).await, "UNAVAILABLE");
        let refused = stage.ask("POST", &format!("/postings/{id}/inquire"), &json!({})).await;
        assert!(refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains("robots"));
        // A page that fails later leaves the form that was there.
        let id = stage.posting(&stage.pages.job("plain")).await;
        stage.pages.set(|seen| seen.down = true);
        app.clock.advance(SignedDuration::from_hours(30));
        stage.work().await;
        assert_eq!(stage.availability(&id).await, "APPLYABLE");
        stage.inquire(&id).await;
        // Without one there is nothing to hand out.
        let site =
            stage.told("POST", "/career-sites", "/career-sites", &json!({ "label": "X" })).await;
        let body = json!({ "url": stage.pages.job("late"), "career_site_id": site["id"] });
        let late = stage.told("POST", "/postings", "/postings", &body).await;
        let path = format!("/postings/{}/inquire", late["id"].as_str().expect("an id"));
        let down = stage.ask("POST", &path, &json!({})).await;
        down.refused("ai-apply", "REMOTE.SERVICE_UNAVAILABLE", 500);
        // An address inside the network of the server is not asked.
        let guarded = app.guarded();
        let posting =
            app.store.posting_get(&app.tenant.scope, &id).await.expect("a store").expect("one");
        let asked = parse::now(&guarded.parts, &app.tenant.scope, &posting).await;
        assert!(asked.expect_err("refused").message.contains("not a public address"));
    })
    .await;
}

#[tokio::test]
async fn an_application_without_a_clear_end_is_never_sent_again() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let place = async |job: &str, email: &str| {
            let id = stage.posting(&stage.pages.job(job)).await;
            let (blocks, token) = stage.inquire(&id).await;
            let applied = stage.apply(&filled(&blocks, &token, email)).await;
            applied["id"].as_str().expect("an id").to_owned()
        };
        let stages = async |id: &str| {
            let found = app.store.application_get(&app.tenant.scope, id).await.expect("a store");
            found.expect("one").stage
        };
        let silent = place("silent", "a@x.example").await;
        stage.work().await;
        assert_eq!(stage.status(&silent).await, "PENDING");
        assert_eq!(stages(&silent).await, ApplicationStage::Uncertain);
        app.clock.advance(SignedDuration::from_hours(30));
        stage.work().await;
        assert_eq!(stage.pages.applications().len(), 1);
        // A person looks, and says what came of it.
        let submitted = Some(cadre_store::ApplicationStatus::Submitted);
        let settled =
            app.store.application_settle(&app.tenant.scope, &silent, submitted, "Seen.").await;
        assert!(settled.expect("a store"));
        assert_eq!(stage.status(&silent).await, "SUBMITTED");
        // A worker that vanishes in the middle leaves it to a person too.
        let cut = place("plain", "b@x.example").await;
        let leased = app.store.application_claim(1_000).await.expect("a store").expect("one");
        assert!(app.store.application_sending(&leased, 1_000).await.expect("a store"));
        app.clock.advance(SignedDuration::from_secs(60));
        stage.work().await;
        assert_eq!(stages(&cut).await, ApplicationStage::Uncertain);
        assert_eq!(stage.pages.applications().len(), 1);
        // What surely has not arrived is tried again.
        let later = place("plain2", "c@x.example").await;
        stage.pages.set(|seen| seen.down = true);
        stage.work().await;
        assert_eq!(stages(&later).await, ApplicationStage::Queued);
        stage.pages.set(|seen| seen.down = false);
        app.clock.advance(SignedDuration::from_mins(5));
        stage.work().await;
        assert_eq!(stage.status(&later).await, "SUBMITTED");
        // The page refuses, knows the candidate, or asks for more than before.
        let picky = place("picky", "d@x.example").await;
        let known = place("known", "e@x.example").await;
        stage.work().await;
        assert_eq!(stage.status(&picky).await, "FAILED");
        assert_eq!(stage.status(&known).await, "DUPLICATE");
        let changed = place("plain3", "f@x.example").await;
        stage.pages.set(|seen| seen.asks_more = true);
        stage.work().await;
        assert_eq!(stages(&changed).await, ApplicationStage::Uncertain);
    })
    .await;
}

#[tokio::test]
async fn postings_as_jobs_of_an_ats() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let id = stage.posting(&stage.pages.job("plain")).await;
        stage.posting(&stage.pages.job("none")).await;
        let of = "/unified-api/jobs";
        let jobs = stage.told("GET", "/unified-api/jobs", of, &Value::Null).await;
        let jobs = jobs["results"].as_array().expect("a list");
        assert_eq!(jobs.len(), 1, "only what one can apply to");
        assert_eq!((&jobs[0]["name"], &jobs[0]["employment_type"]), (&json!("Baker"), &json!("PART_TIME")));
        assert_eq!(jobs[0]["location"]["country"], "DE");
        let questions = jobs[0]["screening_questions"].as_array().expect("a list");
        let titles: Vec<&str> = questions.iter().filter_map(|one| one["title"].as_str()).collect();
        assert_eq!(titles, ["CV", "Gender", "Shift", "I accept the privacy policy"]);
        let too_many = stage.ask("GET", "/unified-api/jobs?page_size=6", &Value::Null).await;
        too_many.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400);
        let path = format!("/unified-api/jobs/{id}/applications");
        let mut body = json!({
            "candidate": {
                "first_name": "Ada", "last_name": "Byron", "email_address": "ada@x.example", "gender": "FEMALE",
            },
            "attachments": [{
                "name": "cv.pdf", "type": "CV", "content_type": "application/pdf", "data": "JVBERi0=",
            }],
            "screening_question_answers": [
                { "question_id": questions[2]["id"], "answer": questions[2]["format"]["options"][0]["id"] },
            ],
        });
        let refused = stage.ask("POST", &path, &body).await;
        assert!(refused.refused("ai-apply", "PLATFORM.INPUT_INVALID", 400).contains("privacy policy"));
        let answers = body["screening_question_answers"].as_array_mut().expect("a list");
        answers.push(json!({ "question_id": questions[3]["id"], "answer": true }));
        let of = "/unified-api/jobs/{job_id}/applications";
        let applied = stage.told("POST", &path, of, &body).await;
        stage.work().await;
        assert_eq!(stage.status(applied["id"].as_str().expect("an id")).await, "SUBMITTED");
        let sent = stage.pages.applications();
        assert!(sent[0].0.contains("name=\"first\"\r\n\r\nAda") && sent[0].0.contains("name=\"sex\"\r\n\r\nf"));
    })
    .await;
}

#[tokio::test]
async fn further_visits_are_made() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let stage = Stage::new(&app).await;
        let id = stage.posting(&stage.pages.job("plain")).await;
        let (blocks, token) = stage.inquire(&id).await;
        let mut body = filled(&blocks, &token, "ada@x.example");
        body["additional_clicks"] = json!(3);
        body["additional_clicks_scatter_duration"] = json!(10);
        stage.apply(&body).await;
        stage.work().await;
        let before = stage.pages.seen.lock().expect("not poisoned").visits.len();
        app.clock.advance(SignedDuration::from_mins(11));
        cadre_jobs::worker::drain(&stage.parts).await.expect("a store");
        let after = stage.pages.seen.lock().expect("not poisoned").visits.len();
        assert_eq!(after - before, 3);
    })
    .await;
}

/// A server that speaks the OpenAI protocol, as far as it is asked: it knows what a shift is.
async fn knows_shifts(axum::Json(asked): axum::Json<Value>) -> axum::Json<Value> {
    assert_eq!(asked["model"], "small");
    let questions = asked["messages"][1]["content"].as_str().expect("text");
    let questions: Vec<Value> = serde_json::from_str(questions).expect("a list");
    let shift = questions.iter().find(|one| one["question"] == "Shift").expect("it was unsure");
    let known =
        json!({ shift["id"].as_str().expect("an id"): "RESIDENCE_TYPE", "nobody": "EMAIL" });
    axum::Json(json!({ "choices": [{ "message": { "content": known.to_string() } }] }))
}

#[tokio::test]
async fn an_assistant_helps_and_its_failure_does_not_matter() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let helper = Router::new().route("/v1/chat/completions", axum::routing::post(knows_shifts));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, helper).await });
        let mut stage = Stage::new(&app).await;
        let keys = async |stage: &Stage<'_>, job: &str| {
            let id = stage.posting(&stage.pages.job(job)).await;
            let (blocks, _) = stage.inquire(&id).await;
            let shift = blocks.iter().find(|block| block["label"] == "Shift").expect("a question");
            shift["unified_key"].clone()
        };
        let options = WireOptions { allow_private: true, ..WireOptions::default() };
        let wire = Arc::new(Wire::new(options).expect("a client"));
        for (url, expected) in [
            (format!("http://{address}/v1"), json!("RESIDENCE_TYPE")),
            (format!("http://{address}/elsewhere"), Value::Null),
            ("http://127.0.0.1:1/v1".to_owned(), Value::Null),
        ] {
            let assistant = Assistant {
                base_url: url.parse().expect("a URL"),
                api_key: None,
                model: "small".to_owned(),
                http: wire.clone(),
            };
            let mut settings = (*stage.parts.settings).clone();
            settings.apply.assistant = Some(assistant);
            stage.parts.settings = Arc::new(settings);
            assert_eq!(keys(&stage, &format!("job-{}", url.len())).await, expected, "{url}");
        }
    })
    .await;
}
