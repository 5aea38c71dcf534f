//! The account of a case: made-up values in place of what the customer entered.

use cadre_connector::manifest::ConnectField;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::Session;
use crate::authoring::scrub::{Kind, Scrub};

/// A key that was made for cases and opens nothing.
const CASE_KEY: &str = include_str!("../case-key.pem");

/// What a case says the customer entered.
pub(super) struct Form {
    pub(super) settings: Map<String, Value>,
    pub(super) secrets: Map<String, Value>,
}

/// Makes values up, and tells the scrub what they stand for.
///
/// # Errors
///
/// When nothing that was made up is taken by the form.
pub(super) fn made_up(
    of: &Session<'_>,
    scrub: &mut Scrub,
    warnings: &mut Vec<String>,
) -> Result<Form, String> {
    let manifest = of.entry.connector.manifest();
    let address = manifest.base_url.as_ref().map(|url| url.expr().source().to_owned());
    let address = address.unwrap_or_default();
    let mut form = Form { settings: Map::new(), secrets: Map::new() };
    let mut kept = Vec::new();
    for field in &manifest.connect.fields {
        if let Some(secret) = of.account.secrets.get(&field.name) {
            let made = secret_in_place_of(field, secret.expose());
            scrub.replace_part(Kind::Secret, &field.name, secret.expose(), &made);
            form.secrets.insert(field.name.clone(), made.into());
        }
        let Some(entered) = of.account.settings.get(&field.name).and_then(Value::as_str) else {
            continue;
        };
        let made = setting_in_place_of(field, entered, &address, scrub);
        if made.as_deref().is_none_or(|made| made == entered) {
            if field.options.is_empty() && field.default.as_deref() != Some(entered) {
                kept.push(field.name.as_str());
            }
            form.settings.insert(field.name.clone(), entered.into());
        } else if let Some(made) = made {
            scrub.replace_part(Kind::Setting, &field.name, entered, &made);
            form.settings.insert(field.name.clone(), made.into());
        }
    }
    if let Some(token) = of.access_token {
        // The token of cases.
        scrub.replace_part(Kind::Secret, "access token", token.expose(), "case");
    }
    if !kept.is_empty() {
        warnings.push(format!("case.yaml: kept as entered: {}", kept.join(", ")));
    }
    let mut all = form.settings.clone();
    all.extend(form.secrets.clone());
    manifest.accept(&all).map_err(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!(
            "nothing made up is taken by the form ({}); give such fields an `example`",
            words.join("; ")
        )
    })?;
    Ok(form)
}

fn secret_in_place_of(field: &ConnectField, secret: &str) -> String {
    if secret.contains("PRIVATE KEY") {
        return CASE_KEY.to_owned();
    }
    if let Some(example) = field.example.as_deref().filter(|example| *example != secret) {
        return example.to_owned();
    }
    match &field.pattern {
        None => format!("case-{}", field.name.replace('_', "-")),
        // The form of the real one, with nothing of it left.
        Some(_) => secret
            .chars()
            .map(|letter| match letter {
                '0'..='9' => '0',
                'A'..='Z' => 'A',
                'a'..='z' => 'a',
                letter => letter,
            })
            .collect(),
    }
}

/// What stands in place of a setting; `None` if it says nothing about the customer.
fn setting_in_place_of(
    field: &ConnectField,
    entered: &str,
    address: &str,
    scrub: &mut Scrub,
) -> Option<String> {
    if !field.options.is_empty() || field.default.as_deref() == Some(entered) {
        return None;
    }
    if entered.contains('@') {
        return Some(scrub.text(entered));
    }
    let example = field.example.as_deref();
    if let Ok(url) = Url::parse(entered) {
        let near = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let example = example.filter(|example| Url::parse(example).is_ok());
        return (!near).then(|| example.unwrap_or("https://tool.example").to_owned());
    }
    let named =
        ["user", "login", "account", "company"].iter().any(|word| field.name.contains(word));
    let in_address = address.contains(&format!("$settings.{}", field.name));
    // Shorter ones cannot be found again in an address.
    let found = entered.len() >= 4 && !entered.chars().all(|c| c.is_ascii_digit());
    if !found || !(named || in_address) {
        return None;
    }
    Some(example.map_or_else(|| format!("case-{}", field.name.replace('_', "-")), str::to_owned))
}
