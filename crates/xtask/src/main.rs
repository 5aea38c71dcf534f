//! Development only: checks of the workspace's own rules.
//!
//! `cargo run -p xtask -- tidy` reports every place that breaks a rule, with the rule's reason.
//! The same checks run as a test of this crate, so that the ordinary test command knows them.

mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Development tasks.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Report every place that breaks a rule of the workspace.
    Tidy,
}

#[expect(clippy::print_stdout, reason = "a command line tool talks through its output")]
fn main() -> ExitCode {
    match Arguments::parse().task {
        Task::Tidy => {
            let findings = tidy::all(&root());
            for finding in &findings {
                println!("{finding}");
            }
            println!("tidy: {} findings", findings.len());
            if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or_else(|| here.to_owned(), Path::to_owned)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let findings = super::tidy::all(&super::root());
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }
}
