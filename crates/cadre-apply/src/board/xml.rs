//! Feeds in XML as values: an element with others inside is an object, one with text is a text, and what
//! stands several times is a list. Names are in lower case, attributes are left out.

use serde_json::{Map, Value};

use crate::dom::{self, At, Tree};

/// A feed as a value.
pub(super) fn value(bytes: &[u8]) -> Value {
    let (text, _) = dom::decode(bytes, None);
    let tree = Tree::read(&plain(&text));
    let body = tree.all(0, "body").next();
    body.map_or(Value::Null, |body| of(&tree, body))
}

/// The text of a feed with its marked sections written as the text that they are.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<![CDATA[") {
        plain.push_str(before);
        let (inside, behind) = after.split_once("]]>").unwrap_or((after, ""));
        plain.push_str(&inside.replace('&', "&amp;").replace('<', "&lt;"));
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

fn of(tree: &Tree, at: At) -> Value {
    let mut object = Map::new();
    for child in tree.children(at).iter().filter(|child| !tree.name(**child).is_empty()) {
        let value = of(tree, *child);
        match object.get_mut(tree.name(*child)) {
            Some(Value::Array(list)) => list.push(value),
            Some(known) => *known = Value::Array(vec![known.take(), value]),
            None => drop(object.insert(tree.name(*child).to_owned(), value)),
        }
    }
    if object.is_empty() {
        let texts = tree.children(at).iter().filter_map(|child| tree.own_text(*child));
        return texts.collect::<String>().trim().into();
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_feed_is_a_value() {
        let feed = b"<?xml version=\"1.0\"?><jobs><job><id>1</id><text><![CDATA[<p>a & b</p>]]></text></job>
            <job><id>2</id></job></jobs>";
        let expected =
            json!({ "jobs": { "job": [{ "id": "1", "text": "<p>a & b</p>" }, { "id": "2" }] } });
        assert_eq!(super::value(feed), expected);
    }
}
