//! Lists the files of the connector folders that the binary carries: manifests, maps and READMEs.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let connectors =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../connectors");
    println!("cargo:rerun-if-changed={}", connectors.display());
    let mut table = String::from("&[\n");
    for folder in sorted(&connectors) {
        for part in ["", "map", "actions"] {
            for file in sorted(&folder.join(part)).iter().filter(|file| file.is_file()) {
                println!("cargo:rerun-if-changed={}", file.display());
                let inside = file.strip_prefix(&folder).expect("listed below the folder");
                if !matches!(file.extension().and_then(|e| e.to_str()), Some("yaml" | "md")) {
                    continue;
                }
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let file = file.canonicalize().expect("it was just listed");
                writeln!(table, "    ({name:?}, {inside:?}, include_str!({file:?})),")
                    .expect("a string grows");
            }
        }
    }
    table.push(']');
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("connectors.rs");
    fs::write(out, table).expect("the output folder can be written");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
