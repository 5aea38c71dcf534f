//! A search among recorded entries: what a server would answer, decided here. The cases of a connector
//! run on it, so its filters and scopes count in them as they do on a server.

use cadre_model::fault::Code;
use ldap3::LdapResult;
use ldap3::asn1::{ASNTag, PL, StructureTag};
use serde_json::{Map, Value};

use super::{Scope, Search, results};
use crate::transport::refusal::Refusal;

/// The entries that a search finds among recorded ones.
///
/// An item that has `result` in place of `dn` is a refusal: `{"result": 50, "text": "…"}` is the answer to
/// every search, and with `"filter": "(…)"` to those with exactly this filter.
///
/// # Errors
///
/// A recorded refusal; a filter that is none; a base that has no entry at or below it.
pub fn search(recorded: &[Value], search: &Search) -> Result<Vec<Value>, Refusal> {
    let refusal = recorded.iter().find(|item| {
        let filter = item.get("filter").and_then(Value::as_str);
        item.get("result").is_some() && filter.is_none_or(|filter| filter == search.filter)
    });
    if let Some(item) = refusal {
        return Err(refused(search, item));
    }
    let filter = ldap3::parse_filter(&search.filter).map_err(|()| super::bad_filter(search))?;
    let filter = filter.into_structure();
    let base = Dn::parse(&search.base);
    let below: Vec<(&Value, usize)> = recorded
        .iter()
        .filter_map(|entry| {
            Some((entry, Dn::parse(entry.get("dn")?.as_str()?).depth_below(&base)?))
        })
        .collect();
    if below.is_empty() {
        return Err(results::of_search(search, &result(32, "")));
    }
    let in_scope = |depth: usize| match search.scope {
        Scope::Base => depth == 0,
        Scope::One => depth == 1,
        Scope::Subtree => true,
    };
    Ok(below
        .into_iter()
        .filter(|(entry, depth)| in_scope(*depth) && matches(&filter, entry) == Some(true))
        .map(|(entry, _)| selected(entry, &search.attributes))
        .collect())
}

fn refused(search: &Search, item: &Value) -> Refusal {
    let code = item["result"].as_u64().and_then(|code| u32::try_from(code).ok());
    let Some(code) = code else {
        return Refusal::new(
            Code::RemoteUnknownHttpError,
            "recorded",
            "A recorded result is no number.",
        );
    };
    let result = result(code, item["text"].as_str().unwrap_or_default());
    match code {
        7 | 8 | 13 | 48 | 49 => results::of_bind("the recorded user", &result),
        _ => results::of_search(search, &result),
    }
}

fn result(rc: u32, text: &str) -> LdapResult {
    LdapResult { rc, matched: String::new(), text: text.to_owned(), refs: vec![], ctrls: vec![] }
}

/// The entry with the attributes that were asked for, under names in lower case. Which attributes are
/// operational is not recorded, so `*` gives them all.
fn selected(entry: &Value, attributes: &[String]) -> Value {
    let everything = attributes.is_empty() || attributes.iter().any(|name| name == "*");
    let wanted = |name: &str| {
        let plain = name.split(';').next().unwrap_or(name);
        everything || attributes.iter().any(|wanted| wanted.eq_ignore_ascii_case(plain))
    };
    let fields = entry.as_object().into_iter().flatten();
    let fields = fields.map(|(name, values)| (name.to_lowercase(), values.clone()));
    Value::Object(fields.filter(|(name, _)| name == "dn" || wanted(name)).collect::<Map<_, _>>())
}

/// A name, as its parts from the entry up, folded so that equal names are equal here.
struct Dn(Vec<String>);

impl Dn {
    fn parse(text: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for mark in text.chars() {
            if mark == ',' && !escaped {
                parts.push(String::new());
            } else if let Some(part) = parts.last_mut() {
                part.extend(mark.to_lowercase());
            }
            escaped = mark == '\\' && !escaped;
        }
        let tidy = |part: &String| part.split('=').map(str::trim).collect::<Vec<_>>().join("=");
        Dn(parts.iter().map(tidy).filter(|part| !part.is_empty()).collect())
    }

    /// How many steps this is below `base`; `None` when it is not below it.
    fn depth_below(&self, base: &Dn) -> Option<usize> {
        let depth = self.0.len().checked_sub(base.0.len())?;
        (self.0[depth..] == base.0).then_some(depth)
    }
}

/// RFC 4511 section 4.5.1.7: true, false, or undefined (`None`) for an attribute that is not there.
fn matches(filter: &StructureTag, entry: &Value) -> Option<bool> {
    match (filter.id, &filter.payload) {
        (0, PL::C(parts)) => all(parts.iter().map(|part| matches(part, entry))),
        // Not all are false: OR by way of AND, so that undefined parts count the same way.
        (1, PL::C(parts)) => {
            all(parts.iter().map(|part| matches(part, entry).map(|yes| !yes))).map(|no| !no)
        }
        (2, PL::C(parts)) => matches(parts.first()?, entry).map(|yes| !yes),
        (7, PL::P(name)) => Some(values(entry, name)?.next().is_some()),
        (4, PL::C(parts)) => {
            let [name, pieces] = parts.as_slice() else { return None };
            let PL::C(pieces) = &pieces.payload else { return None };
            Some(values(entry, bytes(name)?)?.any(|value| has_pieces(&value, pieces)))
        }
        (9, PL::C(parts)) => extensible(parts, entry),
        (kind, PL::C(parts)) => {
            let [name, wanted] = parts.as_slice() else { return None };
            let wanted = fold(&String::from_utf8_lossy(bytes(wanted)?));
            Some(values(entry, bytes(name)?)?.any(|value| match kind {
                3 | 8 => value == wanted,
                5 => at_least(&value, &wanted),
                6 => at_least(&wanted, &value),
                _ => false,
            }))
        }
        (_, PL::P(_)) => None,
    }
}

/// AND in three values: false wins, then undefined.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

fn bytes(tag: &StructureTag) -> Option<&[u8]> {
    match &tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}

/// The values of an attribute, folded. An attribute that is not there has none; whether a server knows
/// its name, and what it answers if not, makes no difference to what is found but under a NOT.
fn values<'a>(entry: &'a Value, name: &[u8]) -> Option<impl Iterator<Item = String> + use<'a>> {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let fields = entry.as_object()?;
    let found = fields.iter().filter(move |(field, _)| {
        let field = field.to_lowercase();
        field != "dn" && field.split(';').next() == Some(name.as_str())
    });
    Some(
        found
            .filter_map(|(_, values)| values.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .map(fold),
    )
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn at_least(value: &str, bound: &str) -> bool {
    match (value.parse::<i64>(), bound.parse::<i64>()) {
        (Ok(value), Ok(bound)) => value >= bound,
        _ => value >= bound,
    }
}

/// The beginning (0), middle (1) and end (2) of a value, in this order.
fn has_pieces(value: &str, pieces: &[StructureTag]) -> bool {
    let mut rest = value;
    for piece in pieces {
        let Some(text) = bytes(piece).map(|text| fold(&String::from_utf8_lossy(text))) else {
            return false;
        };
        let after = match piece.id {
            0 => rest.strip_prefix(text.as_str()),
            1 => rest.find(&text).map(|at| &rest[at + text.len()..]),
            _ => rest.strip_suffix(text.as_str()),
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// Matching by a named rule: the two for bits of a number, which directories of Windows use.
/// <https://learn.microsoft.com/windows/win32/adsi/search-filter-syntax>
fn extensible(parts: &[StructureTag], entry: &Value) -> Option<bool> {
    let part = |id| parts.iter().find(|part| part.id == id).and_then(bytes);
    let wanted: i64 = std::str::from_utf8(part(3)?).ok()?.parse().ok()?;
    let rule = part(1)?;
    let holds = |value: String| {
        let bits = value.parse::<i64>().unwrap_or(0) & wanted;
        match rule {
            b"1.2.840.113556.1.4.803" => bits == wanted,
            b"1.2.840.113556.1.4.804" => bits != 0,
            _ => false,
        }
    };
    Some(values(entry, part(2)?)?.any(holds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recorded() -> Vec<Value> {
        vec![
            json!({"dn": "dc=example,dc=org", "objectClass": ["domain"]}),
            json!({"dn": "ou=People,dc=example,dc=org", "objectClass": ["organizationalUnit"]}),
            json!({"dn": "uid=ann,ou=People,dc=example,dc=org", "objectClass": ["top", "inetOrgPerson"],
                   "cn": ["Ann Größ"], "mail": ["a@x.org"], "userAccountControl": ["514"]}),
            json!({"dn": "cn=Bo\\, Li,OU=people,DC=example, DC=org", "objectClass": ["inetOrgPerson"],
                   "cn": ["Bo, Li"], "employeeNumber": ["9"], "userAccountControl": ["512"]}),
        ]
    }

    fn found(base: &str, scope: Scope, filter: &str) -> Vec<String> {
        let search_for = Search {
            base: base.to_owned(),
            scope,
            filter: filter.to_owned(),
            attributes: vec![],
            page_size: 0,
        };
        let entries = search(&recorded(), &search_for).expect("found");
        entries.iter().map(|entry| entry["dn"].as_str().expect("a name")[..6].to_owned()).collect()
    }

    #[test]
    fn filters_decide_as_a_server_does() {
        let by = |filter: &str| found("dc=example,dc=org", Scope::Subtree, filter);
        assert_eq!(by("(objectclass=INETORGPERSON)"), ["uid=an", "cn=Bo\\"]);
        assert_eq!(by("(&(objectClass=inetOrgPerson)(mail=*))"), ["uid=an"]);
        assert_eq!(by("(&(objectClass=inetOrgPerson)(!(mail=*)))"), ["cn=Bo\\"]);
        assert_eq!(by("(|(cn=ann*)(cn=*, li))"), ["uid=an", "cn=Bo\\"]);
        assert_eq!(by("(cn=*n g*öß)"), ["uid=an"]);
        assert_eq!(by("(employeeNumber>=10)"), Vec::<String>::new());
        assert_eq!(by("(employeeNumber<=10)"), ["cn=Bo\\"]);
        assert_eq!(by("(userAccountControl:1.2.840.113556.1.4.803:=2)"), ["uid=an"]);
        assert_eq!(by("(&(cn=*)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"), ["cn=Bo\\"]);
    }

    #[test]
    fn scopes_count_from_the_base() {
        let people = "OU=People, dc=example,dc=org";
        assert_eq!(found(people, Scope::Base, "(objectClass=*)"), ["ou=Peo"]);
        assert_eq!(found(people, Scope::One, "(objectClass=*)"), ["uid=an", "cn=Bo\\"]);
        assert_eq!(found(people, Scope::Subtree, "(objectClass=*)").len(), 3);
        assert_eq!(found("", Scope::Subtree, "(objectClass=*)").len(), 4);
    }

    #[test]
    fn only_what_was_asked_for_comes() {
        let search_for = Search {
            base: "dc=example,dc=org".to_owned(),
            scope: Scope::Subtree,
            filter: "(mail=*)".to_owned(),
            attributes: vec!["CN".to_owned()],
            page_size: 0,
        };
        assert_eq!(
            search(&recorded(), &search_for),
            Ok(vec![json!({"dn": "uid=ann,ou=People,dc=example,dc=org", "cn": ["Ann Größ"]})]),
        );
    }

    #[test]
    fn refusals_are_recorded_too() {
        let code = |entries: &[Value], base: &str, filter: &str| {
            let search_for = Search {
                base: base.to_owned(),
                scope: Scope::Subtree,
                filter: filter.to_owned(),
                attributes: vec![],
                page_size: 0,
            };
            search(entries, &search_for).map_err(|refusal| refusal.fault.code)
        };
        let base = "dc=example,dc=org";
        assert_eq!(code(&recorded(), "dc=other", "(a=*)"), Err(Code::RemoteInputInvalid));
        assert_eq!(code(&recorded(), base, "(a="), Err(Code::RemoteInputInvalid));
        let mut refusing = recorded();
        refusing.push(json!({"result": 50, "filter": "(a=*)"}));
        assert_eq!(code(&refusing, base, "(a=*)"), Err(Code::IntegrationPermissionMissing));
        assert_eq!(code(&refusing, base, "(b=*)"), Ok(vec![]));
        let wrong = [json!({"result": 49})];
        assert_eq!(code(&wrong, base, "(b=*)"), Err(Code::IntegrationAuthenticationInvalid));
    }
}
