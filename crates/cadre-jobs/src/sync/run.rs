//! One run: connector, mapping and store joined.
//!
//! A run is idempotent. It begins by asking the store what it has done already, so a worker that
//! takes over after a crash goes on at the page after the last one that was written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};

use cadre_connector::{Account, Failure, Io, Session};
use cadre_map::Policy;
use cadre_model::fault::Code;
use cadre_store::{
    Integration, IntegrationIssueState, IntegrationScope, Job, Run, RunKind, ScopeConfig,
    StreamProgress,
};
use serde_json::Value;
use tokio::sync::Mutex;

use super::finish;
use super::guard::Guard;
use super::history::History;
use super::look;
use super::pages::Filled;
use super::proof::{self, Proof};
use super::write::Writer;
use crate::catalog::Entry;
use crate::fields::known::Known;
use crate::fields::{Allowed, Extras, again, fingerprint};
use crate::grants::with_stored_grant;
use crate::hooks;
use crate::observe::Log;
use crate::pin::pinned;
use crate::scim::inbox;
use crate::settings::Parts;
use crate::setup::choices::Choices;
use crate::setup::limit::Came;

/// Milliseconds between two looks at whether a run may go on.
const CHECK_EVERY_MS: i64 = 500;

/// Most issues of an integration that a run looks at; each is about a field.
pub(super) const MOST_ISSUES: u32 = 10_000;

const CANCELLED: &str = "Somebody cancelled the sync. What it read is kept.";

const SET_UP_CHANGED: &str = "The set-up says something else now. A sync that goes by it follows.";

/// Everything one run works with.
pub(super) struct Sync<'a> {
    pub(super) parts: &'a Parts,
    pub(super) job: &'a Job,
    pub(super) scope: IntegrationScope,
    pub(super) run: Run,
    pub(super) integration: Integration,
    pub(super) entry: Arc<Entry>,
    pub(super) maps: Vec<cadre_map::Mapping>,
    /// The models that are stored.
    pub(super) models: BTreeSet<&'static str>,
    /// The models that are read; more where a filter must know who somebody is.
    pub(super) reads: BTreeSet<&'static str>,
    /// Whether steps of the set-up are open, so that nothing may be stored.
    pub(super) looks: bool,
    /// What employees can be chosen by.
    pub(super) choices: std::sync::Mutex<Choices>,
    /// Who came, and stands where to the filter.
    pub(super) came: std::sync::Mutex<Came>,
    pub(super) scope_config: ScopeConfig,
    pub(super) log: Arc<Log>,
    pub(super) now: Value,
    /// What is looked at so that it is not lost; nothing in a first sync.
    pub(super) guard: Mutex<Option<Guard>>,
    /// How many records came, and how many of them with which fields.
    pub(super) filled: std::sync::Mutex<Filled>,
    /// What may be kept of raw values.
    pub(super) policy: Policy,
    /// What records show beside their own fields.
    pub(super) extras: Extras,
    /// The raw fields that were seen.
    pub(super) known: std::sync::Mutex<Known>,
    /// When this worker took the run up.
    began_at: i64,
    /// When it was last asked whether the run may go on.
    checked_at: AtomicI64,
}

/// How a stream ended.
#[derive(Debug, Default, Clone)]
pub(super) struct StreamEnd {
    /// Whether everything that was asked for was read in this run.
    pub(super) complete: bool,
    /// Only what changed since then was asked for.
    pub(super) since: Option<i64>,
    /// What stopped it.
    pub(super) failure: Option<Failure>,
    /// Sub-streams that could not be read to their end.
    pub(super) incomplete: BTreeSet<String>,
    /// What sub-streams failed on, as words.
    pub(super) problems: Vec<Failure>,
    pub(super) pages: u64,
    pub(super) rows: u64,
    /// How many records there are in all, as the tool said last.
    pub(super) stated: Option<u64>,
    /// Whether that number changed while the stream was read: records moved between pages.
    pub(super) moved: bool,
    /// Hashes of the ids that came in this pass.
    pub(super) came: HashSet<u64>,
    /// How many records came more than once in this pass: a page was repeated, or records moved.
    pub(super) repeated: u64,
    /// When the record that changed last did so, by the tool's clock.
    pub(super) latest: Option<i64>,
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
    sync.keep_what_was_seen().await?;
    finish::finish(&sync, ends).await?;
    sync.follow().await
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
    if parts.store.run_is_cancelled(&scope, &run.id).await? {
        finish::end_without_running(parts, &scope, &run, CANCELLED).await?;
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
    let setup = &integration.setup;
    let looks = setup.is_open();
    let (models, reads) = look::wanted(parts, &scope, &integration, &scope_config, &maps).await?;
    let log = Arc::new(if setup.filtering {
        Log::without_content(interaction_id, parts.clock.clone())
    } else {
        Log::new(interaction_id, parts.settings.exchange_bodies, parts.clock.clone())
    });
    let guard = guard(parts, &scope, &integration, &scope_config, &maps).await?;
    let policy = Policy::new(&maps, &entry.maps, &Allowed(&scope_config));
    let extras = Extras::load(&parts.store, &scope, &scope_config, &maps).await?;
    let known = known(parts, &scope, &maps).await?;
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
        reads,
        looks,
        choices: std::sync::Mutex::default(),
        came: std::sync::Mutex::default(),
        scope_config,
        log,
        now,
        guard: Mutex::new(guard),
        filled: std::sync::Mutex::default(),
        policy,
        extras,
        known: std::sync::Mutex::new(known),
        began_at: parts.clock.now_ms(),
        checked_at: AtomicI64::new(i64::MIN),
    }))
}

/// The raw fields that are known of the models that are mapped.
async fn known(
    parts: &Parts,
    scope: &IntegrationScope,
    maps: &[cadre_map::Mapping],
) -> Result<Known, cadre_store::Error> {
    let mut known = Known::default();
    for field in parts.store.integration_fields(scope).await? {
        if let Some(map) = maps.iter().find(|map| map.model().id == field.model) {
            known.note(map.model().id, field.key);
        }
    }
    Ok(known)
}

/// A guard over every field that is mapped and wanted, but for those of which a person says that the
/// fall is right. There is nothing to lose before the first sync.
async fn guard(
    parts: &Parts,
    scope: &IntegrationScope,
    integration: &Integration,
    scope_config: &ScopeConfig,
    maps: &[cadre_map::Mapping],
) -> Result<Option<Guard>, cadre_store::Error> {
    if integration.first_synced_at.is_none() {
        return Ok(None);
    }
    let issues = parts.store.integration_issues(scope, MOST_ISSUES).await?;
    let accepted: HashSet<String> = issues
        .into_iter()
        .filter(|issue| issue.state == IntegrationIssueState::Accepted)
        .map(|issue| issue.subject)
        .collect();
    let (mut watched, mut right) = (HashSet::new(), HashSet::new());
    for map in maps {
        let model = map.model();
        let offered = map.offered_fields();
        let fields = model.shape.fields.iter().map(|field| field.name);
        let places = fields.chain(model.relations.iter().map(|relation| relation.name));
        for place in places
            .filter(|place| offered.contains(*place))
            .filter(|place| scope_config.field_enabled(model.id, place))
        {
            watched.insert((model.id, place));
            if accepted.contains(&format!("{}.{place}", model.id)) {
                right.insert((model.id, place));
            }
        }
    }
    let history = History::of(&parts.store.field_fills(scope).await?);
    Ok(Some(Guard::new(watched, right, history)))
}

impl Sync<'_> {
    /// Keeps the raw fields that were seen. Where other values are wanted now than when the run began,
    /// what it wrote is made once more.
    async fn keep_what_was_seen(&self) -> Result<(), cadre_store::Error> {
        let store = &self.parts.store;
        let fresh =
            self.known.lock().unwrap_or_else(PoisonError::into_inner).fresh(self.scope.id());
        store.integration_fields_learn(&self.scope, &fresh).await?;
        let extras = Extras::load(store, &self.scope, &self.scope_config, &self.maps).await?;
        let Some(integration) = store.integration_get(&self.scope).await? else { return Ok(()) };
        if self.looks || (extras == self.extras && integration.mapping == self.integration.mapping)
        {
            return Ok(());
        }
        let wish = format!("{} {}", self.run.id, fingerprint(&integration, &extras));
        again::ask_for(store, &self.scope, &wish).await
    }

    /// Reads every stream that feeds an enabled model.
    async fn read_all(&self) -> Result<BTreeMap<String, StreamEnd>, Stop> {
        let secrets = self.parts.store.integration_secrets(&self.scope).await?;
        let account = Account { settings: self.integration.settings.clone(), secrets };
        let io = Io {
            http: inbox::client(self.parts, &self.scope, &self.entry),
            clock: self.parts.clock.clone(),
            observer: self.log.clone(),
            limits: self.parts.settings.read.clone(),
        };
        let wanted = self.maps.iter().filter(|map| self.reads.contains(map.model().id));
        let wanted = wanted.flat_map(|map| map.streams()).map(str::to_owned);
        let connector = self.entry.connector.clone();
        let session = self.parts.standings.session(self.scope.id(), connector, account, io);
        let session = with_stored_grant(self.parts, session, &self.scope);
        let mut session = session.only(wanted);
        let since = self.since().await?;
        let told = since.iter().map(|(stream, ms)| (stream.clone(), cadre_model::time::wire(*ms)));
        session = session.since(told);
        session.lookups().await.map_err(Stop::Failed)?;
        if self.looks {
            let ends = self.look(&session).await?;
            self.pin(&session).await?;
            return Ok(ends);
        }
        let lookups = self.policy.keep_lookup(session.lookup_values());
        // Lookups may name whoever the filter leaves out.
        if !lookups.is_null() && !self.integration.setup.filtering {
            self.parts.store.raw_lookups_set(&self.scope, &lookups).await?;
        }
        let progress = self.parts.store.run_stream_progress(&self.scope, &self.run.id).await?;
        let mut ends = BTreeMap::new();
        for stream in self.roots() {
            let again = self.forgets_employees() && self.feeds_employees(&stream);
            let before = progress.iter().find(|progress| progress.stream == stream && !again);
            let mut end = self.read_stream(&session, &stream, before).await?;
            end.since = since.get(&stream).copied();
            self.mark(&stream, &end).await?;
            if let Some(failure) = &end.failure {
                // With credentials that no longer hold, every other stream fails in the same way.
                if failure.fault.code == Code::IntegrationAuthenticationInvalid {
                    return Err(Stop::Failed(failure.clone()));
                }
            }
            ends.insert(stream, end);
        }
        self.look_again(&session, &mut ends).await?;
        self.pin(&session).await?;
        hooks::subscribe(self.parts, &self.scope, &self.entry, &session).await?;
        Ok(ends)
    }

    /// Reads streams of several pages once more where records were not seen: while pages were read one
    /// after the other, what was on a later page may have moved to one that was read already.
    async fn look_again(
        &self,
        session: &Session,
        ends: &mut BTreeMap<String, StreamEnd>,
    ) -> Result<(), Stop> {
        let mut again = BTreeSet::new();
        for model in &self.models {
            if proof::reached(self, model, ends) != Proof::Complete {
                continue;
            }
            let feeding = self.maps.iter().filter(|map| map.model().id == *model);
            let roots: BTreeSet<String> = feeding
                .flat_map(|map| map.streams())
                .map(|stream| self.entry.root_of(stream))
                .filter(|root| ends.get(root).is_some_and(|end| end.pages > 1))
                .collect();
            if !roots.is_empty()
                && self.parts.store.records_unseen(&self.scope, &self.run.id, model).await? > 0
            {
                again.extend(roots);
            }
        }
        for stream in again {
            let end = self.read_stream(session, &stream, None).await?;
            ends.insert(stream, end);
        }
        Ok(())
    }

    /// Notes from when on changes are unread. What changed while the stream was read has a time after its
    /// beginning: the latest time seen, less how long the run has taken, is not after that.
    async fn mark(&self, stream: &str, end: &StreamEnd) -> Result<(), Stop> {
        let known = self.entry.connector.stream(stream);
        let (Some(known), true) = (known, end.complete) else { return Ok(()) };
        let overlap = known.delta_overlap_ms().unwrap_or_default();
        let now = self.parts.clock.now_ms();
        let taken = now - self.run.started_at.unwrap_or(now).min(self.began_at);
        let before = end.since.map(|since| since + overlap);
        let seen = end.latest.map(|latest| latest - taken);
        if let Some(mark) = seen.max(before) {
            self.parts.store.run_stream_mark(&self.scope, &self.run.id, stream, mark).await?;
        }
        Ok(())
    }

    /// Since when the changes of each stream are wanted; streams that are not named are read whole.
    async fn since(&self) -> Result<BTreeMap<String, i64>, Stop> {
        let mut since = BTreeMap::new();
        // What became wanted meanwhile did not change, and would be missed.
        let whole = self.integration.data_expired_at.is_some() || self.forgets_employees();
        if self.run.kind == RunKind::Delta && !whole {
            let marks = self.parts.store.run_stream_marks(&self.scope, &self.run.id).await?;
            since.extend(marks.into_iter().filter_map(|known| {
                let stream = self.entry.connector.stream(&known.stream)?;
                let from = if stream.has_mark() { known.mark? } else { known.started_at };
                Some((known.stream, from - stream.delta_overlap_ms()?))
            }));
        }
        if let Some(recent) = self.parts.store.integration_recent(&self.scope).await? {
            let streams = self.entry.connector.streams().iter();
            for stream in streams.filter(|stream| stream.can_be_bounded()) {
                let from = since.entry(stream.name().to_owned()).or_insert(recent);
                *from = recent.max(*from);
            }
        }
        Ok(since)
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
                    let page = self.map_page(session, page, &mut end).await?;
                    if !writer.write(page).await {
                        break;
                    }
                }
            }
        }
        writer.end().await?;
        Ok(end)
    }

    /// Whether the integration is still switched on; also the job's sign of life. Asked once in a while.
    pub(super) async fn check_still_wanted(&self) -> Result<(), Stop> {
        let now = self.parts.clock.now_ms();
        let checked = self.checked_at.load(Ordering::Relaxed);
        if (checked..checked.saturating_add(CHECK_EVERY_MS)).contains(&now) {
            return Ok(());
        }
        self.checked_at.store(now, Ordering::Relaxed);
        if !self.parts.store.job_extend(self.job, self.parts.settings.lease_ms()).await? {
            return Err(Stop::LeaseLost);
        }
        if self.parts.store.run_is_cancelled(&self.scope, &self.run.id).await? {
            return Err(Stop::Cancelled(CANCELLED.into()));
        }
        match self.parts.store.integration_get(&self.scope).await? {
            Some(integration) => match finish::reason_not_to_run(&integration, &self.parts.catalog)
            {
                Some(reason) => Err(Stop::Cancelled(reason)),
                None if !integration.setup.reads_as(&self.integration.setup) => {
                    Err(Stop::Cancelled(SET_UP_CHANGED.into()))
                }
                None => Ok(()),
            },
            None => Err(Stop::Cancelled("The integration was deleted.".into())),
        }
    }
}
