//! From a page of raw records to what is stored of it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::PoisonError;

use cadre_connector::{Page, Session};
use cadre_map::Context;
use cadre_model::ids::record_id;
use cadre_model::mapped::{Issue, Mapped, Raw, seal};
use cadre_model::model::ModelDef;
use serde_json::{Map, Value};

use super::run::{Stop, StreamEnd, Sync};
use super::write::MappedPage;
use crate::fields::{endpoint, keep_enabled};

/// How many records of each model came, and with which of their fields.
#[derive(Debug, Default, Clone)]
pub(super) struct Filled {
    models: BTreeMap<&'static str, OfModel>,
}

/// The records of one model that came in a run.
#[derive(Debug, Default, Clone)]
pub(super) struct OfModel {
    /// Records that can be stored.
    pub(super) records: u64,
    /// Rows that cannot, because they have no id or lack a field that no record can be without.
    pub(super) refused: u64,
    /// By field: how many records have it.
    pub(super) fields: BTreeMap<&'static str, u64>,
}

impl Filled {
    fn add(&mut self, mapped: &Mapped) {
        let of_model = self.models.entry(mapped.model.id).or_default();
        of_model.records += 1;
        for field in mapped.model.shape.fields {
            if mapped.fields.get(field.name).is_some_and(|value| !value.is_null()) {
                *of_model.fields.entry(field.name).or_default() += 1;
            }
        }
    }

    pub(super) fn of(&self, model: &str) -> Option<&OfModel> {
        self.models.get(model)
    }
}

/// What the mapping makes of a page.
#[derive(Default)]
pub(super) struct Made {
    pub(super) mapped: Vec<Mapped>,
    /// For each of them what is stored beside it.
    pub(super) beside: Vec<Beside>,
    pub(super) issues: Vec<Issue>,
    pub(super) deleted: Vec<(&'static str, String)>,
}

/// What is stored beside a record.
pub(super) struct Beside {
    shown: Map<String, Value>,
    raw: Raw,
}

impl Sync<'_> {
    /// Maps a page, and sees to it that nothing is lost by it.
    pub(super) async fn map_page(
        &self,
        session: &Session,
        page: Page,
        end: &mut StreamEnd,
    ) -> Result<MappedPage, Stop> {
        end.incomplete.extend(page.incomplete.iter().cloned());
        end.problems.extend(page.problems.iter().cloned());
        end.pages += 1;
        end.rows += page.records.len() as u64;
        end.moved |= end.stated.is_some() && page.total != end.stated;
        end.stated = page.total.or(end.stated);
        let changes = page.records.iter().filter_map(|raw| {
            let stream = self.entry.connector.stream(&raw.stream);
            stream.filter(|stream| stream.parent().is_none())?.mark(&raw.value)
        });
        end.latest = changes.max().max(end.latest);
        let mut made = self.map_records(session, &page);
        self.limit(&mut made).await?;
        let Made { mut mapped, beside, mut issues, deleted } = made;
        let pairs = mapped.iter().zip(beside);
        let mut records: Vec<_> = pairs
            .map(|(one, Beside { shown, raw })| {
                let mut record = seal(self.scope.id(), one).with_extensions(&shown);
                record.raw = Some(raw);
                record
            })
            .collect();
        for record in &records {
            let mut hasher = DefaultHasher::new();
            (record.model, &record.id).hash(&mut hasher);
            end.repeated += u64::from(!end.came.insert(hasher.finish()));
        }
        if let Some(guard) = self.guard.lock().await.as_mut() {
            guard.page(&self.parts.store, &self.scope, &mut mapped, &mut records).await?;
        }
        issues.extend(mapped.into_iter().flat_map(|one| one.issues));
        Ok(MappedPage {
            rows: page.records.len() as u64,
            next: page.next,
            records,
            issues,
            deleted,
            incomplete: end.incomplete.iter().cloned().collect(),
        })
    }

    pub(super) fn map_records(&self, session: &Session, page: &Page) -> Made {
        let lookup = session.lookup_values();
        let mut made = Made::default();
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        for raw in &page.records {
            let context = Context {
                settings: session.settings(),
                parent: raw.parent.as_deref(),
                lookup,
                now: &self.now,
            };
            for map in self.maps.iter().filter(|map| self.reads.contains(map.model().id)) {
                let model = map.model().id;
                let mut records = 0;
                let take = &mut |table: usize, mut mapped: Mapped, value: &Value| {
                    records += 1;
                    self.note(&mapped);
                    keep_enabled(&self.scope_config, &mut mapped);
                    filled.add(&mapped);
                    let parent = raw.parent.as_deref();
                    made.beside.push(self.beside(map.model(), table, &raw.stream, value, parent));
                    made.mapped.push(mapped);
                };
                let outcome = map.apply_each(&raw.stream, &raw.value, &context, take);
                if records == 0 && !outcome.issues.is_empty() {
                    filled.models.entry(model).or_default().refused += 1;
                }
                made.issues.extend(outcome.issues);
                let gone = outcome.deleted.iter();
                made.deleted.extend(gone.map(|id| (model, record_id(self.scope.id(), model, id))));
            }
        }
        made
    }

    /// What is stored beside a record: its raw value, as far as it may be kept, and what is shown of it.
    fn beside(
        &self,
        model: &'static ModelDef,
        table: usize,
        stream: &str,
        value: &Value,
        parent: Option<&Value>,
    ) -> Beside {
        let kept = self.policy.keep((model.id, table), value, parent);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).see(model.id, &kept.value);
        Beside {
            shown: self.extras.of(model, || endpoint(&self.entry, stream), &kept.value),
            raw: Raw::new(stream, &kept.value, &kept.parent),
        }
    }
}
