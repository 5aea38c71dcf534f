//! Some rounds of `make soak`, on both databases.

use std::path::{Path, PathBuf};

use cadre_testkit::postgres::Postgres;
use cadre_testkit::soak::Soak;
use cadre_testkit::write_soak::WriteSoak;

const ROUNDS: u64 = 150;

/// The binary that is the worker and the receiver.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_soak"))
}

fn connectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../connectors")
}

async fn story(url: &str, seed: u64) {
    let mut soak = Soak::start(url, &connectors(), program(), seed).await.expect("it starts");
    let findings = soak.rounds(ROUNDS).await.expect("the rounds run");
    assert!(findings.is_clean(), "{findings:#?}");
    assert!(findings.complete > ROUNDS / 2, "most runs should vouch for something: {findings:#?}");
    assert!(
        findings.true_deletions > 0 && findings.faults > 0 && findings.killed > 0,
        "{findings:#?}"
    );
    assert!(findings.receiver_killed > 0 && findings.told.messages > ROUNDS, "{findings:#?}");
    soak.stop().await;
}

/// Drifts of this test; `make soak` makes 200.
const DRIFTS: u64 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn drifts_are_caught_before_anybody_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("drift.db").display());
    let mut soak = Soak::start(&url, &connectors(), program(), 21).await.expect("it starts");
    let found = soak.drifts(DRIFTS).await.expect("the drifts are made");
    assert_eq!(found.made, DRIFTS);
    assert!(found.caught * 100 >= found.made * 95, "{found:#?}");
    assert_eq!((found.false_alarms, found.not_healed), (0, 0), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_runs_dry_slowly_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("leak.db").display());
    let mut soak = Soak::start(&url, &connectors(), program(), 31).await.expect("it starts");
    let seen = soak.leak(16).await.expect("the syncs run");
    // A tenth of the values may go before anybody says so, and a third must not.
    assert!(seen.is_some_and(|run| (3..=12).contains(&run)), "{seen:?}");
    soak.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_round_is_wrong_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    story(&format!("sqlite:{}", folder.path().join("soak.db").display()), 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_round_is_wrong_on_postgres() {
    let server = Postgres::start().expect("PostgreSQL; scripts/setup installs it");
    let database = server.database().await;
    story(database.url(), 12).await;
    database.remove().await;
}

const ORDERS: u64 = 100;

async fn orders(url: &str, seed: u64) {
    let soak = WriteSoak::start(url, &connectors(), seed).await.expect("it starts");
    let findings = soak.orders(ORDERS).await.expect("the orders are given");
    assert!(findings.is_clean(), "{findings:#?}");
    assert!(findings.faults > 0 && findings.killed > 0, "{findings:#?}");
    assert!(findings.done > ORDERS * 9 / 10, "{findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_happen_once_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    orders(&format!("sqlite:{}", folder.path().join("soak.db").display()), 21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_happen_once_on_postgres() {
    let server = Postgres::start().expect("PostgreSQL; scripts/setup installs it");
    let database = server.database().await;
    orders(database.url(), 22).await;
    database.remove().await;
}
