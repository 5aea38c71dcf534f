//! What a question asks for.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{FORMS, Phrases, fold, fold_name, read};
use crate::question::Kind;

/// Below this, a question is about nothing that is known.
const ENOUGH: f64 = 52.0;

/// What a question can ask for, as the vocabulary writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    /// Our name of it.
    pub(crate) subject: String,
    /// The contract's key.
    #[serde(default)]
    pub(crate) key: Option<String>,
    /// The answer must not decide the application.
    #[serde(default)]
    pub(crate) equality: bool,
    #[serde(default)]
    on: Vec<Kind>,
    #[serde(default)]
    types: Vec<String>,
    #[serde(default)]
    autocomplete: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    labels: HashMap<String, Vec<String>>,
    #[serde(default)]
    not: Vec<String>,
    #[serde(default)]
    whole_text: bool,
}

impl Subject {
    fn may_stand_on(&self, kind: Kind) -> bool {
        if self.on.is_empty() { kind != Kind::File } else { self.on.contains(&kind) }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Companion {
    subject: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    with: Option<String>,
    without: String,
    becomes: String,
}

struct Vocabulary {
    subjects: Vec<Subject>,
    labels: Phrases<usize>,
    names: Phrases<usize>,
    not: Phrases<usize>,
    companions: Vec<(Companion, Phrases<()>)>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut subjects: Vec<Subject> = read(include_str!("../../vocabulary/questions.yaml"));
    subjects.extend(read::<Vec<Subject>>(include_str!("../../vocabulary/residence.yaml")));
    let (mut labels, mut names, mut not) = (Phrases::new(), Phrases::new(), Phrases::new());
    for (at, subject) in subjects.iter().enumerate() {
        subject.labels.values().flatten().for_each(|text| labels.add(text, at));
        subject.names.iter().for_each(|text| names.add(text, at));
        subject.not.iter().for_each(|text| not.add(text, at));
    }
    let companions: Vec<Companion> = read(include_str!("../../vocabulary/companions.yaml"));
    let companions = companions.into_iter().map(|one| {
        let phrases = Phrases::of(&one.labels, ());
        (one, phrases)
    });
    Vocabulary { labels, names, not, companions: companions.collect(), subjects }
});

/// What is to be seen of a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) label: &'a str,
    pub(crate) section: &'a str,
    pub(crate) placeholder: &'a str,
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) autocomplete: &'a str,
    /// The type of an input.
    pub(crate) input: &'a str,
    pub(crate) kind: Kind,
}

/// What a question asks for; `None` where nothing says so clearly.
pub(crate) fn subject(asked: &Asked<'_>) -> Option<&'static Subject> {
    let known = &*VOCABULARY;
    let mut scores = vec![0.0; known.subjects.len()];
    let mut better = |at: usize, score: f64| {
        if let Some(best) = scores.get_mut(at) {
            *best = f64::max(*best, score);
        }
    };
    for (at, one) in known.subjects.iter().enumerate() {
        let mut tokens = asked.autocomplete.split_ascii_whitespace();
        if tokens.any(|token| one.autocomplete.iter().any(|known| known == token)) {
            better(at, 100.0);
        }
        if one.types.iter().any(|known| known == asked.input) {
            // An address is always one; a link can be a link to anything.
            better(at, if asked.input == "url" { ENOUGH } else { 75.0 });
        }
    }
    let label = fold(asked.label);
    by_label(&label, asked.kind, 0.0, &mut better);
    let placeholder = fold(asked.placeholder);
    by_label(&placeholder, asked.kind, 25.0, &mut better);
    let mut words = [label, fold(asked.section)].concat();
    for name in [asked.name, asked.id] {
        let all = fold_name(name);
        by_name(&FORMS.without_noise(&all), &mut better);
        words.push("|".to_owned());
        words.extend(all);
    }
    for hit in known.not.hits(&words) {
        scores[hit.means] = 0.0;
    }
    let allowed =
        known.subjects.iter().zip(&scores).filter(|(one, _)| one.may_stand_on(asked.kind));
    let mut best: Option<(&Subject, f64)> = None;
    for (one, score) in allowed {
        if *score >= ENOUGH && best.is_none_or(|(_, best)| *score > best) {
            best = Some((one, *score));
        }
    }
    best.map(|(one, _)| one)
}

/// How much of what a person reads is a phrase.
fn by_label(words: &[String], kind: Kind, less: f64, better: &mut impl FnMut(usize, f64)) {
    let letters: usize = words.iter().map(String::len).sum();
    for hit in VOCABULARY.labels.hits(words) {
        let share = letters_share(hit.letters, letters);
        let consents = VOCABULARY.subjects[hit.means].whole_text && kind == Kind::Boolean;
        let score = if hit.whole {
            90.0
        } else if consents {
            70.0 + 10.0 * share
        } else if words.len() <= 4 || hit.words >= 3 {
            58.0 + 25.0 * share + if hit.starts { 2.0 } else { 0.0 }
        } else if hit.words >= 2 {
            50.0 + 35.0 * share
        } else {
            38.0 + 50.0 * share
        };
        better(hit.means, score - less);
    }
}

fn by_name(words: &[String], better: &mut impl FnMut(usize, f64)) {
    let letters: usize = words.iter().map(String::len).sum();
    for hit in VOCABULARY.names.hits(words) {
        let score =
            if hit.whole { 65.0 } else { 40.0 + 20.0 * letters_share(hit.letters, letters) };
        better(hit.means, score);
    }
}

/// Texts of a page are short: the share is exact enough.
fn letters_share(part: usize, whole: usize) -> f64 {
    let small = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    small(part) / small(whole).max(1.0)
}

/// What questions ask for beside each other: each with its label and its subject.
pub(crate) fn settle(questions: &mut [(&str, &mut Option<&'static Subject>)]) {
    for (rule, labels) in &VOCABULARY.companions {
        let has = |name: &str, questions: &[(&str, &mut Option<&'static Subject>)]| {
            questions.iter().any(|(_, one)| one.is_some_and(|one| one.subject == name))
        };
        if rule.with.as_ref().is_some_and(|with| !has(with, questions))
            || has(&rule.without, questions)
        {
            continue;
        }
        let becomes = VOCABULARY.subjects.iter().find(|one| one.subject == rule.becomes);
        let found = questions.iter_mut().find(|(label, one)| {
            one.is_some_and(|one| one.subject == rule.subject)
                && (rule.labels.is_empty() || labels.is_in(&fold(label)))
        });
        if let Some((_, one)) = found {
            **one = becomes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, VOCABULARY, subject};
    use crate::question::Kind;

    fn of(label: &str, name: &str, kind: Kind) -> Option<&'static str> {
        let asked = Asked {
            label,
            section: "",
            placeholder: "",
            name,
            id: "",
            autocomplete: "",
            input: "",
            kind,
        };
        subject(&asked).map(|one| one.subject.as_str())
    }

    #[test]
    fn questions_are_known_by_their_words() {
        for (label, name, found) in [
            ("Your e-mail address", "", Some("email")),
            ("E-Mail-Adresse", "", Some("email")),
            ("Vorname", "", Some("first_name")),
            ("Apellidos", "", Some("last_name")),
            ("Pays", "", Some("residence_country")),
            ("", "candidate[first_name]", Some("first_name")),
            ("Company name", "company_name", Some("current_employer")),
            ("Why do you like the outlandish?", "q1", None),
            ("Describe your experience with email marketing campaigns", "q2", None),
            ("How did you hear of us?", "q3", Some("source")),
            ("Telefon", "phone_number", Some("phone")),
        ] {
            assert_eq!(of(label, name, Kind::Text), found, "{label} {name}");
        }
        assert_eq!(of("Lebenslauf hochladen", "", Kind::File), Some("resume"));
        assert_eq!(
            of("Ich habe die Datenschutzhinweise gelesen", "x", Kind::Boolean),
            Some("terms")
        );
    }

    #[test]
    fn keys_are_those_of_the_contract_and_companions_are_known() {
        for one in &VOCABULARY.subjects {
            assert!(
                one.key.as_deref().is_none_or(|key| crate::UNIFIED_KEYS.contains(&key)),
                "{one:?}"
            );
            let same = VOCABULARY.subjects.iter().filter(|other| other.subject == one.subject);
            assert_eq!(same.count(), 1, "{}", one.subject);
        }
        for key in crate::UNIFIED_KEYS {
            assert!(VOCABULARY.subjects.iter().any(|one| one.key.as_deref() == Some(key)), "{key}");
        }
        for (rule, _) in &VOCABULARY.companions {
            for name in
                [Some(&rule.subject), rule.with.as_ref(), Some(&rule.without), Some(&rule.becomes)]
            {
                let name = name.map(String::as_str);
                let known =
                    VOCABULARY.subjects.iter().any(|one| Some(one.subject.as_str()) == name);
                assert!(known || name.is_none(), "{name:?}");
            }
        }
    }
}
