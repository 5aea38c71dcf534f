//! `make soak`: many seeded rounds of faults, and 200 drifts, on both databases. See
//! [`cadre_testkit::soak`].
//!
//! `soak ROUNDS [SEED [DRIFTS]]`, drifts on each database; half of the rounds are on PostgreSQL, where
//! it is installed. Several harnesses run side by side, each with a database, a tool and a receiver of its own; each
//! begins anew after some rounds, so that none gets slower with what was deleted before. It ends with a table
//! for docs/reliability.md, and fails when anything was wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cadre_testkit::drift::Drifts;
use cadre_testkit::postgres::Postgres;
use cadre_testkit::soak::{Findings, Soak};
use cadre_testkit::{soak_receiver, soak_worker};

/// Harnesses side by side on each database.
const LANES: u64 = 3;

/// Drifts on each database, where nothing else is said.
const DRIFTS: u64 = 100;

/// Rounds of one harness.
const ROUNDS_OF_ONE: u64 = 200;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What one database found.
#[derive(Default, Clone)]
struct OfDatabase {
    findings: Findings,
    drifts: Drifts,
}

fn main() -> Outcome<()> {
    let small = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    if let Ok(told) = std::env::var(soak_receiver::RECEIVER) {
        return Ok(small()?.block_on(soak_receiver::receive(&told))?);
    }
    if let Ok(told) = std::env::var(soak_worker::WORKER) {
        return small()?.block_on(soak_worker::work(&told));
    }
    tokio::runtime::Runtime::new()?.block_on(soak())
}

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
async fn soak() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let rounds: u64 = words.next().map_or(Ok(1_000), |text| text.parse())?;
    let seed: u64 = words.next().map_or(Ok(1), |text| text.parse())?;
    let drifts: u64 = words.next().map_or(Ok(DRIFTS), |text| text.parse())?;
    let began = Instant::now();
    let server = Postgres::start();
    let names: &[&str] = if server.is_some() { &["SQLite", "PostgreSQL"] } else { &["SQLite"] };
    let lanes = LANES * names.len() as u64;
    let mut tasks = Vec::new();
    for lane in 0..lanes {
        let at = usize::try_from(lane)? % names.len();
        let own = rounds / lanes + u64::from(lane < rounds % lanes);
        let drifts = if lane < names.len() as u64 { drifts } else { 0 };
        let server = server.clone().filter(|_| at == 1);
        tasks.push((at, tokio::spawn(run(server, seed * 1_000_000 + lane * 1_000, own, drifts))));
    }
    let mut all = vec![OfDatabase::default(); names.len()];
    for (at, work) in tasks {
        let (findings, drifts) = work.await??;
        let of = &mut all[at];
        of.findings = std::mem::take(&mut of.findings).and(findings);
        of.drifts = std::mem::take(&mut of.drifts).and(drifts);
    }
    let seconds = began.elapsed().as_secs_f64();
    table(names, &all);
    for (name, of) in names.iter().zip(&all) {
        let wrong = of.findings.stories.iter().chain(&of.drifts.missed);
        wrong.for_each(|story| println!("{name}: {story}"));
    }
    println!(
        "`soak {rounds} {seed} {drifts}`: {seconds:.0} s, {:.1} rounds a second",
        rounds as f64 / seconds
    );
    let clean = all.iter().all(|of| {
        of.findings.is_clean()
            && of.drifts.caught * 100 >= of.drifts.made * 95
            && of.drifts.false_alarms == 0
    });
    if clean { Ok(()) } else { Err("the mirror, or who was told, was wrong".into()) }
}

/// Prints the figures as docs/reliability.md has them.
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn table(names: &[&str], all: &[OfDatabase]) {
    println!("| | {} |", names.join(" | "));
    println!("| --- |{}", " --- |".repeat(names.len()));
    type Figure = fn(&OfDatabase) -> u64;
    let rows: &[(&str, Figure)] = &[
        ("rounds", |of| of.findings.rounds),
        ("faults ordered", |of| of.findings.faults),
        ("workers' processes killed (SIGKILL)", |of| of.findings.killed),
        ("workers dropped in the middle", |of| of.findings.dropped),
        ("receivers killed (SIGKILL)", |of| of.findings.receiver_killed),
        ("passes that vouched for a model, each compared record by record", |of| {
            of.findings.complete
        }),
        ("deletions found", |of| of.findings.true_deletions),
        ("**false deletions**", |of| of.findings.false_deletions),
        ("**deletions missed by a pass that vouched**", |of| of.findings.missed_deletions),
        ("**records missing after such a pass**", |of| of.findings.missing),
        ("**records there twice**", |of| of.findings.duplicates),
        ("events told", |of| of.findings.told.messages),
        ("of them once more, with the same number and id", |of| of.findings.told.again),
        ("**events lost**", |of| of.findings.told.lost),
        ("**events out of order for what they are about**", |of| of.findings.told.out_of_order),
        ("**numbers or signatures that were wrong**", |of| of.findings.told.false_numbers),
        ("**fields held although none had fallen**", |of| of.findings.false_alarms),
        ("drifts", |of| of.drifts.made),
        ("of them caught in the first run, with no value lost", |of| of.drifts.caught),
        ("**values lost**", |of| of.drifts.lost),
        ("**other fields held**", |of| of.drifts.false_alarms),
        ("**not free again when the tool was itself**", |of| of.drifts.not_healed),
    ];
    for (what, figure) in rows {
        let figures: Vec<String> = all.iter().map(|of| figure(of).to_string()).collect();
        println!("| {what} | {} |", figures.join(" | "));
    }
}

/// One lane: harnesses one after the other.
async fn run(
    server: Option<Arc<Postgres>>,
    seed: u64,
    rounds: u64,
    drifts: u64,
) -> Outcome<(Findings, Drifts)> {
    let connectors: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let program = std::env::current_exe()?;
    let (mut findings, mut drifted) = (Findings::default(), Drifts::default());
    let (mut left, mut drifts) = (rounds, drifts);
    let mut seed = seed;
    while left > 0 || drifts > 0 {
        seed += 1;
        let folder = tempfile::tempdir()?;
        let database = match &server {
            Some(server) => Some(server.clone().database().await),
            None => None,
        };
        let url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite:{}", folder.path().join("soak.db").display()),
        };
        let mut soak = Soak::start(&url, &connectors, &program, seed).await?;
        drifted = drifted.and(soak.drifts(std::mem::take(&mut drifts)).await?);
        let own = left.min(ROUNDS_OF_ONE);
        left -= own;
        findings = findings.and(soak.rounds(own).await?);
        soak.stop().await;
        if let Some(database) = database {
            database.remove().await;
        }
    }
    Ok((findings, drifted))
}
