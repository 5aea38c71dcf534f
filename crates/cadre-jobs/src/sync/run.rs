//! One run: connector, mapping and store joined.
//!
//! A run is idempotent. It begins by asking the store what it has done already, so a worker that
//! takes over after a crash goes on at the page after the last one that was written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cadre_connector::{Account, Failure, Io, Page, Session};
use cadre_map::Context;
use cadre_model::fault::Code;
use cadre_model::mapped::{Issue, Mapped, Record, seal};
use cadre_store::{Integration, IntegrationScope, Job, Run, ScopeConfig, StreamProgress};
use serde_json::Value;

use super::finish;
use super::write::{MappedPage, Writer};
use crate::catalog::Entry;
use crate::observe::Log;
use crate::pin::pinned;
use crate::settings::Parts;

/// Milliseconds between two looks at whether a run may go on.
const CHECK_EVERY_MS: i64 = 500;

/// Everything one run works with.
pub(super) struct Sync<'a> {
    pub(super) parts: &'a Parts,
    pub(super) job: &'a Job,
    pub(super) scope: IntegrationScope,
    pub(super) run: Run,
    pub(super) integration: Integration,
    pub(super) entry: Arc<Entry>,
    pub(super) maps: Vec<cadre_map::Mapping>,
    pub(super) models: BTreeSet<&'static str>,
    pub(super) scope_config: ScopeConfig,
    pub(super) log: Arc<Log>,
    pub(super) now: Value,
    /// When it was last asked whether the run may go on.
    checked_at: AtomicI64,
}

/// How a stream ended.
#[derive(Debug, Default, Clone)]
pub(super) struct StreamEnd {
    /// Whether every record of the stream was read in this run.
    pub(super) complete: bool,
    /// What stopped it.
    pub(super) failure: Option<Failure>,
    /// Sub-streams that could not be read to their end.
    pub(super) incomplete: BTreeSet<String>,
    /// What sub-streams failed on, as words.
    pub(super) problems: Vec<Failure>,
    pub(super) pages: u64,
    pub(super) rows: u64,
}

/// Why a run stopped before its end.
pub(super) enum Stop {
    /// The run ends with this failure.
    Failed(Failure),
    /// It took longer than it may.
    TimedOut,
    /// Another worker has the job now; nothing more may be written.
    LeaseLost,
    /// The integration was switched off or deleted.
    Cancelled(String),
    /// The database failed; the job is tried again.
    Store(cadre_store::Error),
}

impl From<cadre_store::Error> for Stop {
    fn from(error: cadre_store::Error) -> Self {
        if error.is_lease_lost() { Stop::LeaseLost } else { Stop::Store(error) }
    }
}

/// Runs the sync that a job stands for, to its end.
///
/// # Errors
///
/// When the database fails; the job is then tried again.
pub async fn run(parts: &Parts, job: &Job) -> Result<(), cadre_store::Error> {
    let Some(sync) = prepare(parts, job).await? else { return Ok(()) };
    let ends = match tokio::time::timeout(parts.settings.sync_timeout, sync.read_all()).await {
        Ok(ends) => ends,
        Err(_) => Err(Stop::TimedOut),
    };
    sync.log.write(&parts.store).await;
    finish::finish(&sync, ends).await
}

async fn prepare<'a>(
    parts: &'a Parts,
    job: &'a Job,
) -> Result<Option<Sync<'a>>, cadre_store::Error> {
    let run_id = job.payload.get("run_id").and_then(Value::as_str).unwrap_or_default();
    let Some(scope) = parts
        .store
        .system_integration_scope(job.integration_id.as_deref().unwrap_or_default())
        .await?
    else {
        return Ok(None);
    };
    let Some(run) = parts.store.run_get(&scope, run_id).await? else { return Ok(None) };
    let Some(integration) = parts.store.integration_get(&scope).await? else { return Ok(None) };
    if let Some(reason) = finish::reason_not_to_run(&integration, &parts.catalog) {
        finish::end_without_running(parts, &scope, &run, &reason).await?;
        return Ok(None);
    }
    let Some(entry) = parts.catalog.get(&integration.tool) else { return Ok(None) };
    let interaction_id = parts.store.run_start(&scope, &run.id).await?;
    let environment = parts.store.system_scope(scope.environment_id()).await?;
    let scope_config = match environment {
        Some(environment) => parts.store.scope_config_of(&environment, &integration).await?,
        None => return Ok(None),
    };
    let maps = match entry.maps_for(&integration) {
        Ok(maps) => maps,
        Err(reason) => {
            finish::end_without_running(parts, &scope, &run, &reason).await?;
            return Ok(None);
        }
    };
    let models =
        maps.iter().map(|map| map.model().id).filter(|id| scope_config.model_enabled(id)).collect();
    let log =
        Arc::new(Log::new(interaction_id, parts.settings.exchange_bodies, parts.clock.clone()));
    // A resumed run keeps the moment at which it first started.
    let now =
        cadre_model::time::wire(run.started_at.unwrap_or_else(|| parts.clock.now_ms())).into();
    Ok(Some(Sync {
        parts,
        job,
        scope,
        run,
        integration,
        entry,
        maps,
        models,
        scope_config,
        log,
        now,
        checked_at: AtomicI64::new(i64::MIN),
    }))
}

impl Sync<'_> {
    /// Reads every stream that feeds an enabled model.
    async fn read_all(&self) -> Result<BTreeMap<String, StreamEnd>, Stop> {
        let secrets = self.parts.store.integration_secrets(&self.scope).await?;
        let account = Account { settings: self.integration.settings.clone(), secrets };
        let io = Io {
            http: self.parts.http.clone(),
            clock: self.parts.clock.clone(),
            observer: self.log.clone(),
            limits: self.parts.settings.read.clone(),
        };
        let wanted = self.maps.iter().filter(|map| self.models.contains(map.model().id));
        let wanted = wanted.flat_map(|map| map.streams()).map(str::to_owned);
        let connector = self.entry.connector.clone();
        let session = self.parts.standings.session(self.scope.id(), connector, account, io);
        let session = session.only(wanted);
        session.lookups().await.map_err(Stop::Failed)?;
        let progress = self.parts.store.run_stream_progress(&self.scope, &self.run.id).await?;
        let mut ends = BTreeMap::new();
        for stream in self.entry.roots_feeding(&self.models) {
            let before = progress.iter().find(|progress| progress.stream == stream);
            let end = self.read_stream(&session, &stream, before).await?;
            if let Some(failure) = &end.failure {
                // With credentials that no longer hold, every other stream fails in the same way.
                if failure.fault.code == Code::IntegrationAuthenticationInvalid {
                    return Err(Stop::Failed(failure.clone()));
                }
            }
            ends.insert(stream, end);
        }
        self.pin(&session).await?;
        Ok(ends)
    }

    /// Keeps the key of a server of files, where it is not known yet.
    async fn pin(&self, session: &Session) -> Result<(), Stop> {
        let settings = &self.integration.settings;
        if let Some(pinned) = pinned(settings, session.host_key()) {
            // Settings that were changed meanwhile are of a reconnect, which has seen a key of its own.
            self.parts.store.integration_settings_set(&self.scope, settings, &pinned).await?;
        }
        Ok(())
    }

    async fn read_stream(
        &self,
        session: &Session,
        stream: &str,
        before: Option<&StreamProgress>,
    ) -> Result<StreamEnd, Stop> {
        let mut end = StreamEnd::default();
        if let Some(before) = before {
            end.pages = before.pages;
            end.rows = before.rows;
            end.incomplete = before.incomplete.iter().cloned().collect();
            if before.complete {
                end.complete = true;
                return Ok(end);
            }
        }
        let resume = before.and_then(|before| before.next.clone());
        let mut reader = session.read(stream, resume);
        // Pages are mapped here while those before them are written.
        let mut writer = Writer::start(self, stream);
        loop {
            match reader.next().await {
                None => {
                    end.complete = true;
                    break;
                }
                Some(Err(failure)) => {
                    end.failure = Some(failure);
                    break;
                }
                Some(Ok(page)) => {
                    self.check_still_wanted().await?;
                    if !writer.write(self.map_page(session, page, &mut end)).await {
                        break;
                    }
                }
            }
        }
        writer.end().await?;
        Ok(end)
    }

    fn map_page(&self, session: &Session, page: Page, end: &mut StreamEnd) -> MappedPage {
        end.incomplete.extend(page.incomplete.iter().cloned());
        end.problems.extend(page.problems.iter().cloned());
        end.pages += 1;
        end.rows += page.records.len() as u64;
        let (records, issues) = self.map_records(session, &page);
        MappedPage {
            rows: page.records.len() as u64,
            next: page.next,
            records,
            issues,
            incomplete: end.incomplete.iter().cloned().collect(),
        }
    }

    fn map_records(&self, session: &Session, page: &Page) -> (Vec<Record>, Vec<Issue>) {
        let lookup = session.lookup_values();
        let mut records = Vec::new();
        let mut issues = Vec::new();
        for raw in &page.records {
            let context = Context {
                settings: session.settings(),
                parent: raw.parent.as_deref(),
                lookup,
                now: &self.now,
            };
            for map in self.maps.iter().filter(|map| self.models.contains(map.model().id)) {
                let outcome = map.apply(&raw.stream, &raw.value, &context);
                issues.extend(outcome.issues);
                for mut mapped in outcome.records {
                    self.keep_enabled_fields(&mut mapped);
                    records.push(seal(self.scope.id(), &mapped));
                    issues.append(&mut mapped.issues);
                }
            }
        }
        (records, issues)
    }

    /// A field that the scope configuration switches off is not stored.
    fn keep_enabled_fields(&self, mapped: &mut Mapped) {
        let model = mapped.model.id;
        let required =
            |name: &str| mapped.model.shape.field(name).is_some_and(|field| !field.nullable);
        mapped
            .fields
            .retain(|name, _| required(name) || self.scope_config.field_enabled(model, name));
        mapped.links.retain(|(name, _)| self.scope_config.field_enabled(model, name));
        mapped.issues.retain(|issue| {
            issue.field.as_deref().is_none_or(|path| {
                let field = path.split(['.', '[']).next().unwrap_or(path);
                self.scope_config.field_enabled(model, field)
            })
        });
    }

    /// Whether the integration is still switched on; also the job's sign of life. Asked once in a while.
    async fn check_still_wanted(&self) -> Result<(), Stop> {
        let now = self.parts.clock.now_ms();
        let checked = self.checked_at.load(Ordering::Relaxed);
        if (checked..checked.saturating_add(CHECK_EVERY_MS)).contains(&now) {
            return Ok(());
        }
        self.checked_at.store(now, Ordering::Relaxed);
        if !self.parts.store.job_extend(self.job, self.parts.settings.lease_ms()).await? {
            return Err(Stop::LeaseLost);
        }
        match self.parts.store.integration_get(&self.scope).await? {
            Some(integration) => match finish::reason_not_to_run(&integration, &self.parts.catalog)
            {
                Some(reason) => Err(Stop::Cancelled(reason)),
                None => Ok(()),
            },
            None => Err(Stop::Cancelled("The integration was deleted.".into())),
        }
    }
}
