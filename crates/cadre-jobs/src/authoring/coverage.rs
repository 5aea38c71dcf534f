//! What connectors cover, told from their own files: the page `docs/connectors.md`.

use std::sync::Arc;

use cadre_connector::Stream;
use cadre_connector::manifest::{Manifest, TransportKind};
use cadre_model::action;
use cadre_model::live::live_read;
use cadre_model::registry;

use crate::catalog::Entry;

/// The page: a table of all, then a section for each.
#[must_use]
pub fn page(entries: &[Arc<Entry>]) -> String {
    let mut text = format!(
        "# Connectors\n\nWhat the {} connectors of this repository cover. This page is made of their folders by \
         `cadre connector coverage`;\nwhat each needs of a customer, and what it leaves out, is in the `README.md` \
         of its folder. Numbers of fields are of the\nunified model's own fields and relations.\n\n\
         | tool | kinds | models | actions | log-in | changes only | told by the tool |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
        entries.len()
    );
    for entry in entries {
        text.push_str(&row(entry));
    }
    for entry in entries {
        text.push_str(&section(entry));
    }
    text
}

fn row(entry: &Entry) -> String {
    let manifest = entry.connector.manifest();
    format!(
        "| [{}](#{}) | {} | {} | {} | {} | {} | {} |\n",
        manifest.label,
        entry.tool(),
        kinds(manifest),
        entry.maps.len(),
        entry.connector.actions().len(),
        log_in(manifest),
        some(&deltas(entry).join(", ")),
        if manifest.webhooks.is_some() { "yes" } else { "–" },
    )
}

fn section(entry: &Entry) -> String {
    let (tool, manifest) = (entry.tool(), entry.connector.manifest());
    let mut text = format!(
        "\n## {tool}\n\n{} ({}). Log-in: {}. [What it needs](../connectors/{tool}/README.md)\n\n",
        manifest.label,
        kinds(manifest),
        log_in(manifest)
    );
    let deltas = deltas(entry);
    if !deltas.is_empty() {
        text.push_str(&format!("* Reads only what changed of: {}.\n", deltas.join(", ")));
    }
    if let Some(hooks) = &manifest.webhooks {
        let how = if entry.connector.subscribes() {
            "Cadre subscribes"
        } else {
            "a person enters the address"
        };
        let mut of: Vec<String> = hooks.events.iter().map(|event| code(&event.stream)).collect();
        of.sort();
        of.dedup();
        text.push_str(&format!("* The tool tells of changes ({how}): {}.\n", of.join(", ")));
    }
    if manifest.inbound.is_some() {
        text.push_str("* The tool pushes what it has.\n");
    }
    let asked: Vec<&str> =
        entry.live.keys().filter_map(|id| live_read(id)).map(|read| read.id).collect();
    if !asked.is_empty() {
        text.push_str(&format!("* Asked while the caller waits: {}.\n", codes(&asked)));
    }
    let apis: Vec<&str> = manifest.passthrough.keys().map(String::as_str).collect();
    if !apis.is_empty() {
        text.push_str(&format!("* Passes requests through to: {}.\n", codes(&apis)));
    }
    if let Some(assessment) = &manifest.assessment {
        let requests = assessment.requests.len();
        text.push_str(&format!("* Orders assessments of Cadre ({requests} requests).\n"));
    }
    text.push_str("\n| model | fields | which |\n| --- | --- | --- |\n");
    for model in registry::models() {
        let coverage = entry.coverage();
        let Some(fields) = coverage.get(model.id) else { continue };
        let all = model.shape.fields.len() + model.links().count();
        let names: Vec<&str> = fields.iter().map(String::as_str).collect();
        text.push_str(&format!(
            "| `{}` | {} of {all} | {} |\n",
            model.id,
            fields.len(),
            names.join(", ")
        ));
    }
    let actions: Vec<&str> = action::actions()
        .map(|action| action.id)
        .filter(|id| entry.connector.actions().contains_key(*id))
        .collect();
    if !actions.is_empty() {
        text.push_str(&format!("\nActions: {}.\n", codes(&actions)));
    }
    text
}

fn kinds(manifest: &Manifest) -> String {
    let kinds: Vec<&str> = manifest.categories.iter().map(|kind| kind.as_str()).collect();
    kinds.join(", ")
}

fn log_in(manifest: &Manifest) -> String {
    if manifest.inbound.is_some() {
        return "the tool logs in here".to_owned();
    }
    match manifest.transport {
        TransportKind::Sftp => "password or key".to_owned(),
        TransportKind::Ldap => "bind".to_owned(),
        TransportKind::Http => {
            let mut words = manifest.auth.as_ref().map(|auth| auth.words()).unwrap_or_default();
            if words == "none" && manifest.connect.fields.iter().any(|field| field.secret) {
                words = "secret in the requests".to_owned();
            }
            let certificate = manifest.client_certificate.is_some();
            words + if certificate { ", client certificate" } else { "" }
        }
    }
}

fn deltas(entry: &Entry) -> Vec<String> {
    let told = |stream: &&Stream| stream.delta_overlap_ms().is_some();
    entry.connector.streams().iter().filter(told).map(|stream| code(stream.name())).collect()
}

fn some(words: &str) -> &str {
    if words.is_empty() { "–" } else { words }
}

fn code(word: &str) -> String {
    format!("`{word}`")
}

fn codes(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| code(word)).collect();
    words.join(", ")
}
