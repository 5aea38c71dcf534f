//! Importing into a feed: lines come in as a stream, and take effect together or not at all.

use std::collections::HashMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cadre_model::fault::{Code, Fault};
use cadre_store::{
    BeginImport, EnvironmentScope, Error, FeedLine, ImportCounts, ImportLease, ImportState, Store,
};
use futures::{Stream, StreamExt as _};
use tokio::time::Instant;

use super::line::{Feed, LINE_BYTES};
use crate::settings::Parts;

/// How many lines are set aside at once.
const BATCH: usize = 1_000;
/// How many mistakes are named.
const NAMED: usize = 20;
/// How long a feed stays with an import that gives no sign of life, in milliseconds.
const LEASE_MS: i64 = 30_000;
/// How often an import gives a sign of life while it waits for its caller.
const SIGN: Duration = Duration::from_secs(10);

/// Imports lines of JSON into a feed.
///
/// # Errors
///
/// `PLATFORM.INPUT_INVALID` that names the first mistakes by their lines, or says that there is no such
/// feed; `AI_APPLY.JOB_FEED_IMPORT_ALREADY_RUNNING`; `AI_APPLY.JOB_FEED_IMPORT_TIMED_OUT`. Nothing is
/// changed then.
pub async fn import<E: std::fmt::Display>(
    parts: &Parts,
    scope: &EnvironmentScope,
    feed_id: &str,
    lines: impl Stream<Item = Result<Bytes, E>>,
) -> Result<ImportCounts, Fault> {
    let begun = parts.store.feed_import_begin(scope, feed_id, LEASE_MS).await;
    let lease = match begun.map_err(Fault::unknown)? {
        BeginImport::Begun(lease) => lease,
        BeginImport::Running(until) => return Err(running(until - parts.clock.now_ms())),
        BeginImport::NoFeed => {
            let shown: String = feed_id.chars().take(60).collect();
            let words = format!(
                "Invalid request: `path.job_feed_id`: expected the id of a job feed of this environment, got \
                 {shown:?}."
            );
            return Err(Fault::new(Code::PlatformInputInvalid, words));
        }
    };
    let mut held = Held { store: parts.store.clone(), lease: Some(lease.clone()) };
    let time = parts.settings.apply.import_timeout;
    let deadline = Instant::now() + time;
    let work = run(parts, scope, feed_id, &lease, lines, deadline);
    let outcome = tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
        let seconds = time.as_secs();
        let words =
            format!("The import did not end within {seconds} seconds. Nothing was changed.");
        Err(Fault::new(Code::AiApplyJobFeedImportTimedOut, words))
    });
    held.lease = None;
    if let Err(fault) = &outcome {
        let state = match fault.code {
            Code::AiApplyJobFeedImportTimedOut => ImportState::TimedOut,
            Code::PlatformInputInvalid => ImportState::Refused,
            _ => ImportState::Broken,
        };
        let abandoned = parts.store.feed_import_abandon(&lease, state, &fault.message).await;
        if let Err(error) = abandoned {
            tracing::warn!(import.id = lease.import_id(), %error, "an import was not ended");
        }
    }
    outcome
}

fn running(left_ms: i64) -> Fault {
    let seconds = u64::try_from(left_ms / 1_000).unwrap_or(0).max(1);
    let words = "An import into this feed is under way.";
    Fault::new(Code::AiApplyJobFeedImportAlreadyRunning, words).retry_after(seconds)
}

/// Ends an import whose caller hung up: nobody polls it any more.
struct Held {
    store: Store,
    lease: Option<ImportLease>,
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(lease), Ok(runtime)) = (self.lease.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let store = self.store.clone();
        runtime.spawn(async move {
            let words = "The caller hung up before the import had ended.";
            let ended = store.feed_import_abandon(&lease, ImportState::Broken, words).await;
            if let Err(error) = ended {
                tracing::warn!(import.id = lease.import_id(), %error, "an import was not ended");
            }
        });
    }
}

async fn run<E: std::fmt::Display>(
    parts: &Parts,
    scope: &EnvironmentScope,
    feed_id: &str,
    lease: &ImportLease,
    lines: impl Stream<Item = Result<Bytes, E>>,
    deadline: Instant,
) -> Result<ImportCounts, Fault> {
    let feed = Feed { environment_id: scope.id(), feed_id };
    let mut intake = Intake::new(feed, parts.settings.apply.import_bytes);
    let mut lines = std::pin::pin!(lines);
    let mut sign = tokio::time::interval(SIGN);
    loop {
        tokio::select! {
            part = lines.next() => {
                let Some(part) = part else { break };
                let part = part.map_err(|error| {
                    let words = format!("The lines broke off: {error}. Nothing was changed.");
                    Fault::new(Code::PlatformInputInvalid, words)
                })?;
                intake.take(&part)?;
            }
            _ = sign.tick() => stage(parts, lease, &[], LEASE_MS).await?,
        }
        if intake.ready.len() >= BATCH {
            stage(parts, lease, &intake.batch(), LEASE_MS).await?;
        }
    }
    let processed = intake.end()?;
    stage(parts, lease, &intake.batch(), LEASE_MS).await?;
    // What is left is one transaction, which gives no sign of life before its end.
    let left = deadline.saturating_duration_since(Instant::now()) + SIGN;
    let left_ms = i64::try_from(left.as_millis()).unwrap_or(i64::MAX / 2);
    stage(parts, lease, &[], left_ms).await?;
    parts.store.feed_import_apply(lease, processed, left_ms).await.map_err(lost)
}

async fn stage(
    parts: &Parts,
    lease: &ImportLease,
    lines: &[FeedLine],
    lease_ms: i64,
) -> Result<(), Fault> {
    parts.store.feed_import_stage(lease, lines, lease_ms).await.map_err(lost)
}

/// Another import has taken the feed over since, or the database failed.
fn lost(error: Error) -> Fault {
    if error.is_lease_lost() { running(LEASE_MS) } else { Fault::unknown(error) }
}

/// Takes bytes apart into lines, and keeps what is wrong with them.
struct Intake<'a> {
    feed: Feed<'a>,
    most_bytes: u64,
    seen_bytes: u64,
    /// The beginning of a line whose end has not come yet.
    rest: BytesMut,
    line: u64,
    processed: i64,
    ready: Vec<FeedLine>,
    mistakes: Vec<String>,
    mistaken: u64,
}

impl<'a> Intake<'a> {
    fn new(feed: Feed<'a>, most_bytes: u64) -> Self {
        Self {
            feed,
            most_bytes,
            seen_bytes: 0,
            rest: BytesMut::new(),
            line: 0,
            processed: 0,
            ready: Vec::new(),
            mistakes: Vec::new(),
            mistaken: 0,
        }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), Fault> {
        self.seen_bytes += part.len() as u64;
        if self.seen_bytes > self.most_bytes {
            let most = self.most_bytes;
            let words = format!("The import is larger than {most} bytes. Nothing was changed.");
            return Err(Fault::new(Code::PlatformInputInvalid, words)
                .hint("Split the source into several job feeds."));
        }
        let mut part = part;
        while let Some(end) = part.iter().position(|byte| *byte == b'\n') {
            let (line, after) = part.split_at(end);
            part = &after[1..];
            if self.rest.is_empty() {
                self.read(line);
            } else {
                self.rest.extend_from_slice(line);
                let whole = self.rest.split();
                self.read(&whole);
            }
        }
        // Of a line that is too long its beginning is enough to say so.
        let room = (LINE_BYTES + 1).saturating_sub(self.rest.len());
        self.rest.extend_from_slice(&part[..part.len().min(room)]);
        Ok(())
    }

    fn read(&mut self, line: &[u8]) {
        self.line += 1;
        let line =
            if self.line == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        self.processed += 1;
        match self.feed.line(line) {
            // After a mistake nothing takes effect: the rest is only read for more of them.
            Ok(read) if self.mistaken == 0 => self.ready.push(read),
            Ok(_) => {}
            Err(wrong) => {
                self.ready.clear();
                for words in wrong {
                    self.mistaken += 1;
                    if self.mistakes.len() < NAMED {
                        self.mistakes.push(format!("line {}: {words}", self.line));
                    }
                }
            }
        }
    }

    /// What is to be set aside, each posting once.
    fn batch(&mut self) -> Vec<FeedLine> {
        let ready = std::mem::take(&mut self.ready);
        let mut places: HashMap<String, usize> = HashMap::with_capacity(ready.len());
        let mut batch: Vec<FeedLine> = Vec::with_capacity(ready.len());
        for line in ready {
            match places.get(&line.posting_id) {
                Some(place) => batch[*place] = line,
                None => {
                    places.insert(line.posting_id.clone(), batch.len());
                    batch.push(line);
                }
            }
        }
        batch
    }

    /// How many lines there were.
    fn end(&mut self) -> Result<i64, Fault> {
        if !self.rest.is_empty() {
            let last = self.rest.split();
            self.read(&last);
        }
        if self.mistaken > 0 {
            let more = self.mistaken - self.mistakes.len() as u64;
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let words =
                format!("Invalid lines: {}{more}. Nothing was changed.", self.mistakes.join("; "));
            return Err(Fault::new(Code::PlatformInputInvalid, words));
        }
        if self.seen_bytes == 0 {
            let words = "The import has no lines, which would take down every posting of the feed.";
            return Err(Fault::new(Code::PlatformInputInvalid, words)
                .hint("If that is what you want, send one empty line."));
        }
        Ok(self.processed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Feed, Intake};

    fn intake() -> Intake<'static> {
        Intake::new(Feed { environment_id: "e", feed_id: "f" }, 1 << 20)
    }

    fn line(number: usize) -> String {
        format!(r#"{{"url":"https://x.example/{number}","career_site_label":"X"}}"#)
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = format!("\u{feff}{}\r\n\n{}\n{}", line(1), line(2), line(2));
        for size in [1, 3, 64, 4_096] {
            let mut intake = intake();
            for part in text.as_bytes().chunks(size) {
                intake.take(part).expect("small enough");
            }
            assert_eq!(intake.end().expect("no mistake"), 3, "{size}");
            let urls: Vec<String> = intake.batch().into_iter().map(|line| line.url).collect();
            assert_eq!(urls, ["https://x.example/1", "https://x.example/2"]);
        }
    }

    #[test]
    fn mistakes_are_named_by_their_lines() {
        let mut intake = intake();
        let long = "x".repeat(100_000);
        let text = format!("{}\n{{}}\n\n{long}\nnull\n", line(1));
        for part in text.as_bytes().chunks(1_000) {
            intake.take(part).expect("small enough");
        }
        let words = intake.end().expect_err("mistakes").message;
        for part in
            ["line 2: `url`", "line 2: `career_site_label`", "line 4: expected at most", "line 5: "]
        {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(intake.batch().is_empty());
    }

    #[test]
    fn nothing_at_all_is_a_mistake_and_an_empty_line_is_not() {
        assert!(intake().end().is_err());
        let mut intake = intake();
        intake.take(b"\n").expect("small enough");
        assert_eq!(intake.end().expect("deliberate"), 0);
    }
}
