//! YAML that remembers its lines.
//!
//! The text is read once into a tree of [`Node`]s, and the manifest types are read out of the tree,
//! so that whatever is wrong (a key, a type, an expression) is reported with the line it stands on.
//! An enum whose variants carry fields is a mapping with the key `type`.

use serde::Deserialize;
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::problem::{Problem, did_you_mean};

/// A value of a YAML document and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Line, counted from 1; 0 where it is unknown.
    pub(crate) line: usize,
    /// The value.
    pub(crate) value: Tree,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
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
        let message = message.lines().next().unwrap_or("cannot be read").to_owned();
        Problem::new(file, format!("not valid YAML: {message}")).line(line)
    })
}

impl Node {
    /// The line of what stands at the path, or of the nearest thing above it.
    pub(crate) fn line_at(&self, path: &[&str]) -> Option<usize> {
        let mut line = self.line;
        let mut node = self;
        for step in path {
            match &node.value {
                Tree::Map(entries) => {
                    let Some((key, value)) = entries.iter().find(|(key, _)| key.text == *step)
                    else {
                        break;
                    };
                    line = key.line;
                    node = value;
                }
                Tree::List(items) => {
                    let Some(item) = step.parse::<usize>().ok().and_then(|at| items.get(at)) else {
                        break;
                    };
                    line = item.line;
                    node = item;
                }
                _ => break,
            }
        }
        (line > 0).then_some(line)
    }

    /// The value under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Tree::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The text of a scalar that is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Tree::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reads a type out of the tree.
    pub(crate) fn read<T: de::DeserializeOwned>(&self, file: &str) -> Result<T, Problem> {
        T::deserialize(self)
            .map_err(|error| Problem::new(file, error.message).line(error.line).hint(error.hint))
    }

    fn scalar_text(&self) -> Option<String> {
        match &self.value {
            Tree::Text(text) => Some(text.clone()),
            Tree::Bool(flag) => Some(flag.to_string()),
            Tree::Integer(number) => Some(number.to_string()),
            Tree::Number(number) => Some(number.to_string()),
            Tree::Null | Tree::List(_) | Tree::Map(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        let line = usize::try_from(spanned.referenced.line()).unwrap_or(0);
        Ok(Node { line, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Tree;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }
            fn visit_none<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
                Ok(Tree::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
                Ok(Tree::Integer(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
                Ok(i64::try_from(value)
                    .map_or_else(|_| Tree::Text(value.to_string()), Tree::Integer))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
                Ok(Tree::Number(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
                Ok(Tree::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Tree, E> {
                Ok(Tree::Text(value))
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
        deserializer.deserialize_any(Reader)
    }
}

/// Why a type could not be read out of the tree.
#[derive(Debug)]
pub(crate) struct ShapeError {
    line: Option<usize>,
    message: String,
    hint: Option<String>,
}

impl ShapeError {
    fn at(mut self, line: usize) -> Self {
        if self.line.is_none() && line > 0 {
            self.line = Some(line);
        }
        self
    }

    fn unknown(what: &str, word: &str, expected: &[&str]) -> Self {
        let hint = match did_you_mean(word, expected.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", expected.join(", ")),
        };
        Self { line: None, message: format!("unknown {what} `{word}`"), hint: Some(hint) }
    }
}

impl std::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { line: None, message: message.to_string(), hint: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("key", field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("value", variant, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key `{field}` is missing"))
    }
}

impl<'de> IntoDeserializer<'de, ShapeError> for &'de Node {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let result = match &self.value {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(flag) => visitor.visit_bool(*flag),
            Tree::Integer(number) => visitor.visit_i64(*number),
            Tree::Number(number) => visitor.visit_f64(*number),
            Tree::Text(text) => visitor.visit_borrowed_str(text),
            Tree::List(items) => visitor.visit_seq(Items(items.iter())),
            Tree::Map(entries) => {
                visitor.visit_map(Entries { rest: entries.iter(), skip: None, value: None })
            }
        };
        result.map_err(|error| error.at(self.line))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.value {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    // Where text is wanted, a number or a truth value is taken as it is printed: `password: 1234`.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.scalar_text() {
            Some(text) => {
                visitor.visit_string(text).map_err(|error: ShapeError| error.at(self.line))
            }
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let choice = match &self.value {
            Tree::Map(_) => match self.get("type") {
                Some(kind) => Choice { kind, fields: Some(self) },
                None => return Err(<ShapeError as de::Error>::missing_field("type").at(self.line)),
            },
            _ => Choice { kind: self, fields: None },
        };
        visitor.visit_enum(choice).map_err(|error| error.at(self.line))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = ShapeError;
    fn next_element_seed<T: de::DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|error| error.at(node.line))
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Key, Node)>,
    skip: Option<&'static str>,
    value: Option<&'de (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = ShapeError;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ShapeError> {
        let skip = self.skip;
        let Some(entry) = self.rest.by_ref().find(|(key, _)| Some(key.text.as_str()) != skip)
        else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key: de::value::StrDeserializer<'_, ShapeError> =
            entry.0.text.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|error| error.at(entry.0.line))
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, ShapeError> {
        let (key, node) =
            self.value.take().ok_or_else(|| de::Error::custom("value asked for before its key"))?;
        seed.deserialize(node).map_err(|mut error| {
            if error.line.is_none() {
                error.message = format!("`{}`: {}", key.text, error.message);
            }
            error.at(if node.line > 0 { node.line } else { key.line })
        })
    }
}

struct Choice<'de> {
    kind: &'de Node,
    fields: Option<&'de Node>,
}

impl<'de> de::EnumAccess<'de> for Choice<'de> {
    type Error = ShapeError;
    type Variant = Self;
    fn variant_seed<V: de::DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), ShapeError> {
        let name = self.kind.scalar_text().unwrap_or_default();
        let name: de::value::StringDeserializer<ShapeError> = name.into_deserializer();
        let variant = seed.deserialize(name).map_err(|error| error.at(self.kind.line))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Choice<'de> {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, ShapeError> {
        let entries = match self.fields.map(|node| &node.value) {
            Some(Tree::Map(entries)) => entries.iter(),
            _ => [].iter(),
        };
        let entries = Entries { rest: entries, skip: Some("type"), value: None };
        seed.deserialize(de::value::MapAccessDeserializer::new(entries))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        _visitor: V,
    ) -> Result<V::Value, ShapeError> {
        Err(de::Error::custom("a mapping with the key `type` is expected"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let entries = match self.fields.map(|node| &node.value) {
            Some(Tree::Map(entries)) => entries.iter(),
            _ => [].iter(),
        };
        visitor.visit_map(Entries { rest: entries, skip: Some("type"), value: None })
    }
}
