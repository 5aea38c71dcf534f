//! How long sixty connectors take to load: those of the folder, over again until there are sixty.
//!
//! `cargo run --release -p cadre-connector --example load [FOLDER]`

use std::path::PathBuf;
use std::time::Instant;

use cadre_connector::Connector;

const COUNT: usize = 60;

#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
fn main() -> Result<(), String> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "connectors".to_owned());
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.join("connector.yaml").exists());
    folders.sort();
    let begun = Instant::now();
    for path in folders.iter().cycle().take(COUNT) {
        Connector::load(path).map_err(|problems| format!("{}: {problems:?}", path.display()))?;
    }
    println!("{COUNT} connectors of {} in {} ms", folders.len(), begun.elapsed().as_millis());
    Ok(())
}
