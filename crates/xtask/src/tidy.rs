//! The rules of the workspace, as code.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Most lines of a Rust file, its `mod tests` not counted.
const FILE_LINES: usize = 500;

/// What each crate may import of the others. An edge that is not here is a finding.
const EDGES: &[(&str, &[&str])] = &[
    ("cadre-model", &[]),
    ("cadre-jq", &[]),
    ("cadre-map", &["cadre-model", "cadre-jq"]),
    ("cadre-apply", &["cadre-model", "cadre-jq", "cadre-map"]),
    ("cadre-connector", &["cadre-model", "cadre-jq"]),
    ("cadre-store", &["cadre-model"]),
    (
        "cadre-jobs",
        &["cadre-model", "cadre-jq", "cadre-map", "cadre-apply", "cadre-connector", "cadre-store"],
    ),
    ("cadre-web", &["cadre-model", "cadre-store", "cadre-jobs"]),
    ("cadre-sandbox", &[]),
    (
        "cadre",
        &[
            "cadre-model",
            "cadre-map",
            "cadre-connector",
            "cadre-store",
            "cadre-jobs",
            "cadre-web",
            "cadre-sandbox",
        ],
    ),
];

/// Folders below `connectors/` whose names are protocols or our own, not vendors.
const NOT_VENDORS: &[&str] =
    &["sftp", "ldap", "scim", "scimfetch", "sandboxats", "sandboxhris", "sandboxlms"];

/// Vendors that have no connector yet and whose names are no ordinary words.
const MORE_VENDORS: &[&str] = &[
    "workday",
    "successfactors",
    "smartrecruiters",
    "recruitee",
    "teamtailor",
    "ashby",
    "icims",
    "bullhorn",
    "jobvite",
    "jazzhr",
    "breezyhr",
    "hibob",
    "factorial",
    "humaans",
    "sagehr",
    "adpworkforcenow",
    "entraid",
    "googleworkspace",
    "okta",
    "moodle",
    "docebo",
    "talentlms",
    "frappehr",
    "orangehrm",
    "horilla",
    "tryton",
    "softgarden",
    "onlyfy",
    "datev",
    "silae",
];

/// Every finding of every rule.
pub fn all(root: &Path) -> Vec<String> {
    let files = rust_files(&root.join("crates"));
    let mut findings = Vec::new();
    findings.extend(imports(root));
    findings.extend(sizes(root, &files));
    findings.extend(vendor_names(root, &files));
    findings.extend(words(root, &files));
    findings.extend(crate_comments(root));
    findings
}

/// Data flows one way: a crate imports only what stands below it.
fn imports(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, allowed) in EDGES {
        let path = root.join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut section = String::new();
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line.to_owned();
            }
            let Some(imported) =
                line.split(['.', ' ', '=']).next().filter(|n| n.starts_with("cadre"))
            else {
                continue;
            };
            if section == "[dependencies]" && !allowed.contains(&imported) {
                findings.push(format!(
                    "crates/{name}/Cargo.toml: {name} may not import {imported}; see \"who may import \
                     whom\" in ARCHITECTURE.md"
                ));
            }
        }
    }
    findings
}

/// A file is one room. An exception stands in `crates/xtask/exceptions.txt`, with its reason.
fn sizes(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let exceptions = exceptions(root);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !is_test(file)) {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.lines().take_while(|line| *line != "mod tests {").count();
        let name = relative(root, file);
        if lines > FILE_LINES && !exceptions.contains_key(&name) {
            findings.push(format!(
                "{name}: {lines} lines, the limit is {FILE_LINES}; split it, or give a reason in \
                 crates/xtask/exceptions.txt"
            ));
        }
    }
    findings
}

/// What a vendor needs is data under `connectors/`, or a mechanism named for what it does.
fn vendor_names(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let mut names: Vec<String> = MORE_VENDORS.iter().map(|name| (*name).to_owned()).collect();
    for entry in fs::read_dir(root.join("connectors")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !NOT_VENDORS.contains(&name.as_str()) && !name.starts_with('.') {
            names.push(name);
        }
    }
    let pattern = format!(r"(?i)\b({})\b", names.join("|"));
    let Ok(pattern) = Regex::new(&pattern) else {
        return vec![format!("tidy: the names of the connectors make no pattern: {pattern}")];
    };
    let free = ["crates/cadre-sandbox/", "crates/cadre-testkit/", "crates/xtask/"];
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| !is_test(file)) {
        let name = relative(root, file);
        if free.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        let text = fs::read_to_string(file).unwrap_or_default();
        for (number, line) in
            text.lines().enumerate().take_while(|(_, line)| *line != "mod tests {")
        {
            if let Some(found) = pattern.find(line) {
                findings.push(format!(
                    "{name}:{}: the vendor name \"{}\"; what a vendor needs is data in its connector \
                     folder",
                    number + 1,
                    found.as_str()
                ));
            }
        }
    }
    findings
}

/// Words that must not stay.
fn words(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let banned = [("FIX", "ME"), ("XX", "X:"), ("todo", "!("), ("unimplemented", "!(")];
    let mut findings = Vec::new();
    for file in files {
        let name = relative(root, file);
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        if ["utils", "util", "helpers", "common", "misc"].contains(&&*stem) {
            findings.push(format!(
                "{name}: a helper lives with its noun; name the file for what is in it"
            ));
        }
        let text = fs::read_to_string(file).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            for (head, tail) in banned {
                if line.contains(&format!("{head}{tail}")) {
                    findings.push(format!("{name}:{}: unfinished: {head}{tail}", number + 1));
                }
            }
        }
    }
    findings
}

/// Every crate opens with what it is for.
fn crate_comments(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        let source = entry.path().join("src");
        let file =
            ["lib.rs", "main.rs"].map(|name| source.join(name)).into_iter().find(|f| f.exists());
        let text = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        if text.lines().take_while(|line| line.starts_with("//!")).count() < 3 {
            findings.push(format!(
                "{}: the crate's first comment says what it is for, in three lines or more",
                relative(root, &source)
            ));
        }
    }
    findings
}

fn exceptions(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("crates/xtask/exceptions.txt")).unwrap_or_default();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|line| line.split_once(": "))
        .map(|(path, reason)| (path.to_owned(), reason.to_owned()))
        .collect()
}

fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "benches")
        || file.file_stem().is_some_and(|stem| stem == "tests")
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
