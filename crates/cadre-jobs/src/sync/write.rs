//! Writing mapped pages beside reading and mapping, several in one transaction where they are at hand.

use std::sync::Arc;

use cadre_model::mapped::{Issue, Record};
use cadre_store::{IntegrationScope, Job, PageWrite, Store};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::run::{Stop, Sync};
use crate::observe::Log;

/// Pages that wait to be written; more are not mapped before one of them is taken.
const WAITING: usize = 4;

/// Most records that are put together into one transaction; a page is never divided.
const TOGETHER: usize = 1_000;

/// A page, ready to be stored.
pub(super) struct MappedPage {
    pub(super) rows: u64,
    /// Where to go on after it; `None` on the last one.
    pub(super) next: Option<Value>,
    pub(super) records: Vec<Record>,
    pub(super) issues: Vec<Issue>,
    /// Model and id of what the tool says is deleted.
    pub(super) deleted: Vec<(&'static str, String)>,
    /// Sub-streams that could not be read to their end, in this run so far.
    pub(super) incomplete: Vec<String>,
}

/// Writes the pages of one stream in their order. Dropping it ends the writing: what is not committed
/// is not stored.
pub(super) struct Writer {
    pages: Option<mpsc::Sender<MappedPage>>,
    task: JoinHandle<Result<(), cadre_store::Error>>,
}

impl Writer {
    pub(super) fn start(sync: &Sync<'_>, stream: &str) -> Writer {
        let (pages, waiting) = mpsc::channel(WAITING);
        let writing = Writing {
            store: sync.parts.store.clone(),
            scope: sync.scope.clone(),
            job: sync.job.clone(),
            log: sync.log.clone(),
            run_id: sync.run.id.clone(),
            stream: stream.to_owned(),
        };
        Writer { pages: Some(pages), task: tokio::spawn(writing.work(waiting)) }
    }

    /// Hands a page over; false when writing has ended, and [`Writer::end`] says why.
    pub(super) async fn write(&self, page: MappedPage) -> bool {
        match &self.pages {
            Some(pages) => pages.send(page).await.is_ok(),
            None => false,
        }
    }

    /// Waits until everything is written.
    pub(super) async fn end(&mut self) -> Result<(), Stop> {
        self.pages = None;
        match (&mut self.task).await {
            Ok(written) => Ok(written?),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Stop::LeaseLost),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Writing {
    store: Store,
    scope: IntegrationScope,
    job: Job,
    log: Arc<Log>,
    run_id: String,
    stream: String,
}

impl Writing {
    async fn work(self, mut waiting: mpsc::Receiver<MappedPage>) -> Result<(), cadre_store::Error> {
        while let Some(first) = waiting.recv().await {
            let mut records = first.records.len();
            let mut pages = vec![first];
            while records < TOGETHER
                && let Ok(page) = waiting.try_recv()
            {
                records += page.records.len();
                pages.push(page);
            }
            self.write(&pages).await?;
        }
        Ok(())
    }

    async fn write(&self, pages: &[MappedPage]) -> Result<(), cadre_store::Error> {
        let pages: Vec<PageWrite<'_>> = pages
            .iter()
            .map(|page| PageWrite {
                run_id: &self.run_id,
                stream: &self.stream,
                rows: page.rows,
                next: page.next.as_ref(),
                last: page.next.is_none(),
                records: &page.records,
                issues: &page.issues,
                incomplete: &page.incomplete,
                deleted: &page.deleted,
            })
            .collect();
        self.store.records_write_pages(&self.scope, &pages, &self.job).await?;
        self.log.write(&self.store).await;
        Ok(())
    }
}
