//! Which letters the bytes of a page mean.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a page its own word on its charset is looked for, in bytes.
const FAR: usize = 4096;

/// The text of a page and the charset that it was written in: by its mark, by the header that came with
/// it, by its own word, or by what its bytes can be.
pub(crate) fn decode(bytes: &[u8], content_type: Option<&str>) -> (String, &'static Encoding) {
    let by_mark = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = by_mark
        .or_else(|| named(content_type?))
        .or_else(|| named(&String::from_utf8_lossy(&bytes[..bytes.len().min(FAR)])));
    let encoding = encoding
        .unwrap_or_else(|| if std::str::from_utf8(bytes).is_ok() { UTF_8 } else { WINDOWS_1252 });
    (encoding.decode(bytes).0.into_owned(), encoding)
}

/// The charset that a text names as `charset=…`.
fn named(text: &str) -> Option<&'static Encoding> {
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.as_str();
    while let Some(found) = rest.find("charset") {
        rest = rest[found + "charset".len()..].trim_start();
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end =
            value.find(|letter: char| !letter.is_ascii_alphanumeric() && !"-_:.".contains(letter));
        let label = &value[..end.unwrap_or(value.len())];
        if let Some(encoding) = Encoding::for_label(label.as_bytes()) {
            // A page that could be read so far is not written in sixteen bits.
            return Some(if encoding.is_ascii_compatible() { encoding } else { UTF_8 });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn charsets_are_found_where_they_are_named() {
        for (bytes, header) in [
            (&b"Stra\xdfe"[..], Some("text/html; charset=ISO-8859-1")),
            (b"<meta charset='iso-8859-15'>Stra\xdfe", None),
            (b"<meta http-equiv=content-type content='text/html; charset=windows-1252'>Stra\xdfe", None),
            (b"Stra\xdfe", None),
            ("Straße".as_bytes(), None),
            ("\u{feff}Straße".as_bytes(), Some("text/html; charset=latin1")),
            (b"Stra\xdfe", Some("text/html; charset=nonsense")),
        ] {
            let (text, _) = decode(bytes, header);
            assert!(text.ends_with("Straße"), "{text}");
        }
    }
}
