//! Countries, currencies, e-mail addresses, URLs: values that are checked against a list or a form.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;

/// One country a line: alpha-2, alpha-3, then its English names, with `|` between them. ISO 3166-1.
const COUNTRIES: &str = include_str!("place/countries.txt");

/// Codes of ISO 4217, with white space between them.
const CURRENCIES: &str = include_str!("place/currencies.txt");

static BY_NAME: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut map = HashMap::new();
    for line in COUNTRIES.lines().filter(|line| !line.trim().is_empty()) {
        let mut parts = line.split('|').map(str::trim);
        let Some(code) = parts.next() else { continue };
        map.insert(code.to_lowercase(), code);
        for name in parts {
            map.insert(name.to_lowercase(), code);
        }
    }
    map
});

static KNOWN_CURRENCIES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| CURRENCIES.split_whitespace().collect());

/// The contract's own pattern; its look-aheads are the two conditions in [`email`].
static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)^[0-9A-Za-z_'+,.-]*[0-9A-Za-z_+-]@([0-9a-z][0-9a-z-]*\.)+[a-z]{2,}$")
        .expect("the pattern is constant")
});

/// The alpha-2 code of a country that is given by code or English name.
pub(crate) fn country(text: &str) -> Option<String> {
    BY_NAME.get(&text.to_lowercase()).map(|code| (*code).to_owned())
}

/// The code of a currency.
pub(crate) fn currency(text: &str) -> Option<String> {
    let code = text.to_uppercase();
    KNOWN_CURRENCIES.contains(code.as_str()).then_some(code)
}

/// An e-mail address, its domain in lower case.
pub(crate) fn email(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let address = format!("{local}@{}", domain.to_lowercase());
    let fits = !address.starts_with('.') && !address.contains("..") && EMAIL.is_match(&address);
    fits.then_some(address)
}

/// An absolute URL, with what must be encoded encoded.
pub(crate) fn url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|url| url.has_host())?;
    // An already clean URL stays as it was written: the parser adds a slash to a bare host.
    let clean = text.bytes().all(|b| b.is_ascii_graphic());
    Some(if clean { text.to_owned() } else { url.to_string() })
}
