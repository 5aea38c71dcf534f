//! Writing mapped pages beside reading and mapping, several in one transaction where they are at hand.

use std::sync::Arc;

use cadre_model::mapped::{Issue, Record};
use cadre_store::{IntegrationScope, Job, PageWrite, Store};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::run::{Stop, Sync};
use crate::observe::Log;

/// Records that wait to be written, or are being written; more are not mapped before some of them are
/// stored. A page is never divided, so that one page may hold more.
const WAITING: u32 = 1_500;

/// Most pages that wait, however few records they have.
const WAITING_PAGES: usize = 64;

/// Most records that are put together into one transaction.
const TOGETHER: usize = 500;

/// After how many new records of a run the database is first asked to look at its tables; then whenever
/// there are four times as many.
const MEASURED_FROM: u64 = 1_000;

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
    pages: Option<mpsc::Sender<Waiting>>,
    room: Arc<Semaphore>,
    task: JoinHandle<Result<(), cadre_store::Error>>,
}

impl Writer {
    pub(super) fn start(sync: &Sync<'_>, stream: &str) -> Writer {
        let (pages, waiting) = mpsc::channel(WAITING_PAGES);
        let writing = Writing {
            store: sync.parts.store.clone(),
            scope: sync.scope.clone(),
            job: sync.job.clone(),
            log: sync.log.clone(),
            run_id: sync.run.id.clone(),
            stream: stream.to_owned(),
            created: 0,
            measured_next: MEASURED_FROM,
        };
        let room = Arc::new(Semaphore::new(WAITING as usize));
        Writer { pages: Some(pages), room, task: tokio::spawn(writing.work(waiting)) }
    }

    /// Hands a page over; false when writing has ended, and [`Writer::end`] says why.
    pub(super) async fn write(&self, page: MappedPage) -> bool {
        let records = u32::try_from(page.records.len()).unwrap_or(WAITING).clamp(1, WAITING);
        // The semaphore is never closed.
        let Ok(room) = self.room.clone().acquire_many_owned(records).await else { return false };
        match &self.pages {
            Some(pages) => pages.send(Waiting { page, _room: room }).await.is_ok(),
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

/// A page with the room that it takes, which is given back when it is stored.
struct Waiting {
    page: MappedPage,
    _room: OwnedSemaphorePermit,
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
    /// Records that were not there before.
    created: u64,
    /// With how many of them the database looks at its tables again.
    measured_next: u64,
}

impl Writing {
    async fn work(
        mut self,
        mut waiting: mpsc::Receiver<Waiting>,
    ) -> Result<(), cadre_store::Error> {
        while let Some(first) = waiting.recv().await {
            let mut records = first.page.records.len();
            let mut pages = vec![first];
            while records < TOGETHER
                && let Ok(next) = waiting.try_recv()
            {
                records += next.page.records.len();
                pages.push(next);
            }
            self.write(&pages).await?;
        }
        Ok(())
    }

    async fn write(&mut self, pages: &[Waiting]) -> Result<(), cadre_store::Error> {
        let pages: Vec<PageWrite<'_>> = pages
            .iter()
            .map(|Waiting { page, .. }| PageWrite {
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
        let outcome = self.store.records_write_pages(&self.scope, &pages, &self.job).await?;
        self.created += outcome.created;
        if self.created >= self.measured_next {
            self.store.records_measure().await?;
            self.measured_next = self.created * 4;
        }
        self.log.write(&self.store).await;
        Ok(())
    }
}
