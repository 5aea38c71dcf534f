//! The operator's own connectors, while a server runs: a changed folder takes effect without a restart.
//!
//! The folder is looked at every second. What changed is loaded when it has been the same for two looks, because
//! editors write several files one after the other. A folder that cannot be used leaves the version before it
//! in use, and says so in the log and the dashboard.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Catalog, Folder, folders_below};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Looks until it is told to stop. `built_in` are the connectors that come back when an own folder goes.
pub async fn watch(
    catalog: Arc<Catalog>,
    directory: PathBuf,
    built_in: Vec<Folder>,
    mut stop: watch::Receiver<bool>,
) {
    let mut watched = Watched { built_in, ..Watched::default() };
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let (catalog, directory) = (catalog.clone(), directory.clone());
        let look = tokio::task::spawn_blocking(move || {
            watched.look(&catalog, &directory);
            watched
        });
        match look.await {
            Ok(back) => watched = back,
            Err(error) => {
                tracing::error!("own connectors are not looked at any more: {error}");
                return;
            }
        }
    }
}

/// What was seen at the last looks.
#[derive(Default)]
struct Watched {
    built_in: Vec<Folder>,
    /// By folder: its files as they were seen last, and whether that is in use.
    seen: BTreeMap<String, (u64, bool)>,
}

impl Watched {
    fn look(&mut self, catalog: &Catalog, directory: &Path) {
        // A folder that cannot be listed for a moment has not lost its connectors.
        let Ok(paths) = folders_below(directory) else { return };
        let now: BTreeMap<String, (u64, PathBuf)> = paths
            .into_iter()
            .filter_map(|path| {
                let name = path.file_name()?.to_string_lossy().into_owned();
                Some((name, (print(&path), path)))
            })
            .collect();
        for (name, (print, path)) in &now {
            match self.seen.get_mut(name) {
                Some((known, done)) if known == print => {
                    if !std::mem::replace(done, true) {
                        take(catalog, path);
                    }
                }
                _ => {
                    self.seen.insert(name.clone(), (*print, false));
                }
            }
        }
        let gone: Vec<String> =
            self.seen.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
        for name in gone {
            // Twice as well: some editors replace a folder.
            if self.seen.get(&name).is_some_and(|(print, _)| *print == GONE) {
                self.seen.remove(&name);
                let built_in = self.built_in.iter().find(|folder| folder.name == name);
                catalog.withdraw(&name, built_in.cloned());
                tracing::info!(tool = name, "an own connector was taken away");
            } else {
                self.seen.insert(name, (GONE, false));
            }
        }
    }
}

/// The print of a folder that is not there.
const GONE: u64 = 0;

/// Takes a folder into use, if it can be used.
fn take(catalog: &Catalog, path: &Path) {
    let folder = match Folder::read(path) {
        Ok(folder) => folder,
        Err(error) => {
            tracing::error!("{}: {error}", path.display());
            return;
        }
    };
    let name = folder.name.clone();
    match catalog.put(folder) {
        Ok(false) => {}
        Ok(true) => tracing::info!(tool = name, "a changed connector is in use"),
        Err(problems) => {
            let kept = if catalog.get(&name).is_some() {
                "the version before the change stays in use"
            } else {
                "there is none before it"
            };
            for problem in problems {
                tracing::error!(
                    tool = name,
                    "a changed connector cannot be used: {problem}; {kept}"
                );
            }
        }
    }
}

/// Names, sizes and times of a folder's files.
fn print(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for part in ["", "map", "actions"] {
        let mut files: Vec<_> = std::fs::read_dir(folder.join(part))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let of = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((entry.file_name(), of.len(), of.modified().ok()))
            })
            .collect();
        files.sort();
        (part, files).hash(&mut hasher);
    }
    hasher.finish().max(GONE + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "tool: acmehr\nlabel: Acme\ncategories: [HRIS]\nbase_url: https://a.example\n\
        auth: {type: none}\ncheck: {stream: people}\nstreams:\n  people: {request: {path: /p}, paging: {type: none}}\n";

    fn label(catalog: &Catalog) -> Option<String> {
        Some(catalog.get("acmehr")?.connector.manifest().label.clone())
    }

    #[test]
    fn a_changed_folder_is_taken_and_a_broken_one_is_not() {
        let temp = tempfile::tempdir().expect("a folder");
        let manifest = temp.path().join("acmehr/connector.yaml");
        let write = |text: &str| {
            std::fs::create_dir_all(temp.path().join("acmehr")).expect("a folder");
            std::fs::write(&manifest, text).expect("a file");
        };
        let catalog = Catalog::default();
        let mut watched = Watched::default();
        let mut look = || watched.look(&catalog, temp.path());
        write(GOOD);
        look();
        assert_eq!(label(&catalog), None, "it may still be written");
        look();
        assert_eq!(label(&catalog).as_deref(), Some("Acme"));
        write(&GOOD.replace("label: Acme", "label: Acme the Second"));
        look();
        look();
        assert_eq!(label(&catalog).as_deref(), Some("Acme the Second"));
        write(&GOOD.replace("paging:", "pagin:"));
        look();
        look();
        assert_eq!(label(&catalog).as_deref(), Some("Acme the Second"));
        let broken = catalog.broken("acmehr");
        assert!(broken.iter().any(|line| line.contains("pagin")), "{broken:?}");
        write(GOOD);
        look();
        look();
        assert_eq!((label(&catalog).as_deref(), catalog.broken("acmehr").len()), (Some("Acme"), 0));
        std::fs::remove_dir_all(temp.path().join("acmehr")).expect("it was there");
        look();
        look();
        assert_eq!(label(&catalog), None);
    }
}
