//! What the clients take for an e-mail address.

/// Whether text looks like an e-mail address to the clients: the pattern of the contract, by hand.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    // `+-.` in the pattern's first class is the range from `+` to `.`: plus, comma, minus, dot.
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut parts: Vec<&str> = domain.split('.').collect();
    let top = parts.pop().unwrap_or_default();
    let label = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    !text.starts_with('.')
        && !text.contains("..")
        && local.ends_with(|c: char| word(c) || c == '+' || c == '-')
        && local.chars().all(|c| word(c) || "'+,-.".contains(c))
        && !parts.is_empty()
        && parts.iter().all(label)
        && top.len() >= 2
        && top.chars().all(|c| c.is_ascii_lowercase())
}
