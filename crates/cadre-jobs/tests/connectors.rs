//! Every connector of the repository, on all its cases: what `cadre connector check` does.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cadre_jobs::cases;
use cadre_jobs::catalog::{Entry, Folder, folders_below};

/// The folders of the repository, by name.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let mut folders = folders_below(&root).expect("connectors");
    folders.sort();
    folders
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "how long the cases take is a figure that people ask for")]
async fn every_connector_passes_its_cases() {
    let folders = folders();
    let (mut cases_run, mut wrong) = (0, Vec::new());
    let begun = Instant::now();
    for path in &folders {
        let folder = Folder::read(path).expect("a folder that can be read");
        let entry = match Entry::load(&folder) {
            Ok(entry) => Arc::new(entry),
            Err(problems) => {
                wrong.extend(problems.iter().map(ToString::to_string));
                continue;
            }
        };
        let outcomes = cases::run_all(path, entry).await;
        if outcomes.is_empty() {
            wrong.push(format!("{}: no cases", folder.name));
        }
        cases_run += outcomes.len();
        for outcome in outcomes {
            let place = format!("{}/{}", folder.name, outcome.case);
            if outcome.unverified {
                wrong.push(format!("{place}: nobody has verified what it expects"));
            }
            wrong.extend(outcome.differences.iter().map(|words| format!("{place}: {words}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases_run >= 140, "only {cases_run} cases were found");
    let took = begun.elapsed();
    println!("{cases_run} cases of {} connectors in {} ms", folders.len(), took.as_millis());
    // Whoever writes a connector runs this again and again.
    assert!(took < Duration::from_secs(60), "the cases took {} s", took.as_secs());
}

/// `cadre connector coverage` writes the page; whoever changes a connector runs it again.
#[test]
fn the_page_of_what_is_covered_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let entries: Vec<Arc<Entry>> = folders()
        .iter()
        .map(|path| {
            let folder = Folder::read(path).expect("a folder that can be read");
            Arc::new(Entry::load(&folder).unwrap_or_else(|problems| panic!("{problems:?}")))
        })
        .collect();
    let page = std::fs::read_to_string(root.join("docs/connectors.md")).expect("the page");
    assert!(
        page == cadre_jobs::authoring::coverage::page(&entries),
        "docs/connectors.md is not current: cargo run -p cadre -- connector coverage > docs/connectors.md"
    );
}
