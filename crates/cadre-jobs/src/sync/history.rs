//! What is usual for a field: how full it was in the whole runs before, and how many values it lost from one
//! to the next. A fall is judged by the field's own past, as soon as there is one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;

use cadre_store::{FieldFill, IntegrationIssueKind, ModelFills, Observed, RunKind};

use super::guard::{Guard, Place, Signs};
use super::proof::{OfModel, Proof};
use super::run::Sync;

/// With fewer whole runs than this a field has no past.
const LEARNED: usize = 5;

/// With fewer records than this a share means nothing.
const ENOUGH: u64 = 20;

/// How far below its lowest a field may be, as a share, before something is wrong: from one run to the next,
/// and below what it was long ago.
const BELOW: f64 = 0.1;
const BELOW_LONG_AGO: f64 = 0.2;

/// What is usual for one field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// Whole runs that say so.
    pub(super) runs: usize,
    /// The smallest share of records that had it.
    pub(super) lowest: f64,
    /// The same, of the older half of the runs: a field that runs dry slowly takes `lowest` along.
    pub(super) lowest_long_ago: f64,
    /// The largest share of values that were lost in one run.
    pub(super) worst_loss: f64,
}

/// What is usual for the fields of an integration.
#[derive(Debug, Default)]
pub(super) struct History {
    fields: HashMap<(String, String), Usual>,
}

impl History {
    /// Out of the figures of earlier runs, the latest first.
    pub(super) fn of(runs: &[ModelFills]) -> History {
        let mut seen: HashMap<(String, String), Vec<(u64, FieldFill)>> = HashMap::new();
        for run in runs.iter().filter(|run| run.records >= ENOUGH) {
            for (field, fill) in &run.fields {
                let place = (run.model.clone(), field.clone());
                seen.entry(place).or_default().push((run.records, *fill));
            }
        }
        let usual = |runs: &[(u64, FieldFill)]| {
            let share = |(records, fill): &(u64, FieldFill)| share(fill.filled, *records);
            let lowest = |of: &[(u64, FieldFill)]| of.iter().map(share).fold(1.0, f64::min);
            let losses = runs.iter().filter(|(_, fill)| fill.had >= ENOUGH);
            Usual {
                runs: runs.len(),
                lowest: lowest(runs),
                lowest_long_ago: lowest(&runs[runs.len() / 2..]),
                worst_loss: losses.map(|(_, fill)| share_of_loss(fill)).fold(0.0, f64::max),
            }
        };
        let learned = seen.iter().filter(|(_, runs)| runs.len() >= LEARNED);
        History { fields: learned.map(|(place, runs)| (place.clone(), usual(runs))).collect() }
    }

    pub(super) fn usual(&self, (model, field): Place) -> Option<&Usual> {
        self.fields.get(&(model.to_owned(), field.to_owned()))
    }
}

impl Usual {
    /// Whether a field that is filled in so many records is emptier than its past explains. The last part is
    /// what chance alone may do with so few records.
    fn is_undercut(&self, filled: u64, records: u64) -> bool {
        let now = share(filled, records);
        let chance = 3.0 * (self.lowest * (1.0 - self.lowest) / records.max(1) as f64).sqrt();
        records >= ENOUGH
            && (now < self.lowest - BELOW - chance
                || now < self.lowest_long_ago - BELOW_LONG_AGO - chance)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn share_of_loss(fill: &FieldFill) -> f64 {
    share(fill.lost, fill.had)
}

impl Sync<'_> {
    /// What else happened to a model.
    pub(super) fn signs(&self, model: &str, guard: Option<&Guard>) -> Signs {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Signs {
            fresh: known.fresh_of(model).map(str::to_owned).collect(),
            fallen: guard.map_or(0, |guard| guard.fallen(model)),
        }
    }
}

/// Compares every field with its past, and keeps the figures of the run for later ones. Fields that were held
/// (by their subjects) are no example. What is emptier than ever, as issues.
pub(super) async fn judge(
    sync: &Sync<'_>,
    models: &BTreeMap<&'static str, OfModel>,
    held: &BTreeSet<String>,
) -> Result<Vec<Observed>, cadre_store::Error> {
    let store = &sync.parts.store;
    if sync.run.kind != RunKind::Full {
        return Ok(Vec::new());
    }
    let filled = sync.filled.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut found = Vec::new();
    for model in models.iter().filter(|(_, of)| of.proof == Proof::Complete).map(|(name, _)| *name)
    {
        let Some(came) = filled.of(model) else { continue };
        // Who took a run up in the middle has seen a part only.
        if came.records < store.records_count(&sync.scope, model, false).await? {
            continue;
        }
        let guard = sync.guard.lock().await;
        let mut fields = BTreeMap::new();
        for place in sync.maps.iter().filter(|map| map.model().id == model).flat_map(|map| {
            map.model().shape.fields.iter().filter(|field| field.nullable).map(|field| field.name)
        }) {
            let with = came.fields.get(place).copied().unwrap_or_default();
            let subject = format!("{model}.{place}");
            let (had, lost) = guard.as_ref().map_or((0, 0), |guard| guard.tally((model, place)));
            let usual = guard.as_ref().and_then(|guard| guard.usual((model, place)));
            let watched = guard.as_ref().is_some_and(|guard| guard.judges((model, place)));
            if let Some(usual) = usual.filter(|usual| usual.is_undercut(with, came.records))
                && watched
                && !held.contains(&subject)
            {
                let signs = sync.signs(model, guard.as_ref());
                found.push(emptier(sync, (model, place), (with, came.records), usual, &signs));
            } else if !held.contains(&subject) {
                fields.insert(place.to_owned(), FieldFill { filled: with, had, lost });
            }
        }
        drop(guard);
        let fills = ModelFills {
            model: model.to_owned(),
            run_id: sync.run.id.clone(),
            ended_at: sync.parts.clock.now_ms(),
            records: came.records,
            fields,
        };
        store.field_fills_keep(&sync.scope, &fills).await?;
    }
    Ok(found)
}

fn emptier(
    sync: &Sync<'_>,
    (model, place): Place,
    (filled, records): (u64, u64),
    usual: &Usual,
    signs: &Signs,
) -> Observed {
    let lowest = usual.lowest.max(usual.lowest_long_ago) * 100.0;
    Observed {
        kind: IntegrationIssueKind::FieldDegraded,
        subject: format!("{model}.{place}"),
        message: format!(
            "`{place}` of {model} is filled in {filled} of {records} records; in {} whole runs before it \
             was filled in {lowest:.0} % of them. It was not lost at once: values went little by little, or \
             records that are new come without it. {}",
            usual.runs,
            signs.words()
        ),
        hint: Some(format!(
            "Look into the tool whether people still fill it in and whether the credentials may see it for \
             everybody. If it is right, accept the issue (`cadre integration issues {}`) and sync again.",
            sync.scope.id()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cadre_store::{FieldFill, ModelFills};

    use super::{History, Usual};

    fn run(filled: u64, had: u64, lost: u64) -> ModelFills {
        let fields = BTreeMap::from([("ssn".to_owned(), FieldFill { filled, had, lost })]);
        let (model, run_id) = ("hris_employees".to_owned(), String::new());
        ModelFills { model, run_id, ended_at: 0, records: 200, fields }
    }

    fn usual(runs: &[ModelFills]) -> Option<Usual> {
        History::of(runs).usual(("hris_employees", "ssn")).copied()
    }

    #[test]
    fn few_runs_are_no_past() {
        assert_eq!(usual(&vec![run(180, 180, 1); 4]), None);
        let known = usual(&vec![run(180, 180, 9); 5]).expect("five runs are");
        assert_eq!(known, Usual { runs: 5, lowest: 0.9, lowest_long_ago: 0.9, worst_loss: 0.05 });
    }

    #[test]
    fn what_chance_does_is_no_fall() {
        let known = usual(&vec![run(180, 180, 0); 10]).expect("a past");
        assert!(!known.is_undercut(165, 200), "82 % after 90 % of 200 may be chance");
        assert!(known.is_undercut(130, 200), "65 % is not");
        assert!(!known.is_undercut(1, 19), "so few say nothing");
    }

    #[test]
    fn a_slow_leak_is_seen_by_what_was_long_ago() {
        // The latest first: 90 % once, three points less with every run.
        let leaking: Vec<ModelFills> = (0..20).map(|at| run(66 + at * 6, 0, 0)).collect();
        let known = usual(&leaking).expect("a past");
        assert!((known.lowest - 0.33).abs() < 1e-9, "{known:?}");
        assert!(known.is_undercut(60, 200), "{known:?}");
        let steady = usual(&vec![run(66, 0, 0); 20]).expect("a past");
        assert!(!steady.is_undercut(60, 200), "{steady:?}");
    }
}
