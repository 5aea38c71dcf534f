//! A fault harness for writes: whether what callers ordered happened once, whatever went wrong on the way.
//!
//! Applications with a file, notes and absences are made through [`cadre_jobs::actions::perform`] at a made-up
//! tool that loses answers after it has done what was asked, fails, and whose caller's process is taken
//! away at any moment. Callers repeat with the same key, as the documentation tells them to. In the end the
//! tool is asked what there is, and every order is counted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use cadre_connector::{HttpRequest, HttpResponse, HttpSend, SendError, Wire, WireOptions};
use cadre_jobs::actions::{Order, perform};
use cadre_jobs::catalog::{Catalog, Folder};
use cadre_jobs::connect::{Link, link};
use cadre_jobs::live::Judged;
use cadre_jobs::{Parts, Settings, worker};
use cadre_model::action::{action, check};
use cadre_model::fault::Code;
use cadre_model::ids::random_id;
use cadre_model::time::SystemClock;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{
    EndUser, EnvironmentKind, EnvironmentScope, Integration, IntegrationScope, MasterKey,
    OpenOptions, Store,
};
use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

mod truth;

use truth::Effect;

/// Orders that are under way at once.
const AT_ONCE: usize = 24;
/// How long the harness waits for an answer of the tool.
const PATIENCE: Duration = Duration::from_millis(700);
/// How long a run stays with a process that is gone.
const ABANDONED: Duration = Duration::from_millis(15_200);
/// How often a caller sends the same request.
const TRIES: u32 = 8;

/// What became of the orders.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WriteFindings {
    /// Orders.
    pub orders: u64,
    /// Answers that were lost after the tool had done what was asked, failures of the tool.
    pub faults: u64,
    /// Processes that were taken away in the middle.
    pub killed: u64,
    /// Requests that callers sent, repetitions included.
    pub requests: u64,
    /// Orders that ended well.
    pub done: u64,
    /// Effects beyond the first of an order.
    pub duplicates: u64,
    /// Orders that were answered as done and had no effect, or not all of it.
    pub lost: u64,
    /// Orders of which the caller was told that nobody knows.
    pub unknown: u64,
    /// Orders that were refused although they had their effect.
    pub denied: u64,
    /// Orders that were refused in the end, without effect.
    pub refused: u64,
    /// What was said where something was not as it should be.
    pub stories: Vec<String>,
}

impl WriteFindings {
    /// Whether nothing happened twice, got lost, or was denied, and almost everything is known.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.duplicates + self.lost + self.denied == 0 && self.unknown * 1_000 <= self.orders
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A client that does not wait long.
struct Impatient(Wire);

#[async_trait]
impl HttpSend for Impatient {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        self.0.send(request, deadline.min(PATIENCE)).await
    }
}

/// A harness: a store, made-up tools, an integration with each.
pub struct WriteSoak {
    parts: Parts,
    sandbox: Running,
    client: reqwest::Client,
    ats: (IntegrationScope, Integration),
    hris: (IntegrationScope, Integration),
    /// Remote ids that orders are about.
    jobs: Vec<String>,
    applications: Vec<String>,
    people: Vec<String>,
    kinds: Vec<String>,
    seed: u64,
}

/// How one order ended for its caller.
struct Ended {
    mark: String,
    result: Result<(), Judged>,
}

/// What is ordered.
struct Planned<'a> {
    /// What its effect is found by.
    mark: String,
    at: &'a (IntegrationScope, Integration),
    operation: &'static str,
    about: Option<String>,
    body: Map<String, Value>,
}

impl<'a> Planned<'a> {
    fn new(
        mark: String,
        at: &'a (IntegrationScope, Integration),
        operation: &'static str,
        about: Option<String>,
        body: &Value,
    ) -> Self {
        let body = body.as_object().cloned().unwrap_or_default();
        Self { mark, at, operation, about, body }
    }
}

/// What is counted while orders are under way.
#[derive(Default)]
struct Counters {
    faults: AtomicU64,
    killed: AtomicU64,
    requests: AtomicU64,
}

impl WriteSoak {
    /// Links the made-up tools to an empty database and syncs them once.
    ///
    /// # Errors
    ///
    /// When anything on the way fails.
    pub async fn start(database_url: &str, connectors: &Path, seed: u64) -> Outcome<WriteSoak> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parts = parts(database_url, connectors).await?;
        let options = SandboxOptions {
            seed,
            employees: 60,
            candidates: 60,
            jobs: 12,
            rate_limit: None,
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await?;
        let environment =
            parts.store.environment_create("soak", EnvironmentKind::Production).await?;
        let environment =
            parts.store.system_scope(&environment.id).await?.ok_or("no environment")?;
        let form = json!({ "base_url": sandbox.base_url, "api_key": sandbox.api_key });
        let ats = linked(&parts, &environment, "sandboxats", form).await?;
        let form = json!({
            "base_url": sandbox.base_url, "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        });
        let hris = linked(&parts, &environment, "sandboxhris", form).await?;
        worker::drain(&parts).await?;
        let mut soak = WriteSoak {
            parts,
            sandbox,
            client: client(),
            ats,
            hris,
            jobs: Vec::new(),
            applications: Vec::new(),
            people: Vec::new(),
            kinds: Vec::new(),
            seed,
        };
        soak.look_around().await?;
        Ok(soak)
    }

    async fn look_around(&mut self) -> Outcome<()> {
        let open = |job: &Value| job["state"] == "open" || job["status"] == "open";
        let text =
            |row: &Value| row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned);
        let jobs = self.ats_rows("jobs").await?;
        self.jobs = jobs.iter().filter(|job| open(job)).map(text).collect();
        let applications = self.ats_rows("applications").await?;
        let active = |row: &&Value| row["status"] == "active";
        self.applications = applications.iter().filter(active).map(text).collect();
        self.people = self.hris_rows("employees").await?.iter().map(text).collect();
        self.kinds = self.hris_rows("absence-types").await?.iter().map(text).collect();
        for (name, list) in
            [("jobs", &self.jobs), ("applications", &self.applications), ("people", &self.people)]
        {
            if list.is_empty() {
                return Err(format!("the made-up tool has no {name} to work with").into());
            }
        }
        Ok(())
    }

    /// Gives so many orders, and counts what came of them.
    ///
    /// # Errors
    ///
    /// When the harness itself fails.
    pub async fn orders(&self, count: u64) -> Outcome<WriteFindings> {
        let counters = Counters::default();
        let ended: Vec<Ended> = futures::stream::iter(0..count)
            .map(|number| self.one(number, &counters))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect::<Outcome<_>>()?;
        self.admin(reqwest::Method::DELETE, "faults", &Value::Null).await?;
        let mut findings = WriteFindings {
            orders: count,
            faults: counters.faults.into_inner(),
            killed: counters.killed.into_inner(),
            requests: counters.requests.into_inner(),
            ..WriteFindings::default()
        };
        let effects = self.effects().await?;
        for one in ended {
            judge(&one, effects.get(&one.mark).copied().unwrap_or_default(), &mut findings);
        }
        Ok(findings)
    }

    /// One order: made, and repeated with the same key until it is known how it ended.
    async fn one(&self, number: u64, counters: &Counters) -> Outcome<Ended> {
        let mut dice = StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003) ^ number);
        let Planned { mark, at, operation, about, body } = self.order(number, &mut dice);
        let declared = action(operation).ok_or("no such action")?;
        let mut last = None;
        for _ in 0..TRIES {
            if self.disturb(&mut dice, at).await? {
                counters.faults.fetch_add(1, Ordering::Relaxed);
            }
            let order = Order {
                action: declared,
                about: about.clone(),
                checked: check(declared.body, &body),
                key: Some(mark.clone()),
                interaction_id: random_id(),
                hidden: Default::default(),
            };
            counters.requests.fetch_add(1, Ordering::Relaxed);
            let work = perform(&self.parts, &at.0, &at.1, order);
            let answered = if dice.random_bool(0.25) {
                // Most orders are done soon: half of the processes have a short life.
                let longest = if dice.random_bool(0.5) { 150 } else { 2_500 };
                let life = Duration::from_millis(dice.random_range(1..longest));
                tokio::time::timeout(life, work).await.ok()
            } else {
                Some(work.await)
            };
            match answered {
                Some(Ok(_)) => return Ok(Ended { mark, result: Ok(()) }),
                // The process is gone; whoever repeats has to wait until that is seen.
                None => {
                    counters.killed.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(ABANDONED).await;
                }
                Some(Err(judged)) => {
                    let again = matches!(
                        judged.fault.code,
                        Code::PlatformTaskTimedOut | Code::RemoteServiceUnavailable
                    );
                    last = Some(judged);
                    if !again {
                        break;
                    }
                }
            }
        }
        let gone = || cadre_model::fault::Fault::unknown("every process was taken away").into();
        Ok(Ended { mark, result: Err(last.unwrap_or_else(gone)) })
    }

    /// What is ordered: a mark that is found again, whom it is for, and the request.
    fn order(&self, number: u64, dice: &mut StdRng) -> Planned<'_> {
        let pick = |dice: &mut StdRng, of: &[String]| of[dice.random_range(0..of.len())].clone();
        match number % 4 {
            0 | 1 => {
                let mark = format!("w{number}@soak.example");
                let body = json!({
                    "candidate": { "first_name": "W", "last_name": format!("{number}"), "email_address": mark },
                    "attachments": [{ "name": "cv.txt", "type": "CV", "content_type": "text/plain",
                                      "data": "aGVsbG8=" }],
                });
                let about = format!("remote:{}", pick(dice, &self.jobs));
                Planned::new(mark, &self.ats, "ats_create_application", Some(about), &body)
            }
            2 => {
                let mark = format!("note {number} of the soak");
                let about = format!("remote:{}", pick(dice, &self.applications));
                let body = json!({ "content": mark, "content_type": "PLAIN_TEXT" });
                Planned::new(mark, &self.ats, "ats_add_application_note", Some(about), &body)
            }
            _ => {
                // One day for each order: nobody is away twice for the same reason on the same day.
                let person = number as usize / 4 % self.people.len();
                let turn = number as i64 / 4 / self.people.len() as i64;
                let day = jiff::civil::date(2031, 1, 1)
                    .checked_add(jiff::Span::new().days(turn))
                    .unwrap_or_default();
                let (who, kind) = (&self.people[person], &self.kinds[0]);
                let mark = format!("{who} {day}");
                let body = json!({
                    "employee_id": format!("remote:{who}"), "absence_type_id": format!("remote:{kind}"),
                    "start_date": day.to_string(), "end_date": day.to_string(), "employee_note": null,
                });
                Planned::new(mark, &self.hris, "hris_create_absence", None, &body)
            }
        }
    }

    /// Three of ten requests lose an answer after the tool has done what was asked, one meets a failure.
    async fn disturb(
        &self,
        dice: &mut StdRng,
        at: &(IntegrationScope, Integration),
    ) -> Outcome<bool> {
        let part = if at.1.tool == "sandboxats" { "/ats/v1" } else { "/hris/v1" };
        let turn = dice.random_range(0..100);
        let mut order = match turn {
            0..15 => json!({ "fault": "drop_answer" }),
            15..30 => json!({ "fault": "late_answer", "ms": 1_500 }),
            30..34 => json!({ "fault": "status", "status": 500 }),
            34..37 => json!({ "fault": "status", "status": 502 }),
            37..40 => json!({ "fault": "status", "status": 503 }),
            _ => return Ok(false),
        };
        // Answers are lost of writes; failures strike anything.
        order["match"] = json!({ "path": part });
        if turn < 30 {
            order["match"]["method"] = json!("POST");
        }
        self.admin(reqwest::Method::POST, "faults", &order).await?;
        Ok(true)
    }

    async fn admin(&self, method: reqwest::Method, what: &str, body: &Value) -> Outcome<()> {
        let url = format!("{}/admin/{what}", self.sandbox.base_url);
        let request = self.client.request(method, url).header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.text().await?.into()) }
    }
}

async fn parts(database_url: &str, connectors: &Path) -> Outcome<Parts> {
    let clock = Arc::new(SystemClock);
    let options =
        OpenOptions { max_connections: 8, master_key: MasterKey::random(), clock: clock.clone() };
    let store = Store::open(database_url, options).await?;
    let mut folders = Vec::new();
    for tool in ["sandboxats", "sandboxhris"] {
        folders.push(Folder::read(&connectors.join(tool)).map_err(|error| error.to_string())?);
    }
    let catalog = Catalog::load(folders).map_err(|problems| format!("{problems:?}"))?;
    let mut settings = Settings { action_timeout: Duration::from_secs(20), ..Settings::default() };
    settings.read.allow_private = true;
    settings.read.first_backoff = Duration::from_millis(20);
    let http = Wire::new(WireOptions { allow_private: true, ..WireOptions::default() })?;
    Ok(Parts {
        store,
        catalog: Arc::new(catalog),
        clock,
        http: Arc::new(Impatient(http)),
        settings: Arc::new(settings),
        standings: Arc::default(),
    })
}

async fn linked(
    parts: &Parts,
    environment: &EnvironmentScope,
    tool: &str,
    form: Value,
) -> Outcome<(IntegrationScope, Integration)> {
    let new = Link {
        tool: tool.to_owned(),
        category: None,
        suffix: None,
        end_user: EndUser {
            organization_name: "Soak".to_owned(),
            creator_email: None,
            origin_id: None,
        },
        form: form.as_object().cloned().unwrap_or_default(),
        mapping: None,
        check: false,
    };
    let made = link(parts, environment, new).await.map_err(|fault| fault.message)?;
    let scope = parts.store.system_integration_scope(&made.0.id).await?;
    Ok((scope.ok_or("no integration")?, made.0))
}

fn judge(one: &Ended, effect: Effect, findings: &mut WriteFindings) {
    let with_file = one.mark.ends_with("@soak.example");
    findings.duplicates += effect.times.saturating_sub(1) + effect.files.saturating_sub(1);
    let whole = effect.times > 0 && (!with_file || effect.files > 0);
    let said = match &one.result {
        Ok(()) => {
            findings.done += 1;
            findings.lost += u64::from(!whole);
            String::new()
        }
        Err(judged) => {
            let words = &judged.fault.message;
            if judged.fault.code == Code::RemoteUnknownHttpError && words.contains("not known") {
                findings.unknown += 1;
            } else if effect.times > 0 {
                findings.denied += 1;
            } else {
                findings.refused += 1;
            }
            format!("{}: {words}", judged.fault.code)
        }
    };
    let odd = effect.times > 1 || effect.files > 1 || one.result.is_err() || !whole;
    if odd && findings.stories.len() < 30 {
        findings.stories.push(format!("{}: {effect:?} {said}", one.mark));
    }
}

#[expect(clippy::disallowed_methods, reason = "it talks to the made-up tool, not to a vendor")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}
