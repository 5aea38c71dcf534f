//! `make soak`: writes against a tool that loses answers, on both databases. See [`cadre_testkit::write_soak`].
//!
//! `soak-writes ORDERS [SEED]`; half of the orders are on PostgreSQL, where it is installed.

use std::path::Path;

use cadre_testkit::postgres::Postgres;
use cadre_testkit::write_soak::{WriteFindings, WriteSoak};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let orders: u64 = words.next().map_or(Ok(1_000), |text| text.parse())?;
    let seed: u64 = words.next().map_or(Ok(1), |text| text.parse())?;
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let folder = tempfile::tempdir()?;
    let mut all = Vec::new();
    let sqlite = format!("sqlite:{}", folder.path().join("soak.db").display());
    all.push(("SQLite", run(&sqlite, &connectors, seed, orders.div_ceil(2)).await?));
    if let Some(server) = Postgres::start() {
        let database = server.database().await;
        all.push(("PostgreSQL", run(database.url(), &connectors, seed + 1, orders / 2).await?));
        database.remove().await;
    }
    for (name, findings) in &all {
        println!("{name}: {findings:#?}");
    }
    if all.iter().all(|(_, findings)| findings.is_clean()) {
        Ok(())
    } else {
        Err("an order did not have exactly its effect".into())
    }
}

async fn run(
    url: &str,
    connectors: &Path,
    seed: u64,
    orders: u64,
) -> Result<WriteFindings, Box<dyn std::error::Error + Send + Sync>> {
    WriteSoak::start(url, connectors, seed).await?.orders(orders).await
}
