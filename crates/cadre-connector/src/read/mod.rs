//! The loop of a read: page after page, ahead of the caller where that is possible, never more than
//! `concurrency` pages in memory.

mod ahead;
mod fetch;
mod files;
mod lookup;
mod report;
mod search;

use std::sync::{Arc, PoisonError};

use cadre_model::fault::Code;
use serde_json::{Value, json};

use crate::classify::Failure;
use crate::manifest::TransportKind;
use crate::page::Position;
use crate::session::Inner;

/// A page of a stream, with the sub-requests of its records.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Number of the page in its run, counted from 1.
    pub number: u64,
    /// The records: those of the stream, then those of its sub-requests.
    pub records: Vec<RawRecord>,
    /// The token that goes on after this page; `None` on the last one.
    pub next: Option<Value>,
    /// How many records of the stream there are in all, where the tool says so.
    pub total: Option<u64>,
    /// What went wrong without ending the run: optional streams that are forbidden, rows that cannot
    /// be read.
    pub problems: Vec<Failure>,
    /// Streams that this page did not read completely: nothing of them may be taken for deleted.
    pub incomplete: Vec<String>,
}

/// A record as the tool has it.
#[derive(Debug, Clone)]
pub struct RawRecord {
    /// The stream it came from.
    pub stream: Arc<str>,
    /// The record.
    pub value: Value,
    /// The record whose sub-request it came from.
    pub parent: Option<Arc<Value>>,
}

/// Reads one stream. Dropping it ends whatever is under way.
pub struct Reader {
    inner: Arc<Inner>,
    source: Source,
    /// Whether lookups and sub-requests are read too.
    whole: bool,
}

enum Source {
    /// Nothing has been asked yet.
    Start {
        stream: String,
        resume: Option<Value>,
    },
    Http(ahead::Ahead),
    Files(files::Files),
    Search(search::Entries),
    /// The pages that a lookup has read already.
    Held(lookup::Held),
    Done,
}

impl Reader {
    pub(crate) fn new(inner: Arc<Inner>, stream: &str, resume: Option<Value>) -> Reader {
        Reader { inner, source: Source::Start { stream: stream.to_owned(), resume }, whole: true }
    }

    /// A reader of the stream alone: for the check, and for the lookups themselves.
    pub(crate) fn plain(inner: Arc<Inner>, stream: &str) -> Reader {
        Reader { whole: false, ..Reader::new(inner, stream, None) }
    }

    /// The next page; `None` when the stream has been read completely. After a failure there is
    /// nothing more.
    pub async fn next(&mut self) -> Option<Result<Page, Failure>> {
        if let Source::Start { stream, resume } = &mut self.source {
            let (name, resume) = (std::mem::take(stream), resume.take());
            self.source = Source::Done;
            let at = match self.prepare(&name).await {
                Ok(at) => at,
                Err(failure) => return Some(Err(failure)),
            };
            let stream = &self.inner.connector.all()[at];
            if !self.inner.is_for(stream) {
                // Nothing is asked, and nothing that was read before is taken for deleted.
                let incomplete = self.inner.connector.family(stream.name());
                return Some(Ok(Page { number: 1, incomplete, ..Page::default() }));
            }
            match self.open(at, resume).await {
                Ok(source) => self.source = source,
                Err(failure) => return Some(self.forgiven(at, failure)),
            }
        }
        let (page, stream) = match &mut self.source {
            Source::Http(ahead) => (ahead.next().await, ahead.stream),
            Source::Files(files) => (files.next().await, files.stream),
            Source::Search(entries) => (entries.next().await, entries.stream),
            Source::Held(held) => (held.next().await, held.stream),
            Source::Start { .. } | Source::Done => return None,
        };
        match page {
            Some(Ok(mut page)) => {
                if page.next.is_none() {
                    self.source = Source::Done;
                }
                if self.whole {
                    let waiting = &self.inner.lookup_problems;
                    page.problems
                        .append(&mut waiting.lock().unwrap_or_else(PoisonError::into_inner));
                }
                Some(Ok(page))
            }
            Some(Err(failure)) => {
                self.source = Source::Done;
                Some(self.forgiven(stream, failure))
            }
            None => {
                self.source = Source::Done;
                None
            }
        }
    }

    /// Finds the stream, and reads what is read before it.
    async fn prepare(&mut self, name: &str) -> Result<usize, Failure> {
        let connector = &self.inner.connector;
        let Some(at) = connector.index(name) else {
            let message = format!("{} has no stream `{name}`.", connector.manifest().label);
            return Err(Failure::new(Code::PlatformUnknownError, "internal", message));
        };
        if self.whole {
            // Boxed: reading a lookup is itself a read.
            Box::pin(self.inner.read_lookups()).await?;
        }
        Ok(at)
    }

    async fn open(&mut self, at: usize, resume: Option<Value>) -> Result<Source, Failure> {
        let inner = self.inner.clone();
        if self.whole
            && let Some(held) = lookup::Held::take(&inner, at)
        {
            return Ok(Source::Held(held));
        }
        Ok(match inner.connector.manifest().transport {
            TransportKind::Http => {
                let position = resume.map(serde_json::from_value::<Position>).transpose().map_err(
                    |error| {
                        let name = inner.connector.all()[at].name();
                        let message = format!("The read of `{name}` cannot be resumed: {error}.");
                        Failure::new(Code::PlatformUnknownError, "internal", message)
                    },
                )?;
                Source::Http(ahead::Ahead::new(inner, at, position, self.whole))
            }
            TransportKind::Sftp => Source::Files(files::Files::open(inner, at).await?),
            TransportKind::Ldap => Source::Search(search::Entries::open(inner, at).await?),
        })
    }

    /// A missing permission of an optional stream, or a missing file, is a page without records that
    /// says so.
    fn forgiven(&self, at: usize, failure: Failure) -> Result<Page, Failure> {
        let connector = &self.inner.connector;
        let stream = &connector.all()[at];
        if !stream.is_optional() || !failure.is_absence() {
            return Err(failure);
        }
        let incomplete = connector.family(stream.name());
        Ok(Page { number: 1, problems: vec![failure], incomplete, ..Page::default() })
    }
}

/// The token of a source that cannot go on in the middle: it starts again.
fn restart() -> Value {
    json!({"restart": true})
}
