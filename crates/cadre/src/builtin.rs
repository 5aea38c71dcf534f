//! The connectors that come with the binary.

use std::collections::BTreeMap;

use cadre_jobs::catalog::Folder;

/// Folder, path inside it, content; written by the build script.
const FILES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// The folders of the built-in connectors.
pub fn folders() -> Vec<Folder> {
    let mut folders: BTreeMap<&str, Folder> = BTreeMap::new();
    for (name, path, content) in FILES {
        let folder = folders
            .entry(name)
            .or_insert_with(|| Folder { name: (*name).to_owned(), files: BTreeMap::new() });
        folder.files.insert((*path).to_owned(), (*content).to_owned());
    }
    folders.into_values().collect()
}
