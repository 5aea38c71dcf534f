//! Keeps what a tool stops sending.
//!
//! A key that lost a permission, a field that was renamed, a new word where a known one was expected: in
//! every such case the tool answers well, and values are gone. Each record is compared with itself as it
//! was. When a field that many records had is empty in too many of them, the run keeps the old values of
//! that field from then on, before anybody can read otherwise, and says so. What is too many, the field's own
//! past decides ([`super::history`]), once there is one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cadre_model::mapped::{Issue, Link, Mapped, Record, seal};
use cadre_store::{Before, IntegrationIssueKind, IntegrationScope, Observed, Store};
use serde_json::{Map, Value};

use super::history::{History, Usual};

/// A field of a model, or a relation whose links its records name.
pub(super) type Place = (&'static str, &'static str);

/// What a run has seen of fields, compared with what was stored.
#[derive(Default)]
pub(super) struct Guard {
    /// The places that are looked at: those that the mapping fills and that nobody switched off.
    watched: HashSet<Place>,
    /// Those of which a person says that the fall is right.
    accepted: HashSet<Place>,
    history: History,
    tallies: HashMap<Place, Tally>,
    held: BTreeMap<Place, u64>,
}

#[derive(Default)]
struct Tally {
    /// Records that had a value before.
    had: u64,
    /// Those of them that have none now.
    lost: u64,
    /// Those of the lost whose new value did not fit.
    misfit: u64,
    /// What did not fit about the first of them.
    problem: Option<String>,
}

impl Tally {
    /// Whether so many are gone that it is not the people who changed. A misfit is a stronger sign than
    /// an empty value: nobody empties a field by writing something unknown into it.
    fn fell(&self, usual: Option<&Usual>) -> bool {
        let share = |part: u64| part as f64 / self.had.max(1) as f64;
        if self.misfit >= 3 && share(self.misfit) >= 0.05 {
            return true;
        }
        let many = self.lost >= 5 && share(self.lost) >= 0.5
            || self.lost >= 20 && share(self.lost) >= 0.2
            || self.lost >= 3 && self.lost == self.had;
        match usual {
            // It has lost as many before, and a person found that right.
            Some(usual) if usual.worst_loss >= 0.1 => {
                many && share(self.lost) > usual.worst_loss * 1.2
            }
            // It has hardly ever lost any.
            Some(usual) if usual.worst_loss <= 0.02 && self.had >= 100 => {
                many || self.lost >= 12 && share(self.lost) >= 0.12
            }
            _ => many,
        }
    }

    /// The likely cause, in words.
    fn cause(&self, signs: &Signs) -> String {
        match &self.problem {
            Some(problem) if self.misfit * 2 >= self.lost => {
                format!(
                    "What the tool sends now does not fit ({problem}): a word or a type that was not \
                     there before."
                )
            }
            _ => signs.words(),
        }
    }
}

/// What else happened in a run to the model of a field that fell.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Raw fields that were never seen before.
    pub(super) fresh: Vec<String>,
    /// How many of its fields are held.
    pub(super) fallen: usize,
}

impl Signs {
    /// The likely cause, in words.
    pub(super) fn words(&self) -> String {
        if !self.fresh.is_empty() {
            let some: Vec<String> =
                self.fresh.iter().take(5).map(|name| format!("`{name}`")).collect();
            return format!(
                "The tool sends fields that it did not send before: {}. Perhaps it has another name now.",
                some.join(", ")
            );
        }
        if self.fallen >= 3 {
            return format!(
                "{} fields of the model fell at once: the credentials lost a permission.",
                self.fallen
            );
        }
        "The tool sends it empty or not at all: a permission was lost, or the field is not kept there any \
         more."
            .to_owned()
    }
}

impl Guard {
    pub(super) fn new(
        watched: HashSet<Place>,
        accepted: HashSet<Place>,
        history: History,
    ) -> Guard {
        Guard { watched, accepted, history, ..Guard::default() }
    }

    /// Whether it would say that the field has fallen.
    pub(super) fn judges(&self, place: Place) -> bool {
        self.watched.contains(&place) && !self.accepted.contains(&place)
    }

    /// What is usual for a field.
    pub(super) fn usual(&self, place: Place) -> Option<&Usual> {
        self.history.usual(place)
    }

    /// How many of the records that came had a value before, and how many of them have none now.
    pub(super) fn tally(&self, place: Place) -> (u64, u64) {
        self.tallies.get(&place).map_or((0, 0), |tally| (tally.had, tally.lost))
    }

    /// How many fields of a model are held.
    pub(super) fn fallen(&self, model: &str) -> usize {
        self.held.keys().filter(|(of, _)| *of == model).count()
    }

    /// Compares the records of a page with what is stored, and puts back what was lost.
    pub(super) async fn page(
        &mut self,
        store: &Store,
        scope: &IntegrationScope,
        mapped: &mut [Mapped],
        records: &mut [Record],
    ) -> Result<(), cadre_store::Error> {
        let models: BTreeSet<&'static str> = records.iter().map(|record| record.model).collect();
        for model in models {
            let of_model: Vec<&Record> =
                records.iter().filter(|record| record.model == model).collect();
            let before = store.records_before(scope, model, &of_model).await?;
            let pairs = || mapped.iter().zip(records.iter());
            for (mapped, record) in pairs().filter(|(_, record)| record.model == model) {
                if let Some(before) = before.get(&record.id) {
                    self.compare(mapped, before);
                }
            }
            self.decide(model);
            if !self.held.keys().any(|(of, _)| *of == model) {
                continue;
            }
            for (mapped, record) in mapped.iter_mut().zip(records.iter_mut()) {
                if record.model == model
                    && let Some(Before::Other { fields, links }) = before.get(&record.id)
                    && self.restore(mapped, fields, links)
                {
                    let sealed = seal(scope.id(), mapped);
                    *record = sealed.with_what_is_beside(record);
                    // The raw value that its values stand in is the one that is stored.
                    record.raw = None;
                }
            }
        }
        Ok(())
    }

    /// The fields and relations that may be empty, and are looked at.
    fn places(&self, mapped: &Mapped) -> Vec<&'static str> {
        let model = mapped.model.id;
        let fields = mapped.model.shape.fields.iter().filter(|field| field.nullable);
        let relations = mapped.links.iter().map(|(name, _)| *name);
        let all = fields.map(|field| field.name).chain(relations);
        all.filter(|place| self.watched.contains(&(model, *place))).collect()
    }

    fn compare(&mut self, mapped: &Mapped, before: &Before) {
        let model = mapped.model.id;
        match before {
            Before::Same => {
                for place in self.places(mapped).into_iter().filter(|place| is_there(place, mapped))
                {
                    self.tallies.entry((model, place)).or_default().had += 1;
                }
            }
            Before::Other { fields, links } => {
                for place in
                    self.places(mapped).into_iter().filter(|place| was_there(place, fields, links))
                {
                    let tally = self.tallies.entry((model, place)).or_default();
                    tally.had += 1;
                    let misfit = misfit(place, mapped);
                    if is_there(place, mapped) && misfit.is_none() {
                        continue;
                    }
                    // A word that is not known passes through; here it stands where a known one stood.
                    tally.lost += 1;
                    if let Some(issue) = misfit {
                        tally.misfit += 1;
                        tally
                            .problem
                            .get_or_insert_with(|| format!("{}: {}", issue.problem, issue.got));
                    }
                }
            }
        }
    }

    fn decide(&mut self, model: &str) {
        for (place, tally) in &self.tallies {
            if place.0 == model
                && !self.held.contains_key(place)
                && !self.accepted.contains(place)
                && tally.fell(self.history.usual(*place))
            {
                self.held.insert(*place, 0);
            }
        }
    }

    /// Puts old values back where they are held and gone; whether there were any.
    fn restore(
        &mut self,
        mapped: &mut Mapped,
        fields: &Map<String, Value>,
        links: &Map<String, Value>,
    ) -> bool {
        let mut restored = false;
        let model = mapped.model.id;
        for ((_, place), kept) in self.held.iter_mut().filter(|((of, _), _)| *of == model) {
            let fits = misfit(place, mapped).is_none();
            if is_there(place, mapped) && fits || !was_there(place, fields, links) {
                continue;
            }
            *kept += 1;
            restored = true;
            match links.get(*place).map(old_links) {
                // A reference is a field of its own, and holds the id in the tool.
                Some(old) if mapped.model.shape.field(place).is_some() => {
                    let target = old.into_iter().next().map(|link| link.remote_id);
                    mapped.fields.set(place, target.into());
                }
                Some(old) => {
                    mapped.links.retain(|(name, _)| name != place);
                    mapped.links.push((place, old));
                }
                None => {
                    mapped.fields.set(place, fields[*place].clone());
                }
            }
        }
        restored
    }

    /// What was held, as issues of the integration.
    pub(super) fn held(
        &self,
        integration_id: &str,
        signs: impl Fn(&'static str) -> Signs,
    ) -> Vec<Observed> {
        let observed = |(place, kept): (&Place, &u64)| {
            let tally = self.tallies.get(place)?;
            Some(Observed {
                kind: IntegrationIssueKind::FieldDegraded,
                subject: format!("{}.{}", place.0, place.1),
                message: format!(
                    "`{}` of {} was filled in {} of the records that were read, and {} of them came \
                     without it. {} The old values of {kept} records were kept.",
                    place.1,
                    place.0,
                    tally.had,
                    tally.lost,
                    tally.cause(&signs(place.0))
                ),
                hint: Some(format!(
                    "Give the credentials the permission again, or correct the mapping. If the field is \
                     really empty now, `cadre integration issues {integration_id}` shows the id of this \
                     issue; accept it and sync again."
                )),
            })
        };
        self.held.iter().filter_map(observed).collect()
    }
}

/// What does not fit about a field.
fn misfit<'m>(place: &str, mapped: &'m Mapped) -> Option<&'m Issue> {
    mapped.issues.iter().find(|issue| is_about(issue.field.as_deref(), place))
}

/// Whether an issue is about a field, or about something inside of it.
fn is_about(path: Option<&str>, place: &str) -> bool {
    path.is_some_and(|path| path.split(['.', '[']).next() == Some(place))
}

fn is_there(place: &str, mapped: &Mapped) -> bool {
    match mapped.links.iter().find(|(name, _)| *name == place) {
        Some((_, links)) => !links.is_empty(),
        None => mapped.fields.get(place).is_some_and(|value| !value.is_null()),
    }
}

fn was_there(place: &str, fields: &Map<String, Value>, links: &Map<String, Value>) -> bool {
    match links.get(place).and_then(Value::as_array) {
        Some(links) => !links.is_empty(),
        None => fields.get(place).is_some_and(|value| !value.is_null()),
    }
}

/// Stored links, `[[id, remote id, attributes?], …]`, as a mapping names them.
fn old_links(stored: &Value) -> Vec<Link> {
    let links = stored.as_array().map(Vec::as_slice).unwrap_or_default();
    links
        .iter()
        .filter_map(|link| {
            let remote_id = link.get(1)?.as_str()?.to_owned();
            let attributes = link.get(2).and_then(Value::as_object).cloned().unwrap_or_default();
            Some(Link { remote_id, attributes })
        })
        .collect()
}
