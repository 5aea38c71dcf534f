//! YAML that remembers its lines.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::problem::Problem;

/// A value of a YAML document and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Line, counted from 1; 0 where it is unknown.
    pub(crate) line: usize,
    pub(crate) tree: Tree,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// A text, number, truth value or null.
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// Reads a YAML text.
pub(crate) fn parse(file: &str, text: &str) -> Result<Node, Problem> {
    // `no` is a country and `on` a key as often as a truth value.
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| {
        let line = error.location().and_then(|at| usize::try_from(at.line()).ok());
        let message = error.to_string();
        let message = message.lines().next().unwrap_or("cannot be read");
        Problem {
            file: file.to_owned(),
            line,
            message: format!("not valid YAML: {message}"),
            hint: Some(
                "put expressions with `: `, `#`, `{` or a quote between '…' or after `|-`".into(),
            ),
        }
    })
}

impl Node {
    /// A node for a value that does not come from a file.
    pub(crate) fn from_json(value: &Value) -> Node {
        let tree = match value {
            Value::Array(items) => Tree::List(items.iter().map(Node::from_json).collect()),
            Value::Object(entries) => {
                let key = |text: &String| Key { text: text.clone(), line: 0 };
                Tree::Map(entries.iter().map(|(k, v)| (key(k), Node::from_json(v))).collect())
            }
            scalar => Tree::Scalar(scalar.clone()),
        };
        Node { line: 0, tree }
    }

    /// The text of a scalar as it would be written.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.tree {
            Tree::Scalar(Value::String(text)) => Some(text.clone()),
            Tree::Scalar(Value::Null) => None,
            Tree::Scalar(other) => Some(other.to_string()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        let line = usize::try_from(spanned.referenced.line()).unwrap_or(0);
        Ok(Node { line, tree: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = usize::try_from(key.referenced.line()).unwrap_or(0);
            entries.push((Key { text: key.value, line }, map.next_value()?));
        }
        Ok(Tree::Map(entries))
    }
}
