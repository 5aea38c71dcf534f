//! What words mean: the vocabulary under `vocabulary/`, read once.

mod phrases;
mod subjects;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

pub(crate) use phrases::{Phrases, fold, fold_name};
pub(crate) use subjects::{Asked, Subject, settle, subject};

/// The words that pages write around questions.
pub(crate) static FORMS: LazyLock<FormWords> =
    LazyLock::new(|| FormWords::of(read(include_str!("../../vocabulary/forms.yaml"))));
/// The words that say what became of an application.
pub(crate) static OUTCOMES: LazyLock<OutcomeWords> =
    LazyLock::new(|| OutcomeWords::of(&read(include_str!("../../vocabulary/outcomes.yaml"))));

static OPTIONS: LazyLock<HashMap<String, Phrases<&'static str>>> = LazyLock::new(options);

/// What choices mean, by code.
static COUNTRIES: LazyLock<Phrases<&'static str>> = LazyLock::new(|| {
    let known: HashMap<String, Vec<String>> = read(include_str!("../../vocabulary/countries.yaml"));
    let mut phrases = Phrases::new();
    for (code, names) in known {
        let code = cadre_model::values::COUNTRIES.iter().find(|one| **one == code);
        let code = code.expect("the file names known countries only");
        names.iter().for_each(|name| phrases.add(&format!("={name}"), *code));
    }
    phrases
});

/// Reads a file of the vocabulary. The files are part of the program, and tests read each of them.
fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).expect("a file of the vocabulary that fits its type")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormFile {
    required: Vec<String>,
    optional: Vec<String>,
    all_required: Vec<String>,
    traps: Vec<String>,
    no_choice: Vec<String>,
    apply: Vec<String>,
    next: Vec<String>,
    other_buttons: Vec<String>,
    not_application: Vec<String>,
    application: Vec<String>,
    dates: HashMap<String, String>,
    captcha: Vec<String>,
    captcha_labels: Vec<String>,
    name_noise: Vec<String>,
}

/// The words that pages write around questions.
pub(crate) struct FormWords {
    pub(crate) required: Phrases<()>,
    pub(crate) optional: Phrases<()>,
    pub(crate) all_required: Phrases<()>,
    pub(crate) traps: Phrases<()>,
    no_choice: Phrases<()>,
    pub(crate) apply: Phrases<()>,
    pub(crate) next: Phrases<()>,
    pub(crate) other_buttons: Phrases<()>,
    pub(crate) not_application: Phrases<()>,
    pub(crate) application: Phrases<()>,
    dates: Vec<(String, String)>,
    captcha: Vec<String>,
    pub(crate) captcha_labels: Phrases<()>,
    name_noise: Vec<String>,
}

impl FormWords {
    fn of(file: FormFile) -> FormWords {
        let phrases = |texts: &Vec<String>| Phrases::of(texts, ());
        FormWords {
            required: phrases(&file.required),
            optional: phrases(&file.optional),
            all_required: phrases(&file.all_required),
            traps: phrases(&file.traps),
            no_choice: phrases(&file.no_choice),
            apply: phrases(&file.apply),
            next: phrases(&file.next),
            other_buttons: phrases(&file.other_buttons),
            not_application: phrases(&file.not_application),
            application: phrases(&file.application),
            dates: file.dates.into_iter().collect(),
            captcha: file.captcha,
            captcha_labels: phrases(&file.captcha_labels),
            name_noise: file.name_noise,
        }
    }

    /// Whether an option of a list stands for no choice.
    pub(crate) fn is_no_choice(&self, label: &str) -> bool {
        let words = fold(label);
        words.is_empty() || self.no_choice.is_in(&words)
    }

    /// How a date is written, where a text says so: `dd.mm.yyyy`.
    pub(crate) fn date_pattern(&self, text: &str) -> Option<&str> {
        let lower: String = text.to_lowercase().split_whitespace().collect();
        let found = self.dates.iter().find(|(shown, _)| lower.contains(shown.as_str()));
        found.map(|(_, pattern)| pattern.as_str())
    }

    /// Whether a text holds the name of something that only a person at the keyboard can pass.
    pub(crate) fn is_captcha(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        self.captcha.iter().any(|name| lower.contains(name.as_str()))
    }

    fn without_noise(&self, words: &[String]) -> Vec<String> {
        words.iter().filter(|word| !self.name_noise.contains(word)).cloned().collect()
    }
}

/// What an answer can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Success,
    Duplicate,
    Closed,
    Invalid,
}

/// The words that say what became of an application.
pub(crate) struct OutcomeWords {
    says: Phrases<Says>,
    /// Words in classes of messages about fields.
    pub(crate) messages: Phrases<()>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeFile {
    success: HashMap<String, Vec<String>>,
    duplicate: HashMap<String, Vec<String>>,
    closed: HashMap<String, Vec<String>>,
    invalid: HashMap<String, Vec<String>>,
    messages: Vec<String>,
}

impl OutcomeWords {
    fn of(file: &OutcomeFile) -> OutcomeWords {
        let mut says = Phrases::new();
        for (texts, means) in [
            (&file.success, Says::Success),
            (&file.duplicate, Says::Duplicate),
            (&file.closed, Says::Closed),
            (&file.invalid, Says::Invalid),
        ] {
            texts.values().flatten().for_each(|text| says.add(text, means));
        }
        OutcomeWords { says, messages: Phrases::of(&file.messages, ()) }
    }

    /// Everything that a text says.
    pub(crate) fn said(&self, text: &str) -> Vec<Says> {
        let words = fold(text);
        let mut said: Vec<Says> = Vec::new();
        for hit in self.says.hits(&words) {
            if !said.contains(&hit.means) {
                said.push(hit.means);
            }
        }
        said
    }
}

fn options() -> HashMap<String, Phrases<&'static str>> {
    let file: HashMap<String, HashMap<String, Vec<String>>> =
        read(include_str!("../../vocabulary/options.yaml"));
    let mut all = HashMap::new();
    for (of, keys) in file {
        let mut phrases = Phrases::new();
        for (key, texts) in keys {
            // Read once for the life of the process.
            let key: &'static str = key.leak();
            texts.iter().for_each(|text| phrases.add(text, key));
        }
        all.insert(of, phrases);
    }
    all
}

/// What a choice means for a question about a subject or with a key.
pub(crate) fn option(of: &str, value: &str, label: &str) -> Option<&'static str> {
    let words = fold(label);
    match of {
        "RESIDENCE_COUNTRY" | "PHONE_COUNTRY_CODE" => country(value, label, &words),
        _ => {
            let phrases = OPTIONS.get(of)?;
            let best = phrases.hits(&words).max_by_key(|hit| (hit.whole, hit.letters));
            best.map(|hit| hit.means)
        }
    }
}

fn country(value: &str, label: &str, words: &[String]) -> Option<&'static str> {
    let code = |text: &str| {
        let upper = text.trim().to_ascii_uppercase();
        cadre_model::values::COUNTRIES.iter().copied().find(|code| *code == upper)
    };
    // `Germany (+49)` names the country with its prefix.
    let named: Vec<String> = words
        .iter()
        .filter(|word| !word.chars().all(|letter| letter.is_ascii_digit()))
        .cloned()
        .collect();
    let by_name = || COUNTRIES.hits(&named).next().map(|hit| hit.means);
    let english = || {
        let text = label.split(['(', '+']).next().unwrap_or_default();
        cadre_map::country_code(text).or_else(|| cadre_map::country_code(value))
    };
    by_name().or_else(english).or_else(|| code(value))
}

#[cfg(test)]
mod tests {
    use super::{FORMS, OUTCOMES, Says, option};

    #[test]
    fn choices_mean_what_they_read_like() {
        for (of, value, label, key) in [
            ("GENDER", "1", "Männlich", Some("MALE")),
            ("GENDER", "2", "Female", Some("FEMALE")),
            ("GENDER", "3", "Je ne souhaite pas répondre", Some("NOT_SPECIFIED")),
            ("RESIDENCE_COUNTRY", "80", "Deutschland", Some("DE")),
            ("RESIDENCE_COUNTRY", "fr", "Frankreich", Some("FR")),
            ("RESIDENCE_COUNTRY", "9", "United States", Some("US")),
            ("PHONE_COUNTRY_CODE", "+49", "Germany (+49)", Some("DE")),
            ("PHONE_NUMBER_TYPE", "m", "Handy", Some("MOBILE")),
            ("source", "x", "Sonstiges", Some("SOURCE_OTHER")),
            ("source", "y", "LinkedIn", None),
        ] {
            assert_eq!(option(of, value, label), key, "{of} {label}");
        }
    }

    #[test]
    fn the_words_of_pages_can_be_read() {
        assert!(FORMS.is_no_choice("--"));
        assert!(FORMS.is_no_choice("Bitte wählen Sie"));
        assert!(!FORMS.is_no_choice("Selected works"));
        assert_eq!(FORMS.date_pattern("TT.MM.JJJJ"), Some("%d.%m.%Y"));
        let said = OUTCOMES.said("Merci pour votre candidature !");
        assert_eq!(said, [Says::Success]);
    }
}
