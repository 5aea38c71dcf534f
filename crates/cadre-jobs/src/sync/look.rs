//! The passes before a set-up is done, and the employees that a filter leaves out.
//!
//! While steps are open a run only looks: it counts what employees can be chosen by and notes which raw
//! fields there are. No record, no raw value and no answer of the tool is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use cadre_connector::Session;
use cadre_model::fault::Code;
use cadre_model::ids::record_id;
use cadre_model::mapped::Mapped;
use cadre_model::model::ModelDef;
use cadre_store::{
    Error, Integration, IntegrationScope, RunEnd, RunKind, RunState, RunTrigger, ScopeConfig, Store,
};
use serde_json::{Value, json};

use super::finish::{self, Verdict};
use super::issues;
use super::pages::Made;
use super::run::{Stop, StreamEnd, Sync};
use crate::enqueue::enqueue_sync;
use crate::settings::Parts;
use crate::setup::limit::{EMPLOYEES, FIELDS, Standing, owned_models, owner_field, standing};

/// Pages of a stream that are looked at for the fields it has.
const PAGES_FOR_FIELDS: u64 = 2;

/// The models that a set-up with open steps needs to look at.
async fn looked_at(
    store: &Store,
    scope: &IntegrationScope,
    integration: &Integration,
    config: &ScopeConfig,
) -> Result<BTreeSet<String>, Error> {
    let mut models = BTreeSet::new();
    if integration.setup.filtering {
        models.insert(EMPLOYEES.to_owned());
        let named = FIELDS.iter().filter_map(|field| field.model);
        models.extend(named.filter(|model| config.model_enabled(model)).map(str::to_owned));
    }
    if integration.setup.field_mapping {
        let wanted = store.custom_fields_of(scope).await?.into_iter().map(|one| one.field.model);
        models.extend(wanted.filter(|model| config.model_enabled(model)));
    }
    Ok(models)
}

/// The models that a run stores, and those that it reads.
pub(super) async fn wanted(
    parts: &Parts,
    scope: &IntegrationScope,
    integration: &Integration,
    scope_config: &ScopeConfig,
    maps: &[cadre_map::Mapping],
) -> Result<(BTreeSet<&'static str>, BTreeSet<&'static str>), Error> {
    let mapped = || maps.iter().map(|map| map.model().id);
    if integration.setup.is_open() {
        let needed = looked_at(&parts.store, scope, integration, scope_config).await?;
        return Ok((BTreeSet::new(), mapped().filter(|id| needed.contains(*id)).collect()));
    }
    let models: BTreeSet<_> = mapped().filter(|id| scope_config.model_enabled(id)).collect();
    let mut reads = models.clone();
    if integration.setup.in_force().is_some() {
        reads.extend(mapped().filter(|id| *id == EMPLOYEES));
    }
    Ok((models, reads))
}

impl Sync<'_> {
    /// The streams to read, those first that tell who the employees are.
    pub(super) fn roots(&self) -> Vec<String> {
        let mut roots = self.entry.roots_feeding(&self.reads);
        if self.integration.setup.in_force().is_some() {
            roots.sort_by_key(|root| !self.feeds_employees(root));
        }
        roots
    }

    pub(super) fn feeds_employees(&self, root: &str) -> bool {
        let maps = self.maps.iter().filter(|map| map.model().id == EMPLOYEES);
        maps.flat_map(|map| map.streams()).any(|stream| self.entry.root_of(stream) == root)
    }

    /// Whether who the employees are is only known of this run: they are read and not stored.
    pub(super) fn forgets_employees(&self) -> bool {
        self.reads.contains(EMPLOYEES) && !self.models.contains(EMPLOYEES)
    }

    /// Looks at a record before anything of it is taken away.
    pub(super) fn note(&self, mapped: &Mapped) {
        let setup = &self.integration.setup;
        if !setup.filtering {
            return;
        }
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        choices.see(mapped, self.scope.id());
        if let (EMPLOYEES, Some(filter)) = (mapped.model.id, setup.in_force()) {
            let standing = standing(filter, mapped, self.scope.id());
            let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
            came.employees.insert(mapped.remote_id.clone(), standing);
        }
    }

    /// Reads what the open steps need, and stores nothing of it.
    pub(super) async fn look(
        &self,
        session: &Session,
    ) -> Result<BTreeMap<String, StreamEnd>, Stop> {
        let mut ends = BTreeMap::new();
        for stream in self.roots() {
            let whole = self.integration.setup.filtering && self.feeds_filter(&stream);
            let mut end = StreamEnd::default();
            let mut reader = session.read(&stream, None);
            while whole || end.pages < PAGES_FOR_FIELDS {
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
                        end.pages += 1;
                        end.rows += page.records.len() as u64;
                        drop(self.map_records(session, &page));
                    }
                }
            }
            end.complete |= end.failure.is_none();
            if let Some(failure) = &end.failure
                && failure.fault.code == Code::IntegrationAuthenticationInvalid
            {
                return Err(Stop::Failed(failure.clone()));
            }
            ends.insert(stream, end);
        }
        Ok(ends)
    }

    fn feeds_filter(&self, root: &str) -> bool {
        let is_of_filter = |model: &ModelDef| {
            model.id == EMPLOYEES || FIELDS.iter().any(|field| field.model == Some(model.id))
        };
        let maps = self.maps.iter().filter(|map| is_of_filter(map.model()));
        maps.flat_map(|map| map.streams()).any(|stream| self.entry.root_of(stream) == root)
    }

    /// Keeps what there is to choose from, where every employee was seen.
    pub(super) async fn keep_choices(
        &self,
        ends: &BTreeMap<String, StreamEnd>,
    ) -> Result<(), Error> {
        let of_employees = |(root, end): (&String, &StreamEnd)| {
            !self.feeds_employees(root) || (end.complete && end.since.is_none())
        };
        if !ends.iter().all(of_employees) {
            return Ok(());
        }
        let found = self.choices.lock().unwrap_or_else(PoisonError::into_inner).found();
        if self.integration.setup.filtering {
            self.parts.store.filter_choices_set(&self.scope, &found).await?;
        }
        let now = self.parts.clock.now_ms();
        let noted = self.parts.store.integration_setup_change(&self.scope, |setup| {
            setup.looked_at = Some(now);
        });
        noted.await.map(drop)
    }

    /// Takes away what belongs to employees whom the filter leaves out. What is stored of them is gone.
    pub(super) async fn limit(&self, made: &mut Made) -> Result<(), Stop> {
        if self.integration.setup.in_force().is_none() {
            return Ok(());
        }
        let standings = self.standings(&made.mapped).await?;
        let mut outside = Vec::new();
        let rows = std::mem::take(&mut made.mapped).into_iter();
        let rows = rows.zip(std::mem::take(&mut made.beside)).zip(standings);
        for ((mapped, beside), standing) in rows {
            let model = mapped.model.id;
            if standing == Standing::Inside && self.models.contains(model) {
                made.mapped.push(mapped);
                made.beside.push(beside);
                continue;
            }
            if standing == Standing::Inside {
                continue;
            }
            let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
            *came.left_out.entry(model).or_default() += 1;
            if standing == Standing::Outside {
                let id = record_id(self.scope.id(), model, &mapped.remote_id);
                if model == EMPLOYEES {
                    outside.push(id.clone());
                }
                made.deleted.push((model, id));
            }
        }
        // A row that makes no record may be about anybody.
        for issue in &mut made.issues {
            if issue.model == EMPLOYEES || owner_field(&issue.model).is_some() {
                issue.got = "(not kept)".to_owned();
            }
        }
        self.let_go(made, outside).await
    }

    /// Whatever else is stored of employees who are outside now goes with them, also where it did not come.
    async fn let_go(&self, made: &mut Made, outside: Vec<String>) -> Result<(), Stop> {
        let store = &self.parts.store;
        let left = if self.forgets_employees() {
            outside
        } else {
            store.records_live_among(&self.scope, EMPLOYEES, &outside).await?
        };
        if left.is_empty() {
            return Ok(());
        }
        for (model, field) in owned_models() {
            let of = store.records_referring(&self.scope, (model, field), &left).await?;
            made.deleted.extend(of.into_iter().map(|id| (model, id)));
        }
        Ok(())
    }

    /// Where each record stands. Whoever did not come in this run stands as they are stored.
    async fn standings(&self, mapped: &[Mapped]) -> Result<Vec<Standing>, Stop> {
        let mut unknown = BTreeSet::new();
        let mut standings = Vec::with_capacity(mapped.len());
        {
            let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
            for one in mapped {
                let owner = owner(one);
                let known =
                    owner.map_or(Some(Standing::Inside), |id| came.employees.get(id).copied());
                if let (None, Some(id)) = (known, owner) {
                    unknown.insert(record_id(self.scope.id(), EMPLOYEES, id));
                }
                standings.push(known);
            }
        }
        let unknown: Vec<String> = unknown.into_iter().collect();
        let live = self.parts.store.records_live_among(&self.scope, EMPLOYEES, &unknown).await?;
        let live: BTreeSet<String> = live.into_iter().collect();
        let stored = |one: &Mapped| {
            let id = owner(one).map(|id| record_id(self.scope.id(), EMPLOYEES, id));
            match id.is_some_and(|id| live.contains(&id)) {
                true => Standing::Inside,
                false => Standing::Unsure,
            }
        };
        let pairs = standings.into_iter().zip(mapped);
        Ok(pairs.map(|(known, one)| known.unwrap_or_else(|| stored(one))).collect())
    }

    /// How many records of each model the filter left out.
    pub(super) fn left_out(&self) -> Value {
        let came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        json!(came.left_out)
    }

    /// Has another sync follow where the set-up says something else now than when the run began.
    pub(super) async fn follow(&self) -> Result<(), Error> {
        let now = self.parts.store.integration_get(&self.scope).await?;
        let Some(now) = now.filter(|now| now.deleted_at.is_none()) else { return Ok(()) };
        if !now.setup.reads_as(&self.integration.setup) {
            let asked =
                enqueue_sync(&self.parts.store, &self.scope, RunKind::Full, RunTrigger::Setup);
            if let Err(fault) = asked.await {
                tracing::warn!(cause = fault.context, "the sync after a set-up was not queued");
            }
        }
        Ok(())
    }
}

/// The employee whom a record is about, by the id in the tool; none where it is about nobody.
fn owner(mapped: &Mapped) -> Option<&str> {
    if mapped.model.id == EMPLOYEES {
        return Some(&mapped.remote_id);
    }
    mapped.fields.get(owner_field(mapped.model.id)?)?.as_str()
}

/// Ends a run that only looked.
pub(super) async fn finish_look(
    sync: &Sync<'_>,
    ends: &BTreeMap<String, StreamEnd>,
    verdict: Verdict,
) -> Result<(), Error> {
    let store = &sync.parts.store;
    if !store.job_extend(sync.job, sync.parts.settings.lease_ms()).await? {
        return Ok(());
    }
    let Verdict { state, mut reason, fault } = verdict;
    if matches!(state, RunState::Succeeded | RunState::PartiallyFailed) {
        sync.keep_choices(ends).await?;
        let seen = sync.choices.lock().unwrap_or_else(PoisonError::into_inner).employees;
        reason = format!(
            "{reason} Only what the open steps of the set-up need was looked at ({seen} employees); no \
             record was stored."
        );
    }
    issues::run_issues(sync, state, &reason).await?;
    let counts = finish::counts(sync, ends, &BTreeMap::new());
    let end = RunEnd { state, reason: Some(reason.trim().to_owned()), fault, counts };
    store.run_finish(&sync.scope, &sync.run.id, end, sync.job).await
}
