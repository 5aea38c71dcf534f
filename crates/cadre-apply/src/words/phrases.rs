//! Texts as words, and phrases that are looked for in them.

use std::collections::HashMap;

/// Longest text that is taken apart, in words.
const MOST_WORDS: usize = 60_000;

/// The words of a text, in lower case and without accents.
pub(crate) fn fold(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            letter.to_lowercase().for_each(|letter| plain(letter, &mut word));
        } else if !is_mark(letter) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
            if words.len() >= MOST_WORDS {
                return words;
            }
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words of a name of a control: `candidate[firstName]` is "candidate first name".
pub(crate) fn fold_name(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(letter);
        before = letter;
    }
    fold(&spaced)
}

/// Marks that stand on the letter before them, and joiners that no one sees.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}')
}

fn plain(letter: char, word: &mut String) {
    let plain = match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' => 'i',
        'ñ' | 'ń' | 'ň' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => 'u',
        'ý' | 'ÿ' => 'y',
        'š' | 'ś' => 's',
        'ž' | 'ź' | 'ż' => 'z',
        'ł' => 'l',
        'ß' => return word.push_str("ss"),
        'æ' => return word.push_str("ae"),
        'œ' => return word.push_str("oe"),
        other if is_mark(other) => return,
        other => other,
    };
    word.push(plain);
}

/// One word of a phrase.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Word(String),
    Begins(String),
    Ends(String),
    Any,
}

impl Piece {
    fn of(word: &str) -> Piece {
        let fold = |text: &str| fold(text).concat();
        if word == "*" {
            Piece::Any
        } else if let Some(begin) = word.strip_suffix('*') {
            Piece::Begins(fold(begin))
        } else if let Some(end) = word.strip_prefix('*') {
            Piece::Ends(fold(end))
        } else {
            Piece::Word(fold(word))
        }
    }

    fn fits(&self, word: &str) -> bool {
        match self {
            Piece::Word(known) => known == word,
            Piece::Begins(begin) => word.starts_with(begin.as_str()),
            Piece::Ends(end) => word.ends_with(end.as_str()),
            Piece::Any => true,
        }
    }
}

#[derive(Debug, Clone)]
struct Phrase<T> {
    means: T,
    pieces: Vec<Piece>,
    /// Nothing stands before it, and nothing behind it.
    whole: bool,
    /// Whatever stands behind it is part of it.
    open_end: bool,
}

impl<T: Copy> Phrase<T> {
    fn of(text: &str, means: T) -> Phrase<T> {
        let (whole, text) = text.strip_prefix('=').map_or((false, text), |rest| (true, rest));
        // A word of the text can be several for the reader: `e-mail`.
        let mut pieces: Vec<Piece> = Vec::new();
        for word in text.split_whitespace() {
            if word.contains('*') {
                pieces.push(Piece::of(word));
            } else {
                pieces.extend(fold(word).into_iter().map(Piece::Word));
            }
        }
        let open_end = pieces.last() == Some(&Piece::Any);
        if open_end {
            pieces.pop();
        }
        Phrase { means, pieces, whole, open_end }
    }

    fn at(&self, words: &[String], start: usize) -> Option<Hit<T>> {
        if self.pieces.is_empty() || self.whole && start > 0 {
            return None;
        }
        let found = words.get(start..start + self.pieces.len())?;
        if !self.pieces.iter().zip(found).all(|(piece, word)| piece.fits(word)) {
            return None;
        }
        let end = if self.open_end { words.len() } else { start + found.len() };
        let whole = start == 0 && end == words.len();
        (whole || !self.whole).then(|| Hit {
            means: self.means,
            words: found.len(),
            letters: found.iter().map(String::len).sum(),
            starts: start == 0,
            whole,
        })
    }
}

/// A phrase that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit<T> {
    pub(crate) means: T,
    /// How many words it has.
    pub(crate) words: usize,
    /// How many letters it has.
    pub(crate) letters: usize,
    /// The text begins with it.
    pub(crate) starts: bool,
    /// The text is nothing else.
    pub(crate) whole: bool,
}

/// Phrases, each with what it means.
#[derive(Debug)]
pub(crate) struct Phrases<T> {
    by_first: HashMap<String, Vec<Phrase<T>>>,
    loose: Vec<Phrase<T>>,
}

impl<T: Copy> Phrases<T> {
    pub(crate) fn new() -> Self {
        Phrases { by_first: HashMap::new(), loose: Vec::new() }
    }

    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a String>, means: T) -> Self {
        let mut phrases = Self::new();
        texts.into_iter().for_each(|text| phrases.add(text, means));
        phrases
    }

    pub(crate) fn add(&mut self, text: &str, means: T) {
        let phrase = Phrase::of(text, means);
        match phrase.pieces.first() {
            Some(Piece::Word(first)) => {
                self.by_first.entry(first.clone()).or_default().push(phrase);
            }
            Some(_) => self.loose.push(phrase),
            None => {}
        }
    }

    /// Every phrase in a text, wherever it stands.
    pub(crate) fn hits<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = Hit<T>> + 'a {
        words.iter().enumerate().flat_map(move |(start, word)| {
            let known = self.by_first.get(word).into_iter().flatten();
            known.chain(&self.loose).filter_map(move |phrase| phrase.at(words, start))
        })
    }

    pub(crate) fn is_in(&self, words: &[String]) -> bool {
        self.hits(words).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Phrases, fold, fold_name};

    #[test]
    fn words_of_texts_and_names() {
        assert_eq!(fold("Straße & Hausnummer*"), ["strasse", "hausnummer"]);
        assert_eq!(fold("Pre\u{301}nom"), ["prenom"]);
        assert_eq!(fold_name("candidate[firstName]"), ["candidate", "first", "name"]);
        assert_eq!(fold_name("address_line-1"), ["address", "line", "1"]);
    }

    #[test]
    fn phrases_are_found_word_by_word() {
        for (phrase, text, found) in [
            ("cv", "Your CV please", true),
            ("cv", "Recvive", false),
            ("datenschutz*", "Die Datenschutzerklärung", true),
            ("*name", "Vorname", true),
            ("=name", "Name:", true),
            ("=name", "Your name", false),
            ("=please select *", "Please select a country", true),
            ("möchte * nicht angeben", "Ich möchte das nicht angeben", true),
            ("e-mail", "E-Mail-Adresse", true),
        ] {
            let phrases = Phrases::of(&[phrase.to_owned()], ());
            assert_eq!(phrases.is_in(&fold(text)), found, "{phrase} in {text}");
        }
    }
}
