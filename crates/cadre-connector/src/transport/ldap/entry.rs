//! The parts of an answer, read without trusting it.

use base64::Engine as _;
use ldap3::asn1::{PL, StructureTag, parse_tag};
use serde_json::{Map, Value};

/// An entry as the connector format has it: its name, and every attribute as a list of texts under its
/// name in lower case. A value that is not UTF-8 goes, as base64, under `<name>;base64`.
pub(super) fn value(tag: StructureTag) -> Option<Value> {
    let [name, attributes] = parts(tag)?;
    let mut entry = Map::new();
    entry.insert("dn".to_owned(), Value::String(text(name)?));
    for attribute in constructed(attributes)? {
        let [name, values] = parts(attribute)?;
        let name = text(name)?.to_lowercase();
        // An attribute called dn must not hide the name of the entry.
        let name = if name == "dn" { "dn;attribute".to_owned() } else { name };
        for value in constructed(values)? {
            let (name, value) = match String::from_utf8(primitive(value)?) {
                Ok(text) => (name.clone(), text),
                Err(error) => (
                    format!("{name};base64"),
                    base64::engine::general_purpose::STANDARD.encode(error.as_bytes()),
                ),
            };
            if let Value::Array(values) =
                entry.entry(name).or_insert_with(|| Value::Array(Vec::new()))
            {
                values.push(Value::String(value));
            }
        }
    }
    Some(Value::Object(entry))
}

/// The addresses of a referral.
pub(super) fn addresses(tag: StructureTag) -> Vec<String> {
    constructed(tag).into_iter().flatten().filter_map(text).collect()
}

/// Total and cookie of the control of RFC 2696.
pub(super) fn paging(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (_, tag) = parse_tag(bytes).ok()?;
    let [total, cookie] = parts(tag)?;
    let total = primitive(total)?;
    // An INTEGER is big-endian; a size is never negative.
    let total = total.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    Some((total, primitive(cookie)?))
}

fn parts(tag: StructureTag) -> Option<[StructureTag; 2]> {
    constructed(tag)?.try_into().ok()
}

fn constructed(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        // An empty SET or SEQUENCE comes as a primitive without bytes from some encoders.
        PL::P(bytes) => bytes.is_empty().then(Vec::new),
    }
}

fn primitive(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(primitive(tag)?).ok()
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::TagClass;
    use serde_json::json;

    use super::*;

    fn leaf(bytes: &[u8]) -> StructureTag {
        StructureTag { class: TagClass::Universal, id: 4, payload: PL::P(bytes.to_vec()) }
    }

    fn node(parts: Vec<StructureTag>) -> StructureTag {
        StructureTag { class: TagClass::Universal, id: 16, payload: PL::C(parts) }
    }

    #[test]
    fn texts_stay_texts_and_bytes_become_base64() {
        let entry = node(vec![
            leaf(b"cn=A,dc=x"),
            node(vec![
                node(vec![leaf(b"givenName"), node(vec![leaf("Jörg".as_bytes()), leaf(b"J")])]),
                node(vec![leaf(b"objectGUID"), node(vec![leaf(&[0xff, 0x00])])]),
                node(vec![leaf(b"dn"), node(vec![leaf(b"other")])]),
                node(vec![leaf(b"empty"), node(vec![])]),
            ]),
        ]);
        assert_eq!(
            value(entry),
            Some(
                json!({"dn": "cn=A,dc=x", "givenname": ["Jörg", "J"], "objectguid;base64": ["/wA="],
                        "dn;attribute": ["other"]})
            ),
        );
    }

    #[test]
    fn what_is_no_entry_is_refused_and_does_not_panic() {
        assert_eq!(value(leaf(b"x")), None);
        assert_eq!(value(node(vec![leaf(b"cn=A")])), None);
        assert_eq!(value(node(vec![leaf(&[0xff]), node(vec![])])), None);
        assert_eq!(paging(b""), None);
        assert_eq!(paging(&[0x30, 0x03, 0x02, 0x01, 0x07]), None);
        assert_eq!(
            paging(&[0x30, 0x06, 0x02, 0x01, 0x07, 0x04, 0x01, 0x61]),
            Some((7, b"a".to_vec()))
        );
    }
}
