//! `make soak`: many seeded rounds of faults, and 200 drifts, on both databases. See
//! [`cadre_testkit::soak`].
//!
//! `soak ROUNDS [SEED [DRIFTS]]`, drifts on each database; half of the rounds are on PostgreSQL, where it is installed. A round waits more
//! than it works, so several harnesses run side by side, each with a database and a tool of its own.

use std::path::{Path, PathBuf};
use std::time::Instant;

use cadre_testkit::drift::Drifts;
use cadre_testkit::postgres::Postgres;
use cadre_testkit::soak::{Findings, Soak};

/// Harnesses side by side on each database.
const LANES: u64 = 3;

/// Drifts on each database, where nothing else is said.
const DRIFTS: u64 = 100;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
async fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let rounds: u64 = words.next().map_or(Ok(1_000), |text| text.parse())?;
    let seed: u64 = words.next().map_or(Ok(1), |text| text.parse())?;
    let drifts: u64 = words.next().map_or(Ok(DRIFTS), |text| text.parse())?;
    let began = Instant::now();
    let folder = tempfile::tempdir()?;
    let server = Postgres::start();
    let (mut tasks, mut made) = (Vec::new(), Vec::new());
    let databases = if server.is_some() { 2 } else { 1 };
    for lane in 0..LANES * databases {
        let own = rounds / (LANES * databases) + u64::from(lane < rounds % (LANES * databases));
        let drifts = if lane < databases { drifts } else { 0 };
        let (name, url) = match &server {
            Some(server) if lane % databases == 1 => {
                let database = server.clone().database().await;
                let url = database.url().to_owned();
                made.push(database);
                ("PostgreSQL", url)
            }
            _ => {
                ("SQLite", format!("sqlite:{}", folder.path().join(format!("{lane}.db")).display()))
            }
        };
        let work = tokio::spawn(run(url, seed * 1_000 + lane, own, drifts));
        tasks.push((name, work));
    }
    let (mut clean, mut all) = (true, Vec::<(&str, Findings, Drifts)>::new());
    for (name, work) in tasks {
        let (findings, drifts) = work.await??;
        clean &= findings.is_clean() && drifts.caught * 100 >= drifts.made * 95;
        all.push((name, findings, drifts));
    }
    for database in made {
        database.remove().await;
    }
    for name in ["SQLite", "PostgreSQL"] {
        let of = || all.iter().filter(|(of, ..)| *of == name);
        let findings = of().fold(Findings::default(), |sum, (_, one, _)| sum.and(one.clone()));
        println!("{name}: {findings:#?}");
        for (.., drifts) in of().filter(|(.., drifts)| drifts.made > 0) {
            println!("{name}: {drifts:#?}");
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{rounds} rounds in {seconds:.0} s, {:.1} a second", rounds as f64 / seconds);
    if clean { Ok(()) } else { Err("the mirror was wrong".into()) }
}

async fn run(url: String, seed: u64, rounds: u64, drifts: u64) -> Outcome<(Findings, Drifts)> {
    let connectors: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let mut soak = Soak::start(&url, &connectors, seed).await?;
    let drifts = soak.drifts(drifts).await?;
    Ok((soak.rounds(rounds).await?, drifts))
}
