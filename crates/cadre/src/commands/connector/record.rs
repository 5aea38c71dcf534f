//! `cadre connector record`: a case out of what the tool really says.

use std::sync::Arc;

use cadre_jobs::authoring::recording::{self, Recorder, Recording, Session};
use cadre_jobs::authoring::trial;
use cadre_model::time::SystemClock;

use super::reading::{Reading, load, outside};
use super::try_out::words;
use crate::Failed;
use crate::config::Overrides;

/// Flags of `connector record`.
#[derive(Debug, clap::Args)]
pub struct Record {
    #[command(flatten)]
    reading: Reading,
    /// Name of the case: its folder below cases/.
    #[arg(long = "case", value_name = "NAME", default_value = "recorded")]
    case: String,
}

impl Record {
    /// Reads, scrubs, and writes the case.
    #[expect(clippy::print_stderr, reason = "a refusal of the tool, beside the case that keeps it")]
    pub async fn run(self, overrides: &Overrides) -> Result<(), Failed> {
        let entry = load(&self.reading.folder)?;
        recording::case_folder(&self.reading.folder, &self.case)?;
        let (config, http) = outside(overrides)?;
        trial::wanted(&entry, &self.reading.streams, None)?;
        let asked = self.reading.asked(&entry, None, &config)?;
        let (account, token) = (asked.account.clone(), asked.access_token.clone());
        let recorder = Arc::new(Recorder::new(http));
        let trial = trial::read(&entry, asked, recorder.clone(), Arc::new(SystemClock)).await?;
        if let Some(failure) = &trial.failure {
            // A refusal is worth a case, too.
            eprintln!("cadre: {}", words(failure));
        }
        let session = Session {
            folder: &self.reading.folder,
            entry: &entry,
            case: &self.case,
            account: &account,
            access_token: token.as_ref(),
            streams: &self.reading.streams,
            excerpt: self.reading.excerpt(),
            now: &trial.now,
        };
        let recording = recording::write(&recorder, &session).await?;
        print(&recording, &self.reading.folder.display().to_string());
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "what was written is the command's output")]
fn print(recording: &Recording, folder: &str) {
    println!("{}: {} exchanges", recording.folder.display(), recording.exchanges);
    for file in &recording.files {
        println!("  {file}");
    }
    println!("\nMade-up values stand in place of:");
    for (what, places) in &recording.scrubbed {
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        println!("  {what}: {}", places.join(", "));
    }
    if recording.scrubbed.is_empty() {
        println!("  nothing: no secret and nothing about people was found");
    }
    if !recording.warnings.is_empty() {
        println!("\nLook at this yourself:");
        for warning in &recording.warnings {
            println!("  {warning}");
        }
    }
    println!("\nNo scrubbing knows everything: read exchanges.json before others do.");
    println!(
        "What the case expects came out of the mapping. Compare each value with what the tool means by it,"
    );
    println!(
        "then take `unverified` out of case.yaml; until then `cadre connector check {folder}` says so."
    );
}
