//! One page: asked for, its records found, the place of the next one worked out, and the
//! sub-requests of its records.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cadre_jq::Vars;
use cadre_model::fault::Code;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use rustc_hash::FxHasher;
use serde_json::Value;

use super::RawRecord;
use crate::classify::Failure;
use crate::manifest::{self, Expression};
use crate::page::{self, Paging, Position};
use crate::request;
use crate::send::{Answer, Call};
use crate::session::Inner;

/// A page of one stream, without sub-requests.
pub(super) struct Fetched {
    pub(super) records: Vec<Value>,
    pub(super) next: Option<Position>,
    /// How many records there are in all, where the answer states it.
    pub(super) stated: Option<u64>,
    /// Whether it holds no record although there are pages after it that do.
    pub(super) hole: bool,
    /// Of the records; `None` without any.
    pub(super) fingerprint: Option<u64>,
}

/// What the sub-requests of a page gave.
#[derive(Default)]
pub(super) struct Below {
    pub(super) records: Vec<RawRecord>,
    pub(super) problems: Vec<Failure>,
    pub(super) incomplete: Vec<String>,
}

impl Below {
    pub(super) fn add(&mut self, other: Below) {
        self.records.extend(other.records);
        for problem in other.problems {
            // One problem of a kind and page says enough.
            if !self
                .problems
                .iter()
                .any(|known| known.rule == problem.rule && known.status == problem.status)
            {
                self.problems.push(problem);
            }
        }
        for name in other.incomplete {
            if !self.incomplete.contains(&name) {
                self.incomplete.push(name);
            }
        }
    }
}

impl Inner {
    /// Asks for one page of a stream.
    pub(super) async fn fetch(
        &self,
        at: usize,
        position: &Position,
        parent: &Value,
    ) -> Result<Fetched, Failure> {
        let stream = &self.connector.all()[at];
        let (Some(request), Some(paging)) = (&stream.section.request, &stream.section.paging)
        else {
            let message = format!("The stream `{}` has no request.", stream.name());
            return Err(Failure::new(Code::PlatformUnknownError, "internal", message));
        };
        let changed = self.since.get(&at).zip(stream.section.delta.as_ref());
        let page = paging.page(position);
        let build = |vars: &Vars<'_>| {
            let place = Some((paging, position));
            let manifest = self.connector.manifest();
            match changed {
                Some((since, delta)) => {
                    let vars = vars.with("$since", since);
                    request::build(manifest, &delta.request, place, &vars)
                }
                None => request::build(manifest, request, place, vars),
            }
        };
        let report = self.prepared(at).await?;
        let call = Call {
            rules: vec![(
                format!("{} {}.errors", manifest::FILE, stream.place()),
                stream.section.errors.as_slice(),
            )],
            format: stream.section.response.format,
            lists: &stream.section.response.lists,
            report: &report,
            page: &page,
            parent,
            ..Call::new(stream.name(), &build)
        };
        let answer = self.call(&call).await?;
        if answer.no_records {
            return Ok(Fetched {
                records: Vec::new(),
                next: None,
                stated: None,
                hole: false,
                fingerprint: None,
            });
        }
        self.read_answer(at, paging, position, &page, parent, answer)
    }

    fn read_answer(
        &self,
        at: usize,
        paging: &Paging,
        position: &Position,
        page: &Value,
        parent: &Value,
        answer: Answer,
    ) -> Result<Fetched, Failure> {
        let Answer { status, headers, mut body, url, .. } = answer;
        let vars = self
            .vars_about(parent)
            .with("$status", &status)
            .with("$headers", &headers)
            .with("$page", page);
        let found = match self.connector.all()[at].records_path.as_deref() {
            Some(path) => Found::at(&body, path),
            None => Found::Copied(self.evaluate(at, &body, &vars, &status)?),
        };
        let count = match &found {
            Found::Copied(records) => records.len(),
            Found::Taken(count) => *count,
            Found::Missing if body.is_null() && status == 204 => 0,
            Found::Missing => return Err(self.no_records_there(at, &url, &status)),
        };
        let looked_at = page::Answer {
            body: &body,
            headers: &headers,
            records: count as u64,
            url: &url,
            vars: &vars,
        };
        let stuck = |stuck: page::Stuck| self.stuck(at, position, &stuck.0);
        let next = paging.next(position, &looked_at).map_err(stuck)?;
        let stated = paging.stated(&looked_at).map_err(stuck)?;
        let hole = paging.has_hole(&looked_at, next.as_ref());
        let records = match (found, self.connector.all()[at].records_path.as_deref()) {
            (Found::Copied(records), _) => records,
            (Found::Taken(_), Some(path)) => take(&mut body, path),
            (Found::Taken(_) | Found::Missing, _) => Vec::new(),
        };
        let fingerprint = fingerprint(&records);
        Ok(Fetched { records, next, stated, hole, fingerprint })
    }

    /// The records that the expression of the stream yields.
    fn evaluate(
        &self,
        at: usize,
        body: &Value,
        vars: &Vars<'_>,
        status: &Value,
    ) -> Result<Vec<Value>, Failure> {
        if body.is_null() && *status == 204 {
            return Ok(Vec::new());
        }
        let stream = &self.connector.all()[at];
        let Some(expression) = &stream.section.response.records else { return Ok(Vec::new()) };
        let rule = format!("{} {}.response.records", manifest::FILE, stream.place());
        let source = expression.expr().source();
        let label = &self.connector.manifest().label;
        let outputs = expression.expr().all(body, vars).map_err(|error| {
            let message = format!(
                "The answer of {label} for `{}` is not what is expected: `{source}` failed: {error}.",
                stream.name()
            );
            Failure::new(Code::RemoteUnknownHttpError, rule.clone(), self.redactor().text(&message))
        })?;
        let mut outputs: Vec<Value> =
            outputs.into_iter().map(std::borrow::Cow::into_owned).collect();
        match outputs.as_mut_slice() {
            [Value::Array(items)] => Ok(std::mem::take(items)),
            [Value::Null] => {
                let message = format!(
                    "The answer of {label} for `{}` has no records: `{source}` gave null.",
                    stream.name()
                );
                Err(Failure::new(Code::RemoteUnknownHttpError, rule, message))
            }
            _ => Ok(outputs),
        }
    }

    fn no_records_there(&self, at: usize, url: &url::Url, status: &Value) -> Failure {
        let stream = &self.connector.all()[at];
        let source =
            stream.section.response.records.as_ref().map_or(".", |records| records.expr().source());
        let message = format!(
            "{} answered GET {} with status {status}, but the answer has no records at `{source}`.",
            self.connector.manifest().label,
            url.path(),
        );
        let rule = format!("{} {}.response.records", manifest::FILE, stream.place());
        Failure::new(Code::RemoteUnknownHttpError, rule, self.redactor().text(&message))
            .hint("The tool may have changed its answer; nothing was taken for deleted.")
    }

    pub(super) fn stuck(&self, at: usize, position: &Position, why: &str) -> Failure {
        let stream = &self.connector.all()[at];
        let message = format!(
            "The read of `{}` from {} cannot go on after page {}: {why}.",
            stream.name(),
            self.connector.manifest().label,
            position.before + 1,
        );
        let rule = format!("{} {}.paging", manifest::FILE, stream.place());
        Failure::new(Code::RemoteUnknownHttpError, rule, self.redactor().text(&message))
    }

    /// What there is to say about a pass that saw fewer records than the tool says there are: it was
    /// not complete. More are no harm: a total may be older than the pages.
    pub(super) fn short(&self, at: usize, seen: u64, stated: Option<u64>) -> Option<Failure> {
        let stated = stated.filter(|stated| seen < *stated)?;
        let found = format!("said that there are {stated} records, and sent {seen}");
        Some(self.not_whole(at, "total", &found))
    }

    /// A page in the middle has no records.
    pub(super) fn hole(&self, at: usize, position: &Position) -> Failure {
        let page = position.before + 1;
        self.not_whole(
            at,
            "pages",
            &format!("sent page {page} without records, and later ones with"),
        )
    }

    fn not_whole(&self, at: usize, key: &str, found: &str) -> Failure {
        let stream = &self.connector.all()[at];
        let label = &self.connector.manifest().label;
        let message = format!("{label} {found}: `{}` was not read completely.", stream.name());
        let rule = format!("{} {}.paging.{key}", manifest::FILE, stream.place());
        Failure::new(Code::RemoteUnknownHttpError, rule, message)
            .hint("Nothing was taken for deleted. If every sync says so, the tool counts records that the credentials may not see.")
    }

    /// The sub-requests of the records of a stream, and theirs in turn.
    pub(super) fn below<'a>(
        self: &'a Arc<Self>,
        at: usize,
        parents: &'a [Arc<Value>],
    ) -> BoxFuture<'a, Result<Below, Failure>> {
        Box::pin(async move {
            let mut all = Below::default();
            for &child in &self.connector.all()[at].children {
                if self.wants(&self.connector.all()[child]) {
                    all.add(self.child(child, parents, true).await?);
                }
            }
            Ok(all)
        })
    }

    /// The records of one stream of sub-requests; with `deep`, theirs in turn.
    pub(super) async fn child(
        self: &Arc<Self>,
        at: usize,
        parents: &[Arc<Value>],
        deep: bool,
    ) -> Result<Below, Failure> {
        let stream = &self.connector.all()[at];
        let when = stream.section.each.as_ref().and_then(|each| each.when.as_ref());
        let asked: Vec<&Arc<Value>> = parents
            .iter()
            .filter(|parent| when.is_none_or(|when| when.holds(parent, &self.vars())))
            .collect();
        let at_once = self.connector.manifest().limits.concurrency.max(1);
        let mut all = Below::default();
        // In order, so that a run is the same whoever answers first.
        let requests: Vec<_> =
            asked.into_iter().map(|parent| self.child_of(at, parent.clone(), deep)).collect();
        let mut answers = stream::iter(requests).buffered(at_once);
        while let Some(below) = answers.try_next().await? {
            all.add(below);
        }
        if self.outcomes[at].1.load(Ordering::Relaxed) > 0 {
            all.add(Below { incomplete: self.connector.family(stream.name()), ..Below::default() });
        }
        Ok(all)
    }

    /// The sub-requests of one record.
    fn child_of(
        self: &Arc<Self>,
        at: usize,
        parent: Arc<Value>,
        deep: bool,
    ) -> BoxFuture<'_, Result<Below, Failure>> {
        Box::pin(async move {
            let stream = &self.connector.all()[at];
            if stream.is_optional() && self.is_closed(at) {
                return Ok(Below::default());
            }
            let rows = stream.section.each.as_ref().and_then(|each| each.rows.as_ref());
            if let Some(rows) = rows {
                let values = self.rows_of(at, rows, &parent)?;
                return self.with_children(at, values, parent, deep).await;
            }
            let (values, short) = match self.whole_pass(at, &parent).await {
                Ok(pass) => pass,
                Err(failure)
                    if stream.is_optional()
                        && failure.fault.code == Code::IntegrationPermissionMissing =>
                {
                    self.outcomes[at].1.fetch_add(1, Ordering::Relaxed);
                    return Ok(Below { problems: vec![failure], ..Below::default() });
                }
                Err(failure) => return Err(failure),
            };
            self.outcomes[at].0.fetch_add(1, Ordering::Relaxed);
            let mut below = self.with_children(at, values, parent, deep).await?;
            if let Some(short) = short {
                let incomplete = self.connector.family(stream.name());
                below.add(Below { problems: vec![short], incomplete, ..Below::default() });
            }
            Ok(below)
        })
    }

    /// Records of a stream that belong to one parent; with `deep`, and the sub-requests of these.
    async fn with_children(
        self: &Arc<Self>,
        at: usize,
        values: Vec<Value>,
        parent: Arc<Value>,
        deep: bool,
    ) -> Result<Below, Failure> {
        let stream = &self.connector.all()[at];
        let has_children =
            stream.children.iter().any(|&child| self.wants(&self.connector.all()[child]));
        let mut below = Below::default();
        if deep && has_children {
            let shared: Vec<Arc<Value>> = values.iter().cloned().map(Arc::new).collect();
            below = self.below(at, &shared).await?;
        }
        let own = values.into_iter().map(|value| RawRecord {
            stream: stream.name.clone(),
            value,
            parent: Some(parent.clone()),
        });
        below.records = own.chain(std::mem::take(&mut below.records)).collect();
        Ok(below)
    }

    /// The rows that stand in a parent record.
    fn rows_of(&self, at: usize, rows: &Expression, parent: &Value) -> Result<Vec<Value>, Failure> {
        let stream = &self.connector.all()[at];
        let outputs = rows.expr().all(parent, &self.vars()).map_err(|error| {
            let (label, source) = (&self.connector.manifest().label, rows.expr().source());
            let message = format!(
                "A record of {label} has no `{}`: `{source}` failed: {error}.",
                stream.name()
            );
            let rule = format!("{} {}.each.rows", manifest::FILE, stream.place());
            Failure::new(Code::RemoteUnknownHttpError, rule, self.redactor().text(&message))
        })?;
        let mut found: Vec<Value> = outputs.into_iter().map(std::borrow::Cow::into_owned).collect();
        Ok(match found.as_mut_slice() {
            [Value::Array(items)] => std::mem::take(items),
            [Value::Null] => Vec::new(),
            _ => found,
        })
    }

    /// The records of all pages.
    pub(crate) async fn all_pages(&self, at: usize, parent: &Value) -> Result<Vec<Value>, Failure> {
        self.whole_pass(at, parent).await.map(|(records, _)| records)
    }

    /// The records of all pages, and why they are not complete if they are not.
    async fn whole_pass(
        &self,
        at: usize,
        parent: &Value,
    ) -> Result<(Vec<Value>, Option<Failure>), Failure> {
        let stream = &self.connector.all()[at];
        let mut position = stream.section.paging.as_ref().map(Paging::start).unwrap_or_default();
        let mut all = Vec::new();
        let (mut last, mut stated, mut short) = (None, None, None);
        loop {
            let fetched = self.fetch(at, &position, parent).await?;
            if fetched.fingerprint.is_some()
                && fetched.fingerprint == last
                && fetched.next.is_some()
            {
                return Err(self.stuck(at, &position, "the page repeats the one before it"));
            }
            last = fetched.fingerprint;
            stated = fetched.stated.or(stated);
            if fetched.hole {
                short = Some(self.hole(at, &position));
            }
            all.extend(fetched.records);
            match fetched.next {
                Some(next) => position = next,
                None => {
                    let short = self.short(at, all.len() as u64, stated).or(short);
                    return Ok((all, short));
                }
            }
        }
    }
}

/// Where the records of an answer are.
enum Found {
    /// Copied out by an expression.
    Copied(Vec<Value>),
    /// At a plain path, to be taken when nothing else looks at the body any more.
    Taken(usize),
    /// Nowhere.
    Missing,
}

impl Found {
    fn at(body: &Value, path: &[String]) -> Found {
        let found = path.iter().try_fold(body, |value, key| value.get(key));
        match found {
            None | Some(Value::Null) => Found::Missing,
            Some(Value::Array(items)) => Found::Taken(items.len()),
            Some(_) => Found::Taken(1),
        }
    }
}

fn take(body: &mut Value, path: &[String]) -> Vec<Value> {
    let found = path.iter().try_fold(body, |value, key| value.get_mut(key));
    match found.map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![other],
    }
}

/// A hash by which a page is known again.
fn fingerprint(records: &[Value]) -> Option<u64> {
    fn add(value: &Value, hash: &mut FxHasher) {
        std::mem::discriminant(value).hash(hash);
        match value {
            Value::Null => {}
            Value::Bool(flag) => flag.hash(hash),
            Value::Number(number) => number.hash(hash),
            Value::String(text) => text.hash(hash),
            Value::Array(items) => {
                items.len().hash(hash);
                items.iter().for_each(|item| add(item, hash));
            }
            Value::Object(fields) => {
                fields.len().hash(hash);
                for (name, value) in fields {
                    name.hash(hash);
                    add(value, hash);
                }
            }
        }
    }
    if records.is_empty() {
        return None;
    }
    let mut hash = FxHasher::default();
    records.iter().for_each(|record| add(record, &mut hash));
    Some(hash.finish())
}
