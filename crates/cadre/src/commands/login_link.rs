//! `cadre login-link`: a link that logs in to the dashboard once.

use std::sync::Arc;

use cadre_model::time::SystemClock;
use cadre_store::Store;

use crate::Failed;
use crate::config::{Config, Overrides};
use crate::wire;

/// Makes a link and prints it.
#[expect(clippy::print_stdout, reason = "the link is the command's output")]
pub async fn run(overrides: &Overrides) -> Result<(), Failed> {
    let config = Config::read(overrides)?;
    let store = wire::store(&config, Arc::new(SystemClock)).await?;
    println!("{}", link(&store, &config.public(config.listen)).await?);
    Ok(())
}

/// A link that logs in once, within the next hour.
pub async fn link(store: &Store, public_url: &str) -> Result<String, Failed> {
    let token = store.login_link_create().await.map_err(|error| error.to_string())?;
    Ok(format!("{public_url}/login?token={}", token.expose()))
}
