//! `cadre connector try`: what the tool says, what is made of it, and what does not fit.

use std::sync::Arc;

use cadre_connector::{Exchange, Failure};
use cadre_jobs::authoring::trial::{self, RecordRead, StreamRead, Trial};
use cadre_model::time::SystemClock;
use serde_json::{Value, json};

use super::columns;
use super::reading::{Reading, load, outside, width};
use crate::Failed;
use crate::config::Overrides;

/// Flags of `connector try`.
#[derive(Debug, clap::Args)]
pub struct Try {
    #[command(flatten)]
    reading: Reading,
    /// The model whose streams are read and whose records are shown, such as hris_employees.
    #[arg(long)]
    model: Option<String>,
    /// Records of each stream that are shown; those with issues are shown besides.
    #[arg(long, default_value_t = 3)]
    show: usize,
    /// Print one JSON object with everything instead.
    #[arg(long)]
    json: bool,
}

impl Try {
    /// Reads, and shows it.
    #[expect(clippy::print_stdout, reason = "what was read is the command's output")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let entry = load(&self.reading.folder)?;
        let (config, http) = outside(overrides)?;
        trial::wanted(&entry, &self.reading.streams, self.model.as_deref())?;
        let asked = self.reading.asked(&entry, self.model.clone(), &config)?;
        let trial = trial::read(&entry, asked, http, Arc::new(SystemClock)).await?;
        if self.json {
            println!("{:#}", printed(&trial));
        } else {
            print!("{}", columns::page(&trial, width(), self.show));
        }
        trial.failure.as_ref().map_or(Ok(()), |failure| Err(words(failure)))
    }
}

/// A failure as a person at a terminal reads it.
pub fn words(failure: &Failure) -> Failed {
    let fault = &failure.fault;
    format!("{} {}\n  {}\n  ({})", fault.code, fault.message, fault.next_step(), failure.rule)
}

fn printed(trial: &Trial) -> Value {
    json!({
        "streams": trial.streams.iter().map(stream).collect::<Vec<_>>(),
        "failure": trial.failure.as_ref().map(failure),
        "exchanges": trial.exchanges.iter().map(exchange).collect::<Vec<_>>(),
    })
}

fn stream(read: &StreamRead) -> Value {
    json!({
        "stream": read.stream,
        "records": read.records.iter().map(record).collect::<Vec<_>>(),
        "more": read.more,
        "total": read.total,
        "problems": read.problems.iter().map(failure).collect::<Vec<_>>(),
    })
}

fn record(read: &RecordRead) -> Value {
    let unified =
        read.unified.iter().map(|(model, record)| json!({"model": model, "record": record}));
    let deleted = read.deleted.iter().map(|(model, id)| json!({"model": model, "remote_id": id}));
    json!({
        "stream": read.stream,
        "raw": read.raw,
        "unified": unified.collect::<Vec<_>>(),
        "deleted": deleted.collect::<Vec<_>>(),
        "issues": read.issues,
    })
}

fn failure(failure: &Failure) -> Value {
    json!({
        "code": failure.fault.code.as_str(),
        "message": failure.fault.message,
        "hint": failure.fault.next_step(),
        "rule": failure.rule,
        "retry": failure.retry,
    })
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "purpose": exchange.purpose,
        "method": exchange.method,
        "url": exchange.url,
        "status": exchange.status,
        "duration_ms": exchange.duration_ms,
    })
}
