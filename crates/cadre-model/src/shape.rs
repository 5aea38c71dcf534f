//! How a unified type looks: the description that everything generic works from.
//!
//! A model is declared once, as a Rust type with doc comments. The macros of this module make of
//! that one declaration the type itself and its [`Structure`]: the mapping reads values by it, the
//! store picks filterable values by it, the API writes its OpenAPI document from it.
//!
//! To add a kind of value: a variant of [`Kind`], a type that implements [`FieldType`], and the arms
//! that the compiler then asks for.

use serde_json::Value;

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// A number, whole or not.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A moment, printed `YYYY-MM-DDTHH:mm:ss.sssZ`.
    Timestamp,
    /// A calendar day, printed as its midnight in UTC: `YYYY-MM-DDT00:00:00.000Z`.
    Midnight,
    /// A calendar day, printed `YYYY-MM-DD`.
    Date,
    /// A time of day, printed `HH:mm:ss`.
    TimeOfDay,
    /// An offset from UTC, printed `+01:00`.
    Offset,
    /// An e-mail address.
    Email,
    /// An absolute URL.
    Url,
    /// A currency: ISO 4217.
    Currency,
    /// A country: ISO 3166-1 alpha-2.
    Country,
    /// One of a list of values.
    Choice(&'static Choices),
    /// The id of a record of the named model; in a mapping, its remote id.
    Ref(&'static str),
    /// A structure of its own.
    Object(&'static Structure),
    /// One of several structures, told apart by the field `type`.
    Union(&'static Union),
    /// A list.
    List(&'static Kind),
    /// Any JSON.
    Json,
}

/// The values of a choice.
#[derive(Debug)]
pub struct Choices {
    /// Name of the Rust type.
    pub name: &'static str,
    /// What is chosen.
    pub doc: &'static str,
    /// The values, as on the wire.
    pub values: &'static [&'static str],
    /// Whether other values may pass: the contract's `x-open-enum`.
    pub open: bool,
}

/// One field of a structure.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
}

/// A list of fields with a name.
#[derive(Debug)]
pub struct Structure {
    /// Name of the Rust type.
    pub name: &'static str,
    /// What it describes.
    pub doc: &'static str,
    /// The fields, in the order in which they are served.
    pub fields: &'static [Field],
}

impl Structure {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Structures told apart by the field `type`.
#[derive(Debug)]
pub struct Union {
    /// Name of the Rust type.
    pub name: &'static str,
    /// What it describes.
    pub doc: &'static str,
    /// Value of `type`, and the structure that then holds beside it.
    pub variants: &'static [(&'static str, &'static Structure)],
}

/// A Rust type that can be the type of a field.
pub trait FieldType {
    /// The kind of value it holds.
    const KIND: Kind;
    /// Whether it may be null.
    const NULLABLE: bool = false;
}

impl FieldType for String {
    const KIND: Kind = Kind::Text;
}
impl FieldType for f64 {
    const KIND: Kind = Kind::Number;
}
impl FieldType for i64 {
    const KIND: Kind = Kind::Integer;
}
impl FieldType for bool {
    const KIND: Kind = Kind::Boolean;
}
impl FieldType for Value {
    const KIND: Kind = Kind::Json;
}
impl<T: FieldType> FieldType for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
}
impl<T: FieldType> FieldType for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
}

/// A type that is a [`Structure`].
pub trait Shape {
    /// Its description.
    const SHAPE: Structure;
}

/// Takes the `r#` off a raw identifier.
#[doc(hidden)]
#[must_use]
pub const fn bare(name: &'static str) -> &'static str {
    let bytes = name.as_bytes();
    if bytes.len() > 2 && bytes[0] == b'r' && bytes[1] == b'#' { name.split_at(2).1 } else { name }
}

/// Declares a structure: the Rust type and its description.
macro_rules! structure {
    ($(#[doc = $doc:expr])+ pub struct $name:ident {
        $($(#[doc = $field_doc:expr])+ pub $field:ident: $ty:ty),* $(,)?
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $field_doc])+ pub $field: $ty,)*
        }

        impl $crate::shape::Shape for $name {
            const SHAPE: $crate::shape::Structure = $crate::shape::Structure {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                fields: &[$($crate::shape::Field {
                    name: $crate::shape::bare(stringify!($field)),
                    doc: concat!($($field_doc, "\n"),+),
                    kind: <$ty as $crate::shape::FieldType>::KIND,
                    nullable: <$ty as $crate::shape::FieldType>::NULLABLE,
                }),*],
            };
        }

        impl $crate::shape::FieldType for $name {
            const KIND: $crate::shape::Kind =
                $crate::shape::Kind::Object(&<$name as $crate::shape::Shape>::SHAPE);
        }
    };
}

/// Declares a choice: `open` lets other values pass, `closed` does not.
macro_rules! choice {
    ($(#[doc = $doc:expr])+ pub closed $name:ident { $($variant:ident = $value:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = $value] #[serde(rename = $value)] $variant,)+
        }
        choice!(@describe $name, false, concat!($($doc, "\n"),+), $($value),+);
    };
    ($(#[doc = $doc:expr])+ pub open $name:ident { $($variant:ident = $value:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = $value] #[serde(rename = $value)] $variant,)+
            /// A value that the tool has and the unified model has not, as the tool sent it.
            #[serde(untagged)]
            Other(String),
        }
        choice!(@describe $name, true, concat!($($doc, "\n"),+), $($value),+);
    };
    (@describe $name:ident, $open:literal, $doc:expr, $($value:literal),+) => {
        impl $name {
            /// The description of the choice.
            pub const CHOICES: $crate::shape::Choices = $crate::shape::Choices {
                name: stringify!($name),
                doc: $doc,
                values: &[$($value),+],
                open: $open,
            };
        }
        impl $crate::shape::FieldType for $name {
            const KIND: $crate::shape::Kind = $crate::shape::Kind::Choice(&$name::CHOICES);
        }
    };
}

/// Declares a union of structures, told apart by the field `type`.
macro_rules! union {
    ($(#[doc = $doc:expr])+ pub enum $name:ident { $($(#[doc = $variant_doc:expr])+ $variant:ident($ty:ty) = $tag:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type")]
        pub enum $name {
            $($(#[doc = $variant_doc])+ #[serde(rename = $tag)] $variant($ty),)+
        }
        impl $name {
            /// The description of the union.
            pub const UNION: $crate::shape::Union = $crate::shape::Union {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                variants: &[$(($tag, &<$ty as $crate::shape::Shape>::SHAPE)),+],
            };
        }
        impl $crate::shape::FieldType for $name {
            const KIND: $crate::shape::Kind = $crate::shape::Kind::Union(&$name::UNION);
        }
    };
}

pub(crate) use {choice, structure, union};
