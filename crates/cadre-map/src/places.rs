//! Countries and currencies, by the codes and names that tools use for them.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Alpha-2 codes by folded code or name.
static COUNTRIES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut countries = HashMap::new();
    for line in lines(include_str!("../data/countries.tsv")) {
        let mut columns = line.split('\t');
        let Some(code) = columns.next() else { continue };
        countries.insert(fold(code), code);
        for name in columns.flat_map(|column| column.split(';')) {
            countries.insert(fold(name), code);
        }
    }
    countries
});

static CURRENCIES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    lines(include_str!("../data/currencies.txt")).flat_map(str::split_whitespace).collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// Alpha-2 code of a country that is named by its alpha-2 or alpha-3 code or its English name.
#[must_use]
pub fn country(text: &str) -> Option<&'static str> {
    COUNTRIES.get(&fold(text)).copied()
}

/// Code of a currency, in capitals.
pub(crate) fn currency(text: &str) -> Option<&'static str> {
    CURRENCIES.get(text.trim().to_ascii_uppercase().as_str()).copied()
}

/// Lower case letters only, `&` as `and`: `St. Kitts & Nevis` is `stkittsandnevis`.
fn fold(name: &str) -> String {
    let spelled = name.replace('&', "and");
    spelled.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::{COUNTRIES, country, currency};

    #[test]
    fn countries_have_many_names() {
        for (text, expected) in [
            ("DE", Some("DE")),
            ("de", Some("DE")),
            ("DEU", Some("DE")),
            ("Germany", Some("DE")),
            ("united states of america", Some("US")),
            ("U.S.", Some("US")),
            ("UK", Some("GB")),
            ("Saint Kitts & Nevis", Some("KN")),
            ("Côte d’Ivoire", Some("CI")),
            ("Atlantis", None),
            ("", None),
        ] {
            assert_eq!(country(text), expected, "{text}");
        }
        let codes: std::collections::HashSet<_> = COUNTRIES.values().collect();
        assert_eq!(codes.len(), 249);
    }

    #[test]
    fn currencies_are_codes() {
        assert_eq!(currency(" eur "), Some("EUR"));
        assert_eq!(currency("€"), None);
        assert_eq!(currency("XXX"), None);
    }
}
