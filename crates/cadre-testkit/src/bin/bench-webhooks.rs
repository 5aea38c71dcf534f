//! Measures deliveries of webhooks: from the ledger to a receiver on the loopback address, signed and
//! logged.
//!
//! `bench-webhooks [--database URL] [--events 20000] [--subjects 500] [--rounds 3]` writes events to a
//! ledger, each in a transaction of its own, and then delivers them as a server does. The receiver is a
//! process of its own; it holds every message to be the next one of its subject. The same number of
//! messages is then posted by the same client without ledger, signature and log, to compare with. One
//! JSON object on standard output says what came of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, Read, Result, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use cadre_connector::{HttpRequest, Wire, WireOptions};
use cadre_jobs::webhooks::drain;
use cadre_jobs::{Catalog, Parts, Settings};
use cadre_model::time::SystemClock;
use cadre_store::{
    EnvironmentKind, EnvironmentScope, EventType, MasterKey, NewEndpoint, NewEvent, OpenOptions,
    Store, new_secret,
};
use futures::StreamExt as _;
use serde_json::{Value, json};

/// Says that this process is the receiver.
const RECEIVER: &str = "CADRE_BENCH_RECEIVER";

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    if std::env::var(RECEIVER).is_ok() {
        return runtime.block_on(receive());
    }
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let flags: BTreeMap<&str, &str> = flags
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].strip_prefix("--")?, pair[1].as_str())))
        .collect();
    runtime.block_on(measure(&flags))
}

#[expect(clippy::print_stdout, reason = "the numbers are the program's output")]
async fn measure(flags: &BTreeMap<&str, &str>) -> Result<()> {
    let number = |name: &str, default: usize| {
        flags.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (events, subjects, rounds) =
        (number("events", 20_000), number("subjects", 500), number("rounds", 3));
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("bench.db").display());
    let parts = parts(flags.get("database").copied().unwrap_or(&file)).await?;
    let store = &parts.store;
    let kind = EnvironmentKind::Production;
    let environment = store.environment_create("bench", kind).await.map_err(Error::other)?;
    let scope = store.system_scope(&environment.id).await.map_err(Error::other)?;
    let scope = scope.ok_or_else(|| Error::other("no environment"))?;
    let (mut written, mut delivered, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let mut receiver = Receiver::start()?;
        let new = NewEndpoint {
            url: format!("http://{}/", receiver.address),
            types: Vec::new(),
            numbered: true,
            secret: new_secret(),
            after: None,
        };
        let endpoint = store.endpoint_create(&scope, new).await.map_err(Error::other)?;
        let begun = Instant::now();
        write(store, &scope, events, subjects).await?;
        written.push(events as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        drain(&parts, "http://localhost:8080").await.map_err(Error::other)?;
        delivered.push(events as f64 / begun.elapsed().as_secs_f64());
        let counted = receiver.stop()?;
        plain.push(post(&parts, events).await?);
        ratios.push(delivered[delivered.len() - 1] / plain[plain.len() - 1]);
        if counted != json!({ "taken": events, "out_of_order": 0 }) {
            return Err(Error::other(format!("the receiver counted {counted}, not {events}")));
        }
        store.endpoint_delete(&scope, &endpoint.id).await.map_err(Error::other)?;
    }
    let numbers = json!({
        "database": store.backend().to_string(), "events": events, "subjects": subjects,
        "rounds": rounds, "written_per_second": median(&mut written),
        "delivered_per_second": median(&mut delivered), "posted_per_second": median(&mut plain),
        "ratios": ratios,
    });
    println!("{numbers}");
    Ok(())
}

async fn parts(database: &str) -> Result<Parts> {
    let clock = Arc::new(SystemClock);
    let master_key = MasterKey::random();
    let options = OpenOptions { max_connections: 10, master_key, clock: clock.clone() };
    let store = Store::open(database, options).await.map_err(Error::other)?;
    let options = WireOptions { allow_private: true, ..WireOptions::default() };
    let catalog = Catalog::load([]).map_err(|_| Error::other("an empty catalog"))?;
    Ok(Parts {
        store,
        catalog: Arc::new(catalog),
        clock,
        http: Arc::new(Wire::new(options).map_err(Error::other)?),
        settings: Arc::new(Settings::default()),
        standings: Arc::default(),
    })
}

/// Writes events as changes do: each in a transaction of its own.
async fn write(
    store: &Store,
    scope: &EnvironmentScope,
    events: usize,
    subjects: usize,
) -> Result<()> {
    for at in 0..events {
        let subject = format!("benchhr:{}", at % subjects);
        let event = NewEvent {
            event_type: EventType::DataChanged,
            payload: json!({
                "integration_id": subject, "integration_tool": "benchhr", "integration_category": "HRIS",
                "changed_models": [{ "name": "hris_employees" }, { "name": "hris_teams" }],
            }),
            integration_id: Some(subject.clone()),
            subject: Some(subject),
        };
        store.events_append(scope, &[event]).await.map_err(Error::other)?;
    }
    Ok(())
}

/// Posts messages that nobody keeps and nobody signs; how many a second.
async fn post(parts: &Parts, events: usize) -> Result<f64> {
    let mut receiver = Receiver::start()?;
    let url: reqwest::Url =
        format!("http://{}/", receiver.address).parse().map_err(Error::other)?;
    let body = json!({ "id": "FhghqjnCi9WuAoLT8Z75CFcs", "type": "data-changed", "data": {
        "integration_id": "benchhr:1", "integration_tool": "benchhr", "integration_category": "HRIS",
        "changed_models": [{ "name": "hris_employees" }, { "name": "hris_teams" }],
    }});
    let mut request = HttpRequest::new("POST", url);
    request.body = Some(body.to_string().into());
    let begun = Instant::now();
    let sent = futures::stream::iter(0..events)
        .map(|_| parts.http.send(request.clone(), parts.settings.webhook_timeout))
        .buffer_unordered(parts.settings.webhooks_at_once)
        .filter(|answer| std::future::ready(answer.is_ok()))
        .count()
        .await;
    let seconds = begun.elapsed().as_secs_f64();
    receiver.stop()?;
    if sent == events { Ok(events as f64 / seconds) } else { Err(Error::other("a post failed")) }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default().round()
}

/// The receiver, as a process of its own.
struct Receiver {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Receiver {
    fn start() -> Result<Receiver> {
        let mut process = Command::new(std::env::current_exe()?)
            .env(RECEIVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or_else(|| Error::other("no output"))?;
        let mut output = BufReader::new(output);
        let mut address = String::new();
        output.read_line(&mut address)?;
        Ok(Receiver { process, output, address: address.trim().to_owned() })
    }

    /// Ends it; what it counted.
    fn stop(&mut self) -> Result<Value> {
        drop(self.process.stdin.take());
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        self.process.wait()?;
        Ok(serde_json::from_str(&line)?)
    }
}

#[derive(Default)]
struct Counted {
    taken: usize,
    out_of_order: usize,
    latest: BTreeMap<String, i64>,
}

/// Takes messages until standard input is closed.
async fn receive() -> Result<()> {
    let counted: Arc<Mutex<Counted>> = Arc::default();
    let router = axum::Router::new().fallback(take).with_state(counted.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let mut output = std::io::stdout();
    writeln!(output, "{}", listener.local_addr()?)?;
    let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        _ = closed => {}
    }
    let counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    let words = json!({ "taken": counted.taken, "out_of_order": counted.out_of_order });
    writeln!(output, "{words}")
}

async fn take(State(counted): State<Arc<Mutex<Counted>>>, body: Bytes) -> StatusCode {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let subject = message["data"]["integration_id"].as_str().unwrap_or_default().to_owned();
    let sequence = message["sequence"].as_i64().unwrap_or_default();
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    counted.taken += 1;
    let before = counted.latest.insert(subject, sequence).unwrap_or_default();
    if before >= sequence {
        counted.out_of_order += 1;
    }
    StatusCode::OK
}
