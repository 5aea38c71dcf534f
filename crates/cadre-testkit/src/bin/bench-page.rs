//! Measures pages of the real API against a handler that returns the same bytes from memory.
//!
//! `bench-page --address HOST:PORT --key KEY --integration ID` walks all employees in pages of 250,
//! starts itself once more as a server that holds these pages, and asks both in turn. One JSON object
//! on standard output says what came of it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, Read, Result};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use cadre_testkit::keep_alive::{Line, Target, round};
use serde_json::{Value, json};

/// Hands the pages over to the server that holds them.
const PAGES: &str = "CADRE_BENCH_PAGES";

fn main() -> Result<()> {
    if let Ok(folder) = std::env::var(PAGES) {
        return serve_from_memory(&folder);
    }
    let flags: Vec<String> = std::env::args().skip(1).collect();
    let flags: BTreeMap<&str, &str> = flags
        .chunks_exact(2)
        .filter_map(|pair| Some((pair[0].strip_prefix("--")?, pair[1].as_str())))
        .collect();
    let text = |name: &str| flags.get(name).copied().unwrap_or_default();
    let number = |name: &str, default: usize| text(name).parse().unwrap_or(default);
    let mut real = Target {
        address: text("address").to_owned(),
        paths: vec!["/v1/hris/employees?page_size=250".into()],
        headers: format!(
            "Authorization: Bearer {}\r\nX-Integration-Id: {}\r\n",
            text("key"),
            text("integration")
        ),
    };
    let pages = walk(&mut real)?;
    compare(&real, &pages, number("connections", 4), number("requests", 2_000), number("rounds", 5))
}

/// Reads every page once; from now on the target asks for them in turn.
fn walk(target: &mut Target) -> Result<Vec<Vec<u8>>> {
    let first = target.paths[0].clone();
    let (mut paths, mut pages) = (vec![first.clone()], Vec::new());
    let asked = target.clone();
    let mut line = Line::open(&asked)?;
    loop {
        let body = line.get(&paths[pages.len()])?.to_vec();
        let page: Value = serde_json::from_slice(&body)?;
        pages.push(body);
        match page.pointer("/data/next").and_then(Value::as_str) {
            Some(cursor) => paths.push(format!("{first}&cursor={cursor}")),
            None => break,
        }
    }
    // The last page may be short.
    if pages.len() > 1 {
        paths.pop();
        pages.pop();
    }
    target.paths = paths;
    Ok(pages)
}

#[expect(clippy::print_stdout, reason = "the numbers are the program's output")]
fn compare(
    real: &Target,
    pages: &[Vec<u8>],
    connections: usize,
    requests: usize,
    rounds: usize,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (at, page) in pages.iter().enumerate() {
        std::fs::write(folder.path().join(at.to_string()), page)?;
    }
    let mut server = Command::new(std::env::current_exe()?)
        .env(PAGES, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    let output = server.stdout.take().ok_or_else(|| Error::other("no output"))?;
    BufReader::new(output).read_line(&mut address)?;
    let still = Target {
        address: address.trim().to_owned(),
        paths: (0..pages.len()).map(|at| format!("/{at}")).collect(),
        headers: real.headers.clone(),
    };
    let (mut of_real, mut of_still, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..=rounds {
        let warm_up = at == 0;
        let a = round(real, connections, if warm_up { requests / 4 } else { requests })?;
        let b = round(&still, connections, if warm_up { requests / 4 } else { requests })?;
        if a.bytes != b.bytes {
            return Err(Error::other("the two servers did not return the same bytes"));
        }
        if !warm_up {
            of_real.push(a.per_second());
            of_still.push(b.per_second());
            ratios.push(a.per_second() / b.per_second());
        }
    }
    drop(server.stdin.take());
    server.wait()?;
    let bytes = pages.iter().map(Vec::len).sum::<usize>() / pages.len();
    let numbers = json!({
        "page_bytes": bytes, "pages": pages.len(), "connections": connections, "requests": requests,
        "rounds": rounds, "cadre_per_second": median(&mut of_real),
        "memory_per_second": median(&mut of_still), "ratios": ratios.clone(), "ratio": median(&mut ratios),
    });
    println!("{numbers}");
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Serves the files of a folder from memory until standard input is closed.
#[expect(clippy::print_stdout, reason = "the address is what the parent waits for")]
fn serve_from_memory(folder: &str) -> Result<()> {
    let mut pages = Vec::new();
    while let Ok(page) = std::fs::read(format!("{folder}/{}", pages.len())) {
        pages.push(axum::body::Bytes::from(page));
    }
    let router = axum::Router::new().route("/{page}", get(page)).with_state(Arc::new(pages));
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        let closed = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            served = axum::serve(listener, router) => served,
            _ = closed => Ok(()),
        }
    })
}

async fn page(
    State(pages): State<Arc<Vec<axum::body::Bytes>>>,
    Path(at): Path<usize>,
) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], pages.get(at).cloned().unwrap_or_default())
}
