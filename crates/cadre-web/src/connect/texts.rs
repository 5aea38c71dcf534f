//! The words of the pages, one file a language.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Every language: its code, and its file. The first one is used where there is no other.
const FILES: &[(&str, &str)] = &[
    ("en", include_str!("../../texts/connect.en.txt")),
    ("de", include_str!("../../texts/connect.de.txt")),
];

/// The words of one language.
#[derive(Debug)]
pub struct Texts {
    /// Its code, as HTML names it.
    pub code: &'static str,
    words: HashMap<&'static str, &'static str>,
}

static ALL: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    FILES.iter().map(|(code, text)| Texts { code, words: lines(text).collect() }).collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let said = text.lines().filter(|line| !line.starts_with('#'));
    said.filter_map(|line| line.split_once(':')).map(|(name, words)| (name.trim(), words.trim()))
}

impl Texts {
    /// The first of these languages that there is.
    pub(super) fn of<'a>(wanted: impl Iterator<Item = &'a str>) -> &'static Texts {
        let known = |code: &str| {
            let main = code.split('-').next().unwrap_or_default().to_ascii_lowercase();
            ALL.iter().find(|texts| texts.code == main)
        };
        wanted.filter_map(known).next().unwrap_or(&ALL[0])
    }

    /// A text.
    #[must_use]
    pub fn say(&self, name: &str) -> &'static str {
        self.words.get(name).or_else(|| ALL[0].words.get(name)).copied().unwrap_or_default()
    }

    /// A text with a name in it.
    #[must_use]
    pub fn put(&self, name: &str, value: &str) -> String {
        self.say(name).replace("{}", value)
    }

    /// What a model or an action is called; as it calls itself where the language has no words for it.
    #[must_use]
    pub fn label(&self, id: &str, own: &'static str) -> &'static str {
        self.words.get(format!("model.{id}").as_str()).copied().unwrap_or(own)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, FILES, Texts, lines};

    #[test]
    fn every_language_says_everything() {
        let names = |text| -> BTreeSet<&str> {
            lines(text).map(|(name, _)| name).filter(|name| !name.starts_with("model.")).collect()
        };
        for (code, text) in FILES {
            assert_eq!(names(text), names(FILES[0].1), "{code}");
            for (name, words) in lines(text) {
                let places = |words: &str| words.matches("{}").count();
                assert!(!words.is_empty(), "{code} {name}");
                if !name.starts_with("model.") {
                    assert_eq!(places(words), places(ALL[0].say(name)), "{code} {name}");
                }
            }
        }
    }

    #[test]
    fn a_language_that_is_not_there_is_english() {
        assert_eq!(Texts::of(["fr", "de-AT"].into_iter()).code, "de");
        assert_eq!(Texts::of(["it"].into_iter()).code, "en");
    }
}
