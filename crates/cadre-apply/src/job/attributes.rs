//! Postings that are written into the attributes of a page: microdata and RDFa.

use serde_json::{Map, Value};

use crate::dom::{At, Tree};
use crate::text;

/// The names of the attributes of a way to write data.
struct Way {
    kind: &'static str,
    property: &'static str,
}

const WAYS: &[Way] =
    &[Way { kind: "itemtype", property: "itemprop" }, Way { kind: "typeof", property: "property" }];
/// Most elements of a posting.
const MOST: usize = 20_000;

/// The first posting that a page describes so, in the form of JSON-LD.
pub(super) fn posting(tree: &Tree) -> Option<Value> {
    WAYS.iter().find_map(|way| {
        let mut scopes = tree.walk(0);
        let at = scopes.find(|at| {
            let kinds = tree.attribute(*at, way.kind).unwrap_or_default();
            kinds
                .split_ascii_whitespace()
                .any(|kind| kind.rsplit(['/', ':', '#']).next() == Some("JobPosting"))
        })?;
        Some(way.object(tree, at, &mut 0))
    })
}

impl Way {
    fn is_scope(&self, tree: &Tree, at: At) -> bool {
        tree.has(at, self.kind) || tree.has(at, "itemscope")
    }

    /// The properties of a scope, those of scopes inside of it apart.
    fn object(&self, tree: &Tree, scope: At, seen: &mut usize) -> Value {
        let mut object = Map::new();
        let mut walk = tree.walk(scope);
        walk.next();
        while let Some(at) = walk.next() {
            *seen += 1;
            if *seen > MOST {
                break;
            }
            let is_scope = self.is_scope(tree, at);
            if let Some(names) = tree.attribute(at, self.property) {
                let value = if is_scope { self.object(tree, at, seen) } else { value(tree, at) };
                for name in names.split_ascii_whitespace() {
                    let name = name.rsplit(['/', ':']).next().unwrap_or(name);
                    match object.get_mut(name) {
                        Some(Value::Array(list)) => list.push(value.clone()),
                        Some(known) => *known = Value::Array(vec![known.take(), value.clone()]),
                        None => drop(object.insert(name.to_owned(), value.clone())),
                    }
                }
            }
            if is_scope {
                walk.leave(at);
            }
        }
        object.into()
    }
}

fn value(tree: &Tree, at: At) -> Value {
    let named = ["content", "datetime"].iter().find_map(|name| tree.attribute(at, name));
    let linked = match tree.name(at) {
        "a" | "link" => tree.attribute(at, "href"),
        "img" => tree.attribute(at, "src"),
        "data" | "meter" => tree.attribute(at, "value"),
        _ => None,
    };
    named.or(linked).map_or_else(|| text::words(tree, at), str::to_owned).into()
}
