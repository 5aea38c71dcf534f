//! Made-up values that look like what they stand for.

const GIVEN: &[&str] = &[
    "Ada", "Ben", "Cleo", "Dario", "Elif", "Finn", "Greta", "Hugo", "Iris", "Jonas", "Kira",
    "Luis", "Mina", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sami", "Tilda", "Umar", "Vera",
    "Wim", "Xenia", "Yara", "Zeno", "Anouk", "Boris", "Celia", "Dunja", "Emre", "Flora", "Goran",
    "Hanna", "Ivo", "Jana",
];
const FAMILY: &[&str] = &[
    "Abend", "Birk", "Castell", "Dahl", "Ekberg", "Falke", "Grau", "Hollis", "Iversen", "Jansen",
    "Keller", "Lindt", "Moreau", "Novak", "Okafor", "Pereira", "Quist", "Rossi", "Sato", "Tamm",
    "Ulmer", "Varga", "Winter", "Xu", "Yilmaz", "Zander", "Amsel", "Brandt", "Cho", "Duarte",
    "Engel", "Fuchs", "Gallo", "Hermans", "Ito", "Juhl",
];

/// The given name of this number, each a different one.
pub(super) fn given(number: usize) -> String {
    nth(GIVEN, number)
}

/// The family name of this number, each a different one.
pub(super) fn family(number: usize) -> String {
    nth(FAMILY, number)
}

fn nth(names: &[&str], number: usize) -> String {
    let name = names[number % names.len()];
    match number / names.len() {
        0 => name.to_owned(),
        // No digits: tools refuse them in names.
        round => format!("{name}-{}", names[(number + round) % names.len()]),
    }
}

/// A text with other digits and, where `letters` says so, other letters, so that its form stays.
pub(super) fn same_form(text: &str, number: usize, letters: bool) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let width = digits.max(1);
    let made: Vec<char> = format!("{:0width$}", number + 1).chars().rev().take(digits).collect();
    let mut made = made.into_iter().rev();
    text.chars()
        .map(|letter| match letter {
            '0'..='9' => made.next().unwrap_or('0'),
            _ if !letters => letter,
            'A'..='Z' => 'X',
            'a'..='z' => 'x',
            letter if letter.is_alphabetic() => 'x',
            letter => letter,
        })
        .collect()
}

/// A phone number of the same form; what stands behind a plus (the country) stays.
pub(super) fn phone(text: &str, number: usize) -> String {
    let trimmed = text.trim_start();
    let kept = match trimmed.strip_prefix('+') {
        Some(rest) => {
            let country = rest.chars().take_while(char::is_ascii_digit).take(2).count();
            text.len() - trimmed.len() + 1 + country
        }
        None => 0,
    };
    format!("{}{}", &text[..kept], same_form(&text[kept..], number, false))
}

/// An IBAN of the same country and length with right check digits.
pub(super) fn iban(text: &str, number: usize) -> String {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (country, account) = (&compact[..2], same_form(&compact[4..], number, true));
    let account = account.to_ascii_uppercase();
    let rest = remainder(&format!("{account}{country}00"));
    format!("{country}{:02}{account}", 98 - rest)
}

/// Whether a text is an IBAN: its form, and its check digits.
pub(super) fn is_iban(text: &str) -> bool {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let formed = (15..=34).contains(&compact.len())
        && compact.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && compact.bytes().skip(2).take(2).all(|b| b.is_ascii_digit())
        && compact.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    formed && remainder(&format!("{}{}", &compact[4..], &compact[..4])) == 1
}

/// ISO 7064: letters count from 10.
fn remainder(text: &str) -> u32 {
    text.chars()
        .filter_map(|letter| letter.to_digit(36))
        .fold(0, |rest, digit| (if digit > 9 { rest * 100 } else { rest * 10 } + digit) % 97)
}

/// A day of birth, written as the other one is.
pub(super) fn birth_date(text: &str, number: usize) -> String {
    let (day, time) = match text.find(['T', ' ']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut made = String::new();
    let mut digits = String::new();
    let flush = |digits: &mut String, made: &mut String| {
        match digits.len() {
            0 => {}
            4 => made.push_str(&(1960 + number % 40).to_string()),
            // Right as a month and as a day, whatever comes first.
            2 => made.push_str(&format!("{:02}", 1 + (number * 5 + made.len()) % 12)),
            1 => made.push_str(&format!("{}", 1 + (number + made.len()) % 9)),
            8 => {
                made.push_str(&format!("{}0{}1{}", 1960 + number % 40, 1 + number % 9, number % 9))
            }
            other => made.push_str(&"1".repeat(other)),
        }
        digits.clear();
    };
    for letter in day.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
        } else {
            flush(&mut digits, &mut made);
            made.push(letter);
        }
    }
    flush(&mut digits, &mut made);
    made + time
}

/// The first word written as the second one is.
pub(super) fn in_case_of(word: &str, like: &str) -> String {
    let letters: Vec<char> = like.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.iter().all(|c| c.is_lowercase()) {
        word.to_lowercase()
    } else if letters.len() > 1 && letters.iter().all(|c| c.is_uppercase()) {
        word.to_uppercase()
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_stay() {
        assert_eq!(phone("+49 (0)170 123-45", 6), "+49 (0)000 000-07");
        assert_eq!(same_form("12-AB-3456", 41, true), "00-XX-0042");
        assert_eq!(birth_date("1985-12-31T00:00:00Z", 3).len(), 20);
        assert!(birth_date("31.12.1985", 3).ends_with(".1963"));
        assert_eq!(in_case_of("Ada", "JUN"), "ADA");
        assert_ne!(given(3), given(39));
    }

    #[test]
    fn an_iban_stays_one() {
        // The example of the standard's registry for Germany.
        let real = "DE89 3704 0044 0532 0130 00";
        assert!(is_iban(real));
        let made = iban(real, 4);
        assert!(is_iban(&made) && made.starts_with("DE") && !made.contains("3704"), "{made}");
        assert!(!is_iban("DE88370400440532013000") && !is_iban("hello"));
    }
}
