//! Reading ahead over HTTP: within a stated total several pages at once, otherwise the next page
//! while the caller works on this one. Pages are handed out in order.

use std::collections::VecDeque;
use std::sync::Arc;

use cadre_model::fault::Code;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::fetch::{Below, Fetched};
use super::{Page, RawRecord};
use crate::classify::Failure;
use crate::page::{Paging, Position};
use crate::session::Inner;

/// The pages of one stream, read ahead.
pub(super) struct Ahead {
    inner: Arc<Inner>,
    pub(super) stream: usize,
    /// The next page to ask for, when nothing is under way.
    start: Option<Position>,
    under_way: VecDeque<UnderWay>,
    /// Fingerprint of the page handed out last.
    last: Option<u64>,
    /// Records handed out.
    seen: u64,
    /// How many there are in all, as the tool said last.
    stated: Option<u64>,
    whole: bool,
}

/// A page that is being read.
struct UnderWay {
    position: Position,
    task: Task,
}

/// A task that ends when nobody waits for it any more.
struct Task(JoinHandle<Result<Assembled, Failure>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A page with its sub-requests.
struct Assembled {
    own: Fetched,
    below: Below,
}

impl Ahead {
    pub(super) fn new(
        inner: Arc<Inner>,
        stream: usize,
        position: Option<Position>,
        whole: bool,
    ) -> Ahead {
        let paging = inner.connector.all()[stream].section.paging.as_ref();
        let start = position.unwrap_or_else(|| paging.map(Paging::start).unwrap_or_default());
        let Position { last, seen, stated, .. } = start;
        let (start, under_way) = (Some(start), VecDeque::new());
        Ahead { inner, stream, start, under_way, last, seen, stated, whole }
    }

    pub(super) async fn next(&mut self) -> Option<Result<Page, Failure>> {
        if let Some(start) = self.start.take() {
            self.ask(start);
        }
        let UnderWay { position, mut task } = self.under_way.pop_front()?;
        let assembled = match (&mut task.0).await {
            Ok(Ok(assembled)) => assembled,
            Ok(Err(failure)) => return Some(Err(failure)),
            Err(error) => {
                let message = "Something went wrong on our side while a page was read.";
                let mut failure = Failure::new(Code::PlatformUnknownError, "internal", message);
                failure.fault = failure.fault.context(error.to_string());
                return Some(Err(failure));
            }
        };
        Some(self.page(&position, assembled))
    }

    /// Makes a page, and sets the next ones under way.
    fn page(&mut self, position: &Position, assembled: Assembled) -> Result<Page, Failure> {
        let Assembled { own, mut below } = assembled;
        if own.fingerprint.is_some() && own.fingerprint == self.last {
            return Err(self.inner.stuck(
                self.stream,
                position,
                "the page repeats the one before it",
            ));
        }
        self.last = own.fingerprint;
        self.seen += own.records.len() as u64;
        self.stated = own.stated.or(self.stated);
        let (last, seen, stated) = (self.last, self.seen, self.stated);
        let next = own.next.map(|next| Position { last, seen, stated, ..next });
        let mut short = own.hole.then(|| self.inner.hole(self.stream, position));
        match &next {
            // The caller hears that there is more, and the read ends.
            Some(_) if self.is_enough(position) => self.under_way.clear(),
            Some(next) => self.go_on(next),
            None => {
                self.under_way.clear();
                short = self.inner.short(self.stream, seen, stated).or(short);
            }
        }
        if let Some(short) = short {
            let incomplete =
                self.inner.connector.family(self.inner.connector.all()[self.stream].name());
            below.add(Below { problems: vec![short], incomplete, ..Below::default() });
        }
        let stream = &self.inner.connector.all()[self.stream].name;
        let records = own.records.into_iter().map(|value| RawRecord {
            stream: stream.clone(),
            value,
            parent: None,
        });
        Ok(Page {
            number: position.before + 1,
            records: records.chain(below.records).collect(),
            next: next.and_then(|next| serde_json::to_value(next).ok()),
            total: self.stated,
            problems: below.problems,
            incomplete: below.incomplete,
        })
    }

    /// Whether no page after this one is wanted.
    fn is_enough(&self, position: &Position) -> bool {
        self.wanted().is_some_and(|pages| position.before + 1 >= pages)
    }

    /// How many pages are wanted; `None` is all.
    fn wanted(&self) -> Option<u64> {
        // A lookup is read whole in any case.
        let excerpt = self.inner.io.limits.excerpt.filter(|_| self.whole);
        excerpt.map(|excerpt| excerpt.pages)
    }

    /// Sets the next page under way, and as many after it as are known to be there.
    fn go_on(&mut self, next: &Position) {
        let expected =
            self.under_way.front().is_some_and(|ahead| same_place(&ahead.position, next));
        if !expected {
            self.under_way.clear();
            self.ask(next.clone());
        }
        let most = self.inner.connector.manifest().limits.concurrency.max(1);
        while self.under_way.len() < most {
            let last = self
                .under_way
                .back()
                .map(|ahead| Position { total: next.total, ..ahead.position.clone() });
            let paging = self.inner.connector.all()[self.stream].section.paging.as_ref();
            let Some(following) = last.zip(paging).and_then(|(last, paging)| paging.ahead(&last))
            else {
                break;
            };
            if self.wanted().is_some_and(|pages| following.before >= pages) {
                break;
            }
            self.ask(following);
        }
    }

    fn ask(&mut self, position: Position) {
        let (inner, stream, whole, at) =
            (self.inner.clone(), self.stream, self.whole, position.clone());
        let task = tokio::spawn(async move { assemble(&inner, stream, &at, whole).await });
        self.under_way.push_back(UnderWay { position, task: Task(task) });
    }
}

async fn assemble(
    inner: &Arc<Inner>,
    stream: usize,
    at: &Position,
    whole: bool,
) -> Result<Assembled, Failure> {
    let own = inner.fetch(stream, at, &Value::Null).await?;
    let wanted = |child: &&usize| inner.wants(&inner.connector.all()[**child]);
    let has_children = inner.connector.all()[stream].children.iter().any(|child| wanted(&child));
    let below = if whole && has_children {
        let most = inner.io.limits.excerpt.map_or(usize::MAX, |excerpt| excerpt.parents);
        let parents = own.records.iter().take(most).cloned().map(Arc::new);
        let parents: Vec<Arc<Value>> = parents.collect();
        inner.below(stream, &parents).await?
    } else {
        Below::default()
    };
    Ok(Assembled { own, below })
}

/// Whether two positions ask for the same page.
fn same_place(a: &Position, b: &Position) -> bool {
    (a.before, a.offset, a.number, &a.cursor, &a.url)
        == (b.before, b.offset, b.number, &b.cursor, &b.url)
}
