//! `…/syncs`: the runs of an integration, how far the present one is, and what each one proves.

use askama::Template;
use axum::extract::State;
use cadre_model::registry;
use cadre_store::{Run, RunState, RunTrigger};
use serde_json::Value;

use super::page::{Badge, Moment, Shown, Trouble, duration, grouped, html};
use super::shell::{Chosen, Header, Named, Shell};
use crate::state::AppState;

/// Runs that the page lists.
const RUNS: u32 = 50;

#[derive(Debug, Template)]
#[template(path = "syncs.html")]
struct Syncs {
    shell: Shell,
    header: Header,
    progress: Progress,
    runs: Vec<RunOut>,
}

/// How far the run is that is queued or running; empty when there is none.
#[derive(Debug, Template)]
#[template(path = "parts/progress.html")]
struct Progress {
    base: String,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    badge: Badge,
    since: Moment,
    rows: String,
    streams: Vec<(String, String, String, bool)>,
    /// Rows that came, of those that came the last time.
    done: i64,
    expected: Option<i64>,
}

#[derive(Debug)]
struct RunOut {
    id: String,
    badge: Badge,
    kind: &'static str,
    trigger: &'static str,
    at: Moment,
    took: Option<String>,
    rows: String,
    reason: Option<String>,
    code: Option<String>,
    log: Option<String>,
    has_receipt: bool,
}

/// Lists the runs.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let runs = state.store.run_list(&chosen.scope, RUNS).await?;
    let page = Syncs {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "syncs"),
        progress: progress_of(&state, &chosen, &runs).await?,
        runs: runs.iter().map(run_out).collect(),
    };
    Ok(html(&page))
}

/// How far the present run is, for a page that asks again and again.
pub(super) async fn progress(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let runs = state.store.run_list(&chosen.scope, RUNS).await?;
    let page = progress_of(&state, &chosen, &runs).await?;
    let mut response = html(&page);
    if page.running.is_none() {
        // The run has ended: the list of runs is another one now.
        let refresh = http::HeaderValue::from_static("true");
        response.headers_mut().insert("hx-refresh", refresh);
    }
    Ok(response)
}

async fn progress_of(state: &AppState, chosen: &Chosen, runs: &[Run]) -> Result<Progress, Trouble> {
    let base = chosen.base();
    let running = runs.iter().find(|run| matches!(run.state, RunState::Queued | RunState::Running));
    let Some(run) = running else { return Ok(Progress { base, running: None }) };
    let streams = state.store.run_stream_progress(&chosen.scope, &run.id).await?;
    let whole = runs.iter().find(|run| run.state == RunState::Succeeded);
    let expected = whole.map(rows_of).filter(|rows| *rows > 0);
    let done: i64 = streams.iter().map(|of| i64::try_from(of.rows).unwrap_or(i64::MAX)).sum();
    let running = Running {
        badge: Badge::run(run.state),
        since: Moment(run.started_at.unwrap_or(run.created_at)),
        rows: grouped(done),
        streams: streams
            .into_iter()
            .map(|of| (of.stream, grouped(of.pages as i64), grouped(of.rows as i64), of.complete))
            .collect(),
        done: expected.map_or(done, |expected| done.min(expected)),
        expected,
    };
    Ok(Progress { base, running: Some(running) })
}

/// Raw records that a run read.
fn rows_of(run: &Run) -> i64 {
    let streams = run.counts.get("streams").and_then(Value::as_object);
    streams.into_iter().flatten().filter_map(|(_, of)| of.get("rows")?.as_i64()).sum()
}

fn run_out(run: &Run) -> RunOut {
    RunOut {
        id: run.id.clone(),
        badge: Badge::run(run.state),
        kind: if run.kind.as_str() == "FULL" { "everything" } else { "changes" },
        trigger: trigger(run.trigger),
        at: Moment(run.started_at.unwrap_or(run.created_at)),
        took: run.ended_at.zip(run.started_at).map(|(to, from)| duration(to - from)),
        rows: grouped(rows_of(run)),
        reason: run.reason.clone().filter(|reason| !reason.is_empty()),
        code: run.code.clone(),
        log: run.interaction_id.clone(),
        has_receipt: run.counts.get("receipt").is_some_and(Value::is_object),
    }
}

fn trigger(trigger: RunTrigger) -> &'static str {
    match trigger {
        RunTrigger::Setup => "first sync",
        RunTrigger::Schedule => "schedule",
        RunTrigger::ForceSync => "asked for",
    }
}

#[derive(Debug, Template)]
#[template(path = "receipt.html")]
struct Receipt {
    shell: Shell,
    header: Header,
    run: RunOut,
    models: Vec<Proven>,
    streams: Vec<StreamOut>,
    json: String,
}

/// What a run proves of a model.
#[derive(Debug)]
struct Proven {
    label: String,
    proof: Badge,
    stored: String,
    came: String,
    refused: i64,
    deleted: String,
    suspect: i64,
    hash: String,
}

#[derive(Debug)]
struct StreamOut {
    name: String,
    pages: String,
    rows: String,
    words: String,
}

/// Shows what a run proves.
pub(super) async fn receipt(State(state): State<AppState>, chosen: Chosen, named: Named) -> Shown {
    let run = state.store.run_get(&chosen.scope, named.part("run")).await?;
    let run = run.ok_or(Trouble::Missing("A sync with this id"))?;
    let receipt = run.counts.get("receipt").cloned().unwrap_or_default();
    let models = receipt.get("models").and_then(Value::as_object);
    let streams = run.counts.get("streams").and_then(Value::as_object);
    let page = Receipt {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "syncs"),
        models: models.into_iter().flatten().map(|(id, of)| proven(id, of)).collect(),
        streams: streams.into_iter().flatten().map(|(name, of)| stream_out(name, of)).collect(),
        json: serde_json::to_string_pretty(&receipt).unwrap_or_default(),
        run: run_out(&run),
    };
    Ok(html(&page))
}

fn proven(id: &str, of: &Value) -> Proven {
    let number = |name: &str| of.get(name).and_then(Value::as_i64).unwrap_or(0);
    let word = of.get("proof").and_then(Value::as_str).unwrap_or("none");
    Proven {
        label: registry::model(id).map_or_else(|| id.to_owned(), |model| model.label.to_owned()),
        proof: if word == "complete" {
            Badge::good("complete")
        } else {
            Badge::plain(word.replace('_', " "))
        },
        stored: grouped(number("stored")),
        came: grouped(number("came")),
        refused: number("refused"),
        deleted: grouped(number("deleted")),
        suspect: number("suspect"),
        hash: of.get("hash").and_then(Value::as_str).unwrap_or_default().chars().take(12).collect(),
    }
}

fn stream_out(name: &str, of: &Value) -> StreamOut {
    let number = |name: &str| grouped(of.get(name).and_then(Value::as_i64).unwrap_or(0));
    let list = |name: &str| {
        let all = of.get(name).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    };
    let complete = of.get("complete").and_then(Value::as_bool).unwrap_or(false);
    let mut words =
        vec![if complete { "read to its end" } else { "not read to its end" }.to_owned()];
    words.extend(
        Some(list("incomplete")).filter(|w| !w.is_empty()).map(|w| format!("without all of {w}")),
    );
    words.extend(Some(list("failures")).filter(|words| !words.is_empty()));
    StreamOut {
        name: name.to_owned(),
        pages: number("pages"),
        rows: number("rows"),
        words: words.join("; "),
    }
}
