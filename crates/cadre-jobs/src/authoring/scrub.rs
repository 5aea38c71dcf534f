//! Made-up values in place of secrets and of what is said about people.
//!
//! The same value becomes the same made-up value wherever it stands, in a URL, a body or a reference, so that
//! what belongs together still does. What is looked for: values by the keys they stand under ([`kind`]), and
//! e-mail addresses, phone numbers, bank accounts, tokens, and every name that was seen, in any text. Whatever is
//! found is noted by its place. Ids stay: references are made of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

mod invent;
mod kind;

pub(super) use kind::Kind;
use kind::{Beside, bare};

/// Shortest text that is looked for inside other texts: shorter ones would tear holes into everything.
const SHORTEST: usize = 4;

/// Finds and replaces.
#[derive(Default)]
pub(super) struct Scrub {
    /// Lower-case word of a name, and the made-up one.
    words: BTreeMap<String, String>,
    /// Given names and family names that were made up.
    named: (usize, usize),
    /// Whole values.
    values: HashMap<(Kind, String), String>,
    /// Lower-case e-mail address, and the made-up one.
    emails: BTreeMap<String, String>,
    /// Texts that are replaced wherever they stand, the longest first.
    parts: Vec<(Kind, String, String)>,
    /// What was found, and where.
    found: BTreeMap<Kind, BTreeSet<String>>,
    /// Finds the words of names.
    any_word: Option<Regex>,
}

impl Scrub {
    /// Replaces a secret or a setting of the account wherever it stands.
    pub(super) fn replace_part(&mut self, kind: Kind, name: &str, text: &str, by: &str) {
        if text.is_empty() || text == by {
            return;
        }
        self.note(kind, name);
        self.values.insert((kind, text.to_owned()), by.to_owned());
        if text.len() >= SHORTEST {
            self.parts.push((kind, text.to_owned(), by.to_owned()));
            self.parts.sort_by_key(|(_, text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// Learns the names, addresses and tokens of a body, before anything is replaced.
    pub(super) fn learn(&mut self, body: &Value) {
        self.walk(body, "", "", &Beside::nothing());
        let words: Vec<String> = self.words.keys().map(|word| regex::escape(word)).collect();
        self.any_word = (!words.is_empty())
            .then(|| Regex::new(&format!(r"(?i)\b({})\b", words.join("|"))).ok())
            .flatten();
    }

    /// A body without what was learned.
    pub(super) fn json(&mut self, body: &Value) -> Value {
        self.walk(body, "", "", &Beside::nothing())
    }

    /// A document of XML without what was learned.
    pub(super) fn xml(&mut self, text: &str) -> String {
        static ELEMENT: LazyLock<Option<Regex>> =
            LazyLock::new(|| Regex::new(r"<([A-Za-z_][\w:.-]*)([^<>]*)>([^<]+)</").ok());
        let Some(element) = ELEMENT.as_ref() else { return self.text(text) };
        let beside = Beside::nothing();
        let named = element.replace_all(text, |found: &Captures<'_>| {
            let (name, attributes, inside) = (&found[1], &found[2], &found[3]);
            let key = name.replace(['_', '.'], "");
            let made = self.keyed(&key, "", inside, name, &beside);
            format!("<{name}{attributes}>{}</", made.unwrap_or_else(|| inside.to_owned()))
        });
        let named = named.into_owned();
        self.text(&named)
    }

    /// Any text without what was learned, and without what shows what it is by its form.
    pub(super) fn text(&mut self, text: &str) -> String {
        let mut clean = text.to_owned();
        for (_, part, by) in &self.parts {
            clean = clean.replace(part.as_str(), by);
        }
        clean = self.formed(&clean);
        match &self.any_word {
            Some(any) => any
                .replace_all(&clean, |found: &Captures<'_>| {
                    let word = &found[0];
                    // In running text a name begins with a capital; `may` and `will` are other words.
                    if word.starts_with(char::is_lowercase) {
                        return word.to_owned();
                    }
                    let made = self.words.get(&word.to_lowercase());
                    made.map_or_else(|| word.to_owned(), |made| invent::in_case_of(made, word))
                })
                .into_owned(),
            None => clean,
        }
    }

    /// A value of a query or a form.
    pub(super) fn pair(&mut self, key: &str, value: &str, place: &str) -> String {
        match self.keyed(key, "", value, place, &Beside::nothing()) {
            Some(made) => made,
            None => self.whole(value),
        }
    }

    /// What was found: words for it, and its places.
    pub(super) fn found(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut all: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for (kind, places) in &self.found {
            all.entry(kind.words()).or_default().extend(places.iter().cloned());
        }
        all
    }

    /// Whether a text still holds a secret, or an address that was replaced.
    pub(super) fn left_in(&self, text: &str) -> Option<&'static str> {
        let secret = |(kind, part, _): &&(Kind, String, String)| {
            *kind == Kind::Secret && text.contains(part.as_str())
        };
        if self.parts.iter().find(secret).is_some() {
            return Some("a secret");
        }
        let lower = text.to_lowercase().replace("%40", "@");
        let made = |email: &&String| !self.emails.values().any(|made| made == *email);
        let email = self.emails.keys().filter(made).any(|email| lower.contains(email.as_str()));
        email.then_some("an e-mail address")
    }

    fn note(&mut self, kind: Kind, place: &str) {
        self.found.entry(kind).or_default().insert(place.trim_start_matches('.').to_owned());
    }

    fn walk(&mut self, value: &Value, place: &str, key: &str, beside: &Beside) -> Value {
        match value {
            Value::Object(fields) => {
                let inside = Beside::of(fields);
                let mut clean = Map::new();
                for (name, value) in fields {
                    let place = format!("{place}.{name}");
                    let made = match value {
                        Value::String(text) => self.string(name, key, text, &place, &inside).into(),
                        Value::Number(number) => self.number(name, key, number, &place, &inside),
                        other => self.walk(other, &place, name, &inside),
                    };
                    clean.insert(self.key(name), made);
                }
                Value::Object(clean)
            }
            Value::Array(items) => {
                let place = format!("{place}[]");
                let items = items.iter().map(|item| match item {
                    Value::String(text) => self.string(key, "", text, &place, beside).into(),
                    item => self.walk(item, &place, key, beside),
                });
                Value::Array(items.collect())
            }
            Value::String(text) => self.whole(text).into(),
            other => other.clone(),
        }
    }

    /// Addresses and ids of people are keys too.
    fn key(&mut self, name: &str) -> String {
        if name.contains('@') { self.text(name) } else { name.to_owned() }
    }

    fn string(
        &mut self,
        key: &str,
        within: &str,
        text: &str,
        place: &str,
        beside: &Beside,
    ) -> String {
        match self.keyed(key, within, text, place, beside) {
            Some(made) => made,
            None => self.whole(text),
        }
    }

    fn number(
        &mut self,
        key: &str,
        within: &str,
        number: &serde_json::Number,
        place: &str,
        beside: &Beside,
    ) -> Value {
        let kind = kind::of(key, within, beside);
        let told = matches!(kind, Some(Kind::Phone | Kind::Bank | Kind::Identity | Kind::Secret));
        let (Some(kind), true, Some(digits)) = (kind, told, number.as_u64()) else {
            return Value::Number(number.clone());
        };
        self.note(kind, place);
        let text = format!("1{}", digits);
        let made = self.made(kind, &text);
        made.parse::<u64>().map_or(Value::Null, Value::from)
    }

    /// A value that its key says something about; `None` if it says nothing.
    fn keyed(
        &mut self,
        key: &str,
        within: &str,
        text: &str,
        place: &str,
        beside: &Beside,
    ) -> Option<String> {
        let kind = kind::of(key, within, beside)?;
        if text.trim().is_empty() {
            return Some(text.to_owned());
        }
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let fits = match kind {
            Kind::Email => text.contains('@'),
            // `phoneType: mobile` is no number.
            Kind::Phone => digits >= 5,
            Kind::BirthDate => digits >= 2,
            _ => true,
        };
        if !fits {
            return None;
        }
        self.note(kind, place);
        Some(match kind {
            Kind::GivenName | Kind::FamilyName | Kind::FullName => self.name(kind, text),
            Kind::Email => {
                let places = self.found.clone();
                let made = self.text(text);
                // It was found by its key, and not in a text.
                self.found = places;
                made
            }
            kind => self.made(kind, text),
        })
    }

    /// A value that nothing is known about, unless it was seen before.
    fn whole(&mut self, text: &str) -> String {
        for kind in [Kind::Secret, Kind::Setting, Kind::Picture] {
            if let Some(made) = self.values.get(&(kind, text.to_owned())) {
                return made.clone();
            }
        }
        self.text(text)
    }

    /// The made-up value of a kind; the same for the same.
    fn made(&mut self, kind: Kind, text: &str) -> String {
        let known = self.values.get(&(kind, text.to_owned())).cloned();
        if let Some(made) = known {
            return made;
        }
        let number = self.values.keys().filter(|(of, _)| *of == kind).count();
        let made = match kind {
            Kind::Phone => invent::phone(text, number),
            Kind::BirthDate => invent::birth_date(text, number),
            Kind::Bank if invent::is_iban(text) => invent::iban(text, number),
            Kind::Bank | Kind::Identity => invent::same_form(text, number, true),
            Kind::Address if text.chars().any(char::is_alphabetic) => {
                format!("Example Street {}", number + 1)
            }
            Kind::Address => invent::same_form(text, number, false),
            Kind::Picture if text.contains("://") => {
                format!("https://example.com/picture-{}", number + 1)
            }
            Kind::Picture => format!("picture-{}", number + 1),
            Kind::Text => format!("Text {}", number + 1),
            _ => format!("made-up-{}", number + 1),
        };
        self.values.insert((kind, text.to_owned()), made.clone());
        // What proves who asks comes back in URLs and bodies of later requests.
        if kind == Kind::Secret && text.len() >= 2 * SHORTEST {
            self.parts.push((kind, text.to_owned(), made.clone()));
            self.parts.sort_by_key(|(_, text, _)| std::cmp::Reverse(text.len()));
        }
        made
    }

    /// A name, word by word.
    fn name(&mut self, kind: Kind, text: &str) -> String {
        if text.contains('@') {
            return self.formed(text);
        }
        let mut made = String::new();
        let mut word = String::new();
        let mut first = kind != Kind::FamilyName;
        let whole = kind == Kind::GivenName;
        for letter in text.chars().chain(['\0']) {
            if letter.is_alphanumeric() || letter == '\'' {
                word.push(letter);
                continue;
            }
            if !word.is_empty() {
                made.push_str(&self.word(&word, first));
                first = whole;
                word.clear();
            }
            if letter != '\0' {
                made.push(letter);
            }
        }
        made
    }

    fn word(&mut self, word: &str, given: bool) -> String {
        const PARTICLES: &[&str] =
            &["von", "van", "der", "den", "del", "della", "bin", "ibn", "dos"];
        let lower = word.to_lowercase();
        let short = lower.chars().count() < 2 || word.chars().all(|c| c.is_ascii_digit());
        if short || PARTICLES.contains(&lower.as_str()) {
            return word.to_owned();
        }
        // What was made up is not made up again.
        if let Some(made) = self.words.get(&lower) {
            return invent::in_case_of(made, word);
        }
        let made = loop {
            let made = if given {
                self.named.0 += 1;
                invent::given(self.named.0 - 1)
            } else {
                self.named.1 += 1;
                invent::family(self.named.1 - 1)
            };
            if made.to_lowercase() != lower {
                break made;
            }
        };
        self.words.insert(lower, made.clone());
        invent::in_case_of(&made, word)
    }

    /// Replaces what shows by its form what it is.
    fn formed(&mut self, text: &str) -> String {
        static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
            let forms = [
                r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
                r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*",
                r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
                r"\+\d{1,3}[ ()./-]*\d(?:[ ()./-]*\d){6,12}",
            ];
            forms.iter().filter_map(|form| Regex::new(form).ok()).collect()
        });
        let kinds = [Kind::Email, Kind::Secret, Kind::Bank, Kind::Phone];
        let mut clean = text.to_owned();
        for (form, kind) in FORMS.iter().zip(kinds) {
            if !form.is_match(&clean) {
                continue;
            }
            let made = form.replace_all(&clean, |found: &Captures<'_>| match kind {
                Kind::Email => self.email(&found[0]),
                Kind::Bank if !invent::is_iban(&found[0]) => found[0].to_owned(),
                kind => self.made(kind, &found[0]),
            });
            clean = made.into_owned();
        }
        clean
    }

    fn email(&mut self, email: &str) -> String {
        let lower = email.to_lowercase();
        if let Some(made) = self.emails.get(&lower) {
            return made.clone();
        }
        if self.emails.values().any(|made| *made == lower) {
            return lower;
        }
        self.note(Kind::Email, "in texts");
        let local = lower.split('@').next().unwrap_or_default();
        let words: Vec<&str> = local.split(|c: char| !c.is_alphabetic()).collect();
        let known: Vec<String> = words
            .iter()
            .filter_map(|word| self.words.get(*word).map(|made| made.to_lowercase()))
            .collect();
        let mut made = format!("{}@example.com", known.join("."));
        if known.is_empty() || self.emails.values().any(|there| *there == made) {
            made = format!("person{}@example.com", self.emails.len() + 1);
        }
        self.emails.insert(lower, made.clone());
        made
    }
}

/// The places of a query, for people.
pub(super) fn place_of(path: &str, key: &str) -> String {
    format!("{path}?{}", bare(key))
}

#[cfg(test)]
mod tests;
