//! Streams that are read whole before anything else, and held in memory; also those of sub-requests,
//! with what they hang on.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use cadre_model::fault::Code;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Page, Reader, restart};
use crate::classify::Failure;
use crate::manifest::{Lookup, printed};
use crate::session::Inner;

impl Inner {
    /// `$lookup`, read once.
    pub(crate) async fn read_lookups(self: &Arc<Self>) -> Result<&Value, Failure> {
        self.lookups.get_or_try_init(|| self.collect_lookups()).await
    }

    async fn collect_lookups(self: &Arc<Self>) -> Result<Value, Failure> {
        let mut by_stream: IndexMap<&str, Vec<(&str, &Lookup)>> = IndexMap::new();
        for (name, lookup) in &self.connector.manifest().lookups {
            by_stream.entry(&lookup.stream).or_default().push((name, lookup));
        }
        let mut all = Map::new();
        for (stream, lookups) in by_stream {
            all.extend(self.read_for_lookups(stream, &lookups).await?);
        }
        Ok(Value::Object(all))
    }

    /// Reads a stream once, for all lookups that are made of it.
    async fn read_for_lookups(
        self: &Arc<Self>,
        stream: &str,
        lookups: &[(&str, &Lookup)],
    ) -> Result<Map<String, Value>, Failure> {
        let mut tables: Vec<Map<String, Value>> = vec![Map::new(); lookups.len()];
        let root = self.connector.root(stream);
        let at = self.connector.index(root);
        let at = at.filter(|at| self.wants(&self.connector.all()[*at]));
        // Sub-requests are not kept: with the pages of their root they would be asked for again.
        let mut held = at.filter(|_| root == stream).map(|at| (at, VecDeque::new()));
        let mut records = 0;
        let mut reader = Reader::plain(self.clone(), root);
        while let Some(page) = reader.next().await {
            let mut page = page?;
            // With a lookup that is not whole, values of other records would be lost.
            if let Some(problem) = page.problems.iter().find(|problem| !problem.is_absence()) {
                return Err(problem.clone());
            }
            if root != stream {
                page = self.down_to(stream, page).await?;
            }
            records += page.records.len();
            if records > self.io.limits.max_lookup_records {
                return Err(self.too_many(lookups));
            }
            for ((_, lookup), table) in lookups.iter().zip(&mut tables) {
                self.index(&page, lookup, table);
            }
            match &mut held {
                Some((_, pages)) => pages.push_back(page),
                None => {
                    let problems = &self.lookup_problems;
                    problems.lock().unwrap_or_else(PoisonError::into_inner).extend(page.problems);
                }
            }
        }
        if let Some((at, pages)) = held {
            self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(at, pages);
        }
        let names = lookups.iter().map(|(name, _)| (*name).to_owned());
        Ok(names.zip(tables.into_iter().map(Value::Object)).collect())
    }

    /// Of a page of a root stream, the records of a stream that hangs on it.
    async fn down_to(self: &Arc<Self>, stream: &str, page: Page) -> Result<Page, Failure> {
        let path = self.connector.path_to(stream);
        let mut parents: Vec<Arc<Value>> =
            page.records.into_iter().map(|record| Arc::new(record.value)).collect();
        let (mut problems, mut records) = (page.problems, Vec::new());
        for at in path {
            let below = self.child(at, &parents, false).await?;
            if let Some(problem) = below.problems.iter().find(|problem| !problem.is_absence()) {
                return Err(problem.clone());
            }
            problems.extend(below.problems);
            records = below.records;
            parents = records.iter().map(|record| Arc::new(record.value.clone())).collect();
        }
        Ok(Page { records, problems, ..Page::default() })
    }

    fn index(&self, page: &Page, lookup: &Lookup, table: &mut Map<String, Value>) {
        for record in &page.records {
            let key = lookup.key.value(&record.value, &self.vars());
            let Some(key) = key.ok().and_then(|key| printed(&key)) else { continue };
            if !lookup.many {
                table.insert(key, record.value.clone());
            } else if let Value::Array(list) =
                table.entry(key).or_insert_with(|| Value::Array(Vec::new()))
            {
                list.push(record.value.clone());
            }
        }
    }

    fn too_many(&self, lookups: &[(&str, &Lookup)]) -> Failure {
        let names: Vec<String> = lookups.iter().map(|(name, _)| format!("`{name}`")).collect();
        let most = self.io.limits.max_lookup_records;
        let message = format!("The lookup {} has more than {most} records.", names.join(", "));
        Failure::new(Code::PlatformUnknownError, "limit: records of a lookup", message)
    }
}

/// The pages that a lookup has read, for whoever reads the stream itself: asked for once, they are
/// handed out once.
pub(super) struct Held {
    inner: Arc<Inner>,
    pub(super) stream: usize,
    pages: VecDeque<Page>,
}

impl Held {
    /// The pages of a stream, if a lookup has read them and nobody has taken them yet.
    pub(super) fn take(inner: &Arc<Inner>, stream: usize) -> Option<Held> {
        let pages = inner.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream)?;
        Some(Held { inner: inner.clone(), stream, pages })
    }

    pub(super) async fn next(&mut self) -> Option<Result<Page, Failure>> {
        let mut page = self.pages.pop_front()?;
        page.next = (!self.pages.is_empty()).then(restart);
        let parents = page.records.iter().map(|record| Arc::new(record.value.clone()));
        let parents: Vec<Arc<Value>> = parents.collect();
        let below = match self.inner.below(self.stream, &parents).await {
            Ok(below) => below,
            Err(failure) => return Some(Err(failure)),
        };
        page.records.extend(below.records);
        page.problems.extend(below.problems);
        page.incomplete.extend(below.incomplete);
        Some(Ok(page))
    }
}
