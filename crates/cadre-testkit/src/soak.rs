//! A fault harness: seeded rounds of changes, faults and syncs against a made-up tool, each checked against
//! what the tool really holds.
//!
//! A round changes people and absences at random, orders faults (cut bodies, empty and repeated pages, errors
//! in the middle, lost permissions, storms of 429), syncs, sometimes takes the worker away in the middle,
//! and sometimes changes the data while it is read. Then it asks the tool without faults what there is, and
//! counts what the mirror got wrong.
//!
//! Everything is told to a receiver of webhooks ([`crate::soak_receiver`]). It and the process that works
//! ([`crate::soak_worker`]) are killed by SIGKILL at random points. In the end every number has to have come,
//! and of each subject the earlier message first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cadre_jobs::connect::{Link, link};
use cadre_jobs::{Parts, enqueue_sync, worker};
use cadre_model::registry;
use cadre_sandbox::{Running, Sandbox, SandboxOptions};
use cadre_store::{
    EndUser, EnvironmentKind, EnvironmentScope, IntegrationIssueKind, IntegrationScope,
    IntegrationStatus, ListQuery, MasterKey, NewEndpoint, RunKind, RunState, RunTrigger,
    new_secret,
};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::soak_receiver::{Receiver, Told};
use crate::soak_worker::{MovedClock, Setting, see_to_the_end};

/// The lists that are watched, and the models that they become.
const WATCHED: &[(&str, &str)] = &[("employees", "hris_employees"), ("absences", "hris_absences")];

/// Longer than a lease, in milliseconds.
pub(crate) const LEASE_MS: i64 = 40_000;

/// What rounds found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Rounds that were run.
    pub rounds: u64,
    /// Faults that were ordered.
    pub faults: u64,
    /// Runs whose worker was taken away, in this process.
    pub dropped: u64,
    /// Processes of workers that were killed.
    pub killed: u64,
    /// How often the receiver was killed.
    pub receiver_killed: u64,
    /// What the receiver was told.
    pub told: Told,
    /// Records that are there twice.
    pub duplicates: u64,
    /// Records marked as deleted although the tool has them.
    pub false_deletions: u64,
    /// Records that the tool does not have, after a run that claimed to have seen everything.
    pub missed_deletions: u64,
    /// Records that the tool has, missing after such a run.
    pub missing: u64,
    /// Fields that were held although no field had fallen.
    pub false_alarms: u64,
    /// Deletions that were found.
    pub true_deletions: u64,
    /// Runs that vouched for a watched model.
    pub complete: u64,
    /// What happened in the rounds that went wrong.
    pub stories: Vec<String>,
}

impl Findings {
    /// What two harnesses found.
    #[must_use]
    pub fn and(mut self, other: Findings) -> Findings {
        for (sum, more) in [
            (&mut self.rounds, other.rounds),
            (&mut self.faults, other.faults),
            (&mut self.dropped, other.dropped),
            (&mut self.killed, other.killed),
            (&mut self.receiver_killed, other.receiver_killed),
            (&mut self.told.messages, other.told.messages),
            (&mut self.told.again, other.told.again),
            (&mut self.told.lost, other.told.lost),
            (&mut self.told.out_of_order, other.told.out_of_order),
            (&mut self.told.false_numbers, other.told.false_numbers),
            (&mut self.duplicates, other.duplicates),
            (&mut self.false_deletions, other.false_deletions),
            (&mut self.missed_deletions, other.missed_deletions),
            (&mut self.missing, other.missing),
            (&mut self.false_alarms, other.false_alarms),
            (&mut self.true_deletions, other.true_deletions),
            (&mut self.complete, other.complete),
        ] {
            *sum += more;
        }
        self.stories.extend(other.stories);
        self
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let told = &self.told;
        let mirror = self.false_deletions + self.missed_deletions + self.missing + self.duplicates;
        let events = told.lost + told.out_of_order + told.false_numbers;
        mirror + events + self.false_alarms == 0
    }
}

/// A harness: a store, a made-up tool, an integration between them.
pub struct Soak {
    pub(crate) parts: Parts,
    pub(crate) scope: IntegrationScope,
    pub(crate) environment: EnvironmentScope,
    pub(crate) endpoint: String,
    pub(crate) receiver: Receiver,
    setting: Setting,
    program: std::path::PathBuf,
    pub(crate) clock: Arc<MovedClock>,
    _folder: tempfile::TempDir,
    sandbox: Running,
    client: reqwest::Client,
    pub(crate) dice: StdRng,
    pub(crate) findings: Findings,
    /// Deleted records that were seen before, by model.
    gone: BTreeMap<&'static str, BTreeSet<String>>,
}

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

impl Soak {
    /// Links a made-up tool to an empty database and syncs it once. `program` is the binary `soak`, which is
    /// the receiver and the worker when it is told so.
    ///
    /// # Errors
    ///
    /// When anything on the way fails.
    pub async fn start(
        database_url: &str,
        connectors: &Path,
        program: &Path,
        seed: u64,
    ) -> Outcome<Soak> {
        let mut dice = StdRng::seed_from_u64(seed);
        let clock = Arc::new(MovedClock::default());
        // Whatever the tool's clock says, ours says something else.
        clock.advance(dice.random_range(-100_000_000..100_000_000));
        let setting = Setting {
            database_url: database_url.to_owned(),
            connectors: connectors.to_owned(),
            key: MasterKey::random().print(),
        };
        let parts = setting.parts(clock.clone()).await?;
        let folder = tempfile::tempdir()?;
        let secret = new_secret();
        let file = folder.path().join("told");
        let receiver = Receiver::start(program, file, secret.expose(), seed)?;
        let options =
            SandboxOptions { seed, employees: 260, rate_limit: None, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options).await?;
        let environment =
            parts.store.environment_create("soak", EnvironmentKind::Production).await?;
        let environment =
            parts.store.system_scope(&environment.id).await?.ok_or("no environment")?;
        let new = NewEndpoint {
            url: receiver.url(),
            types: Vec::new(),
            numbered: true,
            secret,
            after: Some(0),
        };
        let endpoint = parts.store.endpoint_create(&environment, new).await?.id;
        let scope = integration(&parts, &environment, &sandbox).await?;
        let mut soak = Soak {
            parts,
            scope,
            environment,
            endpoint,
            receiver,
            setting,
            program: program.to_owned(),
            clock,
            _folder: folder,
            sandbox,
            client: client(),
            dice,
            findings: Findings::default(),
            gone: BTreeMap::new(),
        };
        worker::drain(&soak.parts).await?;
        soak.judge().await?;
        Ok(soak)
    }

    /// Runs so many rounds; what was found in all of them so far.
    ///
    /// # Errors
    ///
    /// When the harness itself fails.
    pub async fn rounds(&mut self, count: u64) -> Outcome<Findings> {
        for _ in 0..count {
            self.round().await?;
            self.findings.rounds += 1;
        }
        self.settle_events().await?;
        Ok(self.findings.clone())
    }

    /// Ends the tool, the receiver and the connections to the database.
    pub async fn stop(self) {
        let Soak { parts, sandbox, receiver, .. } = self;
        drop(receiver);
        sandbox.stop().await;
        parts.store.close().await;
    }

    async fn round(&mut self) -> Outcome<()> {
        self.change().await?;
        // Every tenth round is calm: nothing else can be blamed for what is wrong then.
        let calm = self.findings.rounds % 10 == 9;
        if !calm && self.dice.random_bool(0.8) {
            self.order_faults().await?;
        }
        let before = self.truth().await?;
        let kind = if !calm && self.dice.random_bool(0.3) { RunKind::Delta } else { RunKind::Full };
        let asked = enqueue_sync(&self.parts.store, &self.scope, kind, RunTrigger::ForceSync).await;
        let asked = asked.map_err(|fault| fault.message)?;
        let moving = !calm && self.dice.random_bool(0.3);
        let kill = !calm && self.dice.random_bool(0.15);
        self.sync(moving, kill).await?;
        see_to_the_end(&self.parts, &self.scope, &self.clock, &asked.run_id).await?;
        self.admin(reqwest::Method::DELETE, "faults", &Value::Null).await?;
        let after = self.truth().await?;
        let run = self.parts.store.run_get(&self.scope, &asked.run_id).await?;
        let run = run.ok_or("the run is gone")?;
        if run.state == RunState::AuthenticationFailed {
            let active = IntegrationStatus::Active;
            self.parts.store.integration_status_set(&self.scope, active, None).await?;
        }
        if calm && run.state != RunState::Succeeded {
            return Err(format!("a calm run ended as {}: {:?}", run.state, run.reason).into());
        }
        let told = format!(
            "round {}, {} run {}: {}; {}",
            self.findings.rounds,
            run.kind,
            run.state,
            run.reason.as_deref().unwrap_or_default(),
            run.counts["streams"]
        );
        for (list, model) in WATCHED {
            let (was, is) = (&before[list], &after[list]);
            let proof = &run.counts["receipt"]["models"][*model]["proof"];
            let wrong = self.compare(model, was, is, proof == "complete" && !moving).await?;
            if wrong > 0 {
                self.findings.stories.push(format!("{wrong} of {model} in {told}"));
            }
        }
        self.tell(calm).await?;
        self.judge().await
    }

    /// Compares the mirror with the tool as it was before and after the run.
    async fn compare(
        &mut self,
        model: &'static str,
        was: &BTreeSet<String>,
        is: &BTreeSet<String>,
        exact: bool,
    ) -> Outcome<u64> {
        let (live, deleted) = self.stored(model).await?;
        let known = self.gone.entry(model).or_default();
        let found: Vec<&String> = deleted.difference(known).collect();
        // Who was there all the time was never gone.
        let wrong = found.iter().filter(|id| was.contains(**id) && is.contains(**id)).count();
        self.findings.false_deletions += wrong as u64;
        self.findings.true_deletions += (found.len() - wrong) as u64;
        *known = deleted;
        let mut wrong = wrong as u64;
        if exact {
            self.findings.complete += 1;
            self.findings.missed_deletions += live.difference(is).count() as u64;
            self.findings.missing += is.difference(&live).count() as u64;
            wrong += live.symmetric_difference(is).count() as u64;
        }
        Ok(wrong)
    }

    /// Looks for fields that were held: no round makes one fall.
    async fn judge(&mut self) -> Outcome<()> {
        for issue in self.parts.store.integration_issues(&self.scope, 1_000).await? {
            let open = issue.resolved_at.is_none();
            if open && issue.kind == IntegrationIssueKind::FieldDegraded {
                self.findings.false_alarms += 1;
            }
        }
        Ok(())
    }

    /// Does the sync; `kill` takes the worker away once, `moving` changes the data meanwhile.
    async fn sync(&mut self, moving: bool, kill: bool) -> Outcome<()> {
        if kill && self.dice.random_bool(0.5) {
            let mut process = self.setting.spawn(&self.program, &self.clock)?;
            tokio::time::sleep(Duration::from_millis(self.dice.random_range(5..150))).await;
            process.kill()?;
            process.wait()?;
            self.findings.killed += 1;
            self.clock.advance(LEASE_MS);
        } else if kill {
            let life = Duration::from_millis(self.dice.random_range(1..60));
            let work = worker::drain(&self.parts);
            if tokio::time::timeout(life, work).await.is_err() {
                self.findings.dropped += 1;
                // Nobody gives the job back: its lease has to run out.
                self.clock.advance(LEASE_MS);
            }
        }
        let pause = Duration::from_millis(self.dice.random_range(1..30));
        let changes = if moving { self.changes(3) } else { Vec::new() };
        let change = async {
            if moving {
                tokio::time::sleep(pause).await;
                self.admin(reqwest::Method::POST, "mutate", &Value::Array(changes)).await?;
            }
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        };
        let (worked, changed) = tokio::join!(worker::drain(&self.parts), change);
        worked?;
        // Somebody may have been deleted already: then there was nothing to change.
        let _ = changed;
        Ok(())
    }

    async fn change(&mut self) -> Outcome<()> {
        let count = self.dice.random_range(0..6);
        for change in self.changes(count) {
            let _ = self.admin(reqwest::Method::POST, "mutate", &json!([change])).await;
        }
        let looks = self.findings.rounds.is_multiple_of(8);
        if looks && self.truth().await?["employees"].len() < 230 {
            let hire = json!([{"op": "hire", "count": 25}]);
            self.admin(reqwest::Method::POST, "mutate", &hire).await?;
        }
        Ok(())
    }

    fn changes(&mut self, count: usize) -> Vec<Value> {
        let live: Vec<String> = people();
        let mut changes = Vec::new();
        for _ in 0..count {
            let id = live.choose(&mut self.dice).cloned().unwrap_or_default();
            changes.push(match self.dice.random_range(0..7) {
                0 => json!({"op": "hire", "count": 1}),
                1 => json!({"op": "delete", "tool": "hris", "table": "employees", "id": id}),
                2 => json!({"op": "archive", "tool": "hris", "table": "employees", "id": id}),
                3 => json!({"op": "rename", "id": id}),
                4 => json!({"op": "leave"}),
                // Now and then somebody has no address any more: that is no field that fell.
                5 => json!({"op": "set", "tool": "hris", "table": "employees", "id": id,
                            "patch": {"contact": {"work_email": null}}}),
                _ => json!({"op": "set", "tool": "hris", "table": "employees", "id": id,
                            "patch": {"position_title": format!("Title {}", self.dice.random_range(0..1000))}}),
            });
        }
        changes
    }

    async fn order_faults(&mut self) -> Outcome<()> {
        const PATHS: &[&str] =
            &["/hris/v1/employees", "/hris/v1/absences", "/hris/v1/absence-types", "/hris"];
        for _ in 0..self.dice.random_range(1..4) {
            let mut order = match self.dice.random_range(0..12) {
                0 => json!({"fault": "status", "status": 500}),
                1 => json!({"fault": "status", "status": 503}),
                2 => json!({"fault": "cut_body"}),
                3 => json!({"fault": "invalid_json"}),
                4 => json!({"fault": "html"}),
                5 => json!({"fault": "drop_connection"}),
                6 => json!({"fault": "rate_limit", "retry_after": 0}),
                7 => json!({"fault": "expire_tokens"}),
                8 => json!({"fault": "empty_page"}),
                9 => json!({"fault": "duplicate_page"}),
                10 => json!({"fault": "delay_ms", "ms": self.dice.random_range(1..40)}),
                _ => json!({"fault": "forbid"}),
            };
            order["match"] = json!({"path": PATHS.choose(&mut self.dice)});
            order["times"] = self.dice.random_range(1..6).into();
            order["after"] = self.dice.random_range(0..4).into();
            self.admin(reqwest::Method::POST, "faults", &order).await?;
            self.findings.faults += 1;
        }
        Ok(())
    }

    pub(crate) async fn admin(
        &self,
        method: reqwest::Method,
        what: &str,
        body: &Value,
    ) -> Outcome<()> {
        let url = format!("{}/admin/{what}", self.sandbox.base_url);
        let request = self.client.request(method, url).header("Content-Type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.text().await?.into()) }
    }

    /// The ids that the tool has, by list; asked by the back door, where no fault strikes.
    async fn truth(&self) -> Outcome<BTreeMap<&'static str, BTreeSet<String>>> {
        let mut all = BTreeMap::new();
        for (list, _) in WATCHED {
            let url = format!("{}/admin/tables/hris/{list}", self.sandbox.base_url);
            let text = self.client.get(url).send().await?.error_for_status()?.text().await?;
            all.insert(*list, serde_json::from_str(&text)?);
        }
        Ok(all)
    }

    /// The remote ids of live and deleted records.
    async fn stored(&mut self, model: &str) -> Outcome<(BTreeSet<String>, BTreeSet<String>)> {
        let (mut live, mut deleted) = (BTreeSet::new(), BTreeSet::new());
        for record in self.shown(model, true).await? {
            let id = record["remote_id"].as_str().unwrap_or_default().to_owned();
            let of = if record["remote_deleted_at"].is_null() { &mut live } else { &mut deleted };
            self.findings.duplicates += u64::from(!of.insert(id));
        }
        self.findings.duplicates += live.intersection(&deleted).count() as u64;
        Ok((live, deleted))
    }

    /// The records of a model, as callers see them.
    pub(crate) async fn shown(&self, model: &str, include_deleted: bool) -> Outcome<Vec<Value>> {
        let known = registry::model(model).ok_or("no such model")?;
        let mut all: Vec<Value> = Vec::new();
        let mut after = None;
        loop {
            let query =
                ListQuery { limit: 250, after_id: after, include_deleted, ..ListQuery::default() };
            let hidden = std::collections::HashSet::new();
            let page = self.parts.store.records_list(&self.scope, known, &query, &hidden).await?;
            all.extend(serde_json::from_str::<Vec<Value>>(&page.body)?);
            after = page.last_id;
            if !page.more {
                return Ok(all);
            }
        }
    }
}

async fn integration(
    parts: &Parts,
    environment: &EnvironmentScope,
    sandbox: &Running,
) -> Outcome<IntegrationScope> {
    let store = &parts.store;
    // Few models, so that many rounds fit into little time.
    let config = store.scope_config_default(environment).await?;
    let models: Map<String, Value> = registry::models()
        .iter()
        .filter(|model| !WATCHED.iter().any(|(_, watched)| *watched == model.id))
        .map(|model| (model.id.to_owned(), json!({"setting": "DISABLED"})))
        .collect();
    store.scope_config_update(environment, &config.id, &json!({"models": models})).await?;
    let form = json!({
        "base_url": sandbox.base_url, "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    });
    let new = Link {
        tool: "sandboxhris".to_owned(),
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
    let (integration, _) = link(parts, environment, new).await.map_err(|fault| fault.message)?;
    let scope = store.system_integration_scope(&integration.id).await?;
    Ok(scope.ok_or("no integration")?)
}

/// Ids that the made-up tool gives its people, from the first on.
fn people() -> Vec<String> {
    (10_001..10_301).map(|id: u32| id.to_string()).collect()
}

#[expect(clippy::disallowed_methods, reason = "it talks to the made-up tool, not to a vendor")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}
