//! The computed values of a manifest: jq, compiled when the manifest is read.

use std::borrow::Cow;

use cadre_jq::{CompileError, EvalError, Expr, Vars};
use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

macro_rules! computed {
    ($(#[doc = $doc:literal])+ $name:ident, $compile:path, $schema:literal) => {
        $(#[doc = $doc])+
        #[derive(Clone)]
        pub struct $name(Expr);

        impl $name {
            /// Compiles the text.
            pub fn compile(text: &str) -> Result<Self, CompileError> {
                $compile(text).map(Self)
            }

            /// The compiled expression.
            #[must_use]
            pub fn expr(&self) -> &Expr {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0.source())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $compile(&text).map(Self).map_err(|error| {
                    de::Error::custom(broken("expression", &text, &error))
                })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": ["string", "number", "boolean"], "description": $schema})
            }
        }
    };
}

computed! {
    /// A jq expression.
    Expression, Expr::compile, "A jq expression."
}

computed! {
    /// The inside of a jq string: plain text in which `\(…)` holds an expression.
    Template, Expr::template, "Text in which \\(…) holds a jq expression."
}

computed! {
    /// A template of a URL path: what its expressions yield is percent-encoded.
    PathTemplate, Expr::path_template, "A URL path in which \\(…) holds a jq expression."
}

computed! {
    /// A template of XML: what its expressions yield is escaped.
    XmlTemplate, Expr::xml_template, "XML in which \\(…) holds a jq expression; attributes stand in single quotes."
}

impl Expression {
    /// Whether the expression holds: its first output is neither `null` nor `false`.
    ///
    /// An expression that fails does not hold: conditions look into answers of any shape.
    #[must_use]
    pub fn holds(&self, input: &Value, vars: &Vars<'_>) -> bool {
        match self.0.first(input, vars) {
            Ok(Some(value)) => !matches!(*value, Value::Null | Value::Bool(false)),
            Ok(None) | Err(_) => false,
        }
    }

    /// The first output; `null` when there is none.
    pub fn value(&self, input: &Value, vars: &Vars<'_>) -> Result<Value, EvalError> {
        Ok(self.0.first(input, vars)?.map_or(Value::Null, Cow::into_owned))
    }
}

impl Template {
    /// The text.
    pub fn text(&self, vars: &Vars<'_>) -> Result<String, EvalError> {
        text(&self.0, vars)
    }
}

impl PathTemplate {
    /// The text.
    pub fn text(&self, vars: &Vars<'_>) -> Result<String, EvalError> {
        text(&self.0, vars)
    }
}

impl XmlTemplate {
    /// The text.
    pub fn text(&self, vars: &Vars<'_>) -> Result<String, EvalError> {
        text(&self.0, vars)
    }
}

fn text(expr: &Expr, vars: &Vars<'_>) -> Result<String, EvalError> {
    Ok(match expr.first(&Value::Null, vars)?.map(Cow::into_owned) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    })
}

/// A value of a query parameter: a template, or `{jq: EXPR}`.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// A template.
    Template(Template),
    /// An expression; `null` leaves the parameter out, a list repeats it.
    Expression(Expression),
}

impl Parameter {
    /// The compiled expression.
    #[must_use]
    pub fn expr(&self) -> &Expr {
        match self {
            Parameter::Template(template) => template.expr(),
            Parameter::Expression(expression) => expression.expr(),
        }
    }

    /// The values to send under the name: none, one, or several.
    pub fn values(&self, vars: &Vars<'_>) -> Result<Vec<String>, EvalError> {
        match self {
            Parameter::Template(template) => Ok(vec![template.text(vars)?]),
            Parameter::Expression(expression) => {
                Ok(match expression.value(&Value::Null, vars)? {
                    Value::Array(items) => items.iter().filter_map(printed).collect(),
                    value => printed(&value).into_iter().collect(),
                })
            }
        }
    }
}

/// A regular expression: as it stands, or `{jq: EXPR}` that yields it.
///
/// It is no template, because a backslash means something else in a regular expression.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// As it stands.
    Plain(String),
    /// An expression that yields it.
    Expression(Expression),
}

impl Pattern {
    /// The text of the regular expression.
    pub fn text(&self, vars: &Vars<'_>) -> Result<String, EvalError> {
        match self {
            Pattern::Plain(text) => Ok(text.clone()),
            Pattern::Expression(expression) => {
                Ok(printed(&expression.value(&Value::Null, vars)?).unwrap_or_default())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pattern;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a regular expression, or {jq: EXPRESSION}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pattern, E> {
                Ok(Pattern::Plain(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pattern, A::Error> {
                only_jq(map).map(Pattern::Expression)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        text_or_jq("A regular expression, or {jq: EXPRESSION} that yields it.")
    }
}

/// Reads `{jq: EXPR}`.
fn only_jq<'de, A: MapAccess<'de>>(mut map: A) -> Result<Expression, A::Error> {
    const KEYS: &[&str] = &["jq"];
    let mut found = None;
    while let Some(key) = map.next_key::<String>()? {
        if key != "jq" {
            return Err(de::Error::unknown_field(&key, KEYS));
        }
        found = Some(map.next_value::<Expression>()?);
    }
    found.ok_or_else(|| de::Error::missing_field("jq"))
}

fn text_or_jq(description: &str) -> schemars::Schema {
    schemars::json_schema!({
        "description": description,
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {
                "type": "object",
                "properties": {"jq": {"type": "string"}},
                "required": ["jq"],
                "additionalProperties": false
            }
        ]
    })
}

/// How a value is printed where text is needed; `null` is not.
pub(crate) fn printed(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Reader {
            fn template<E: de::Error>(text: &str) -> Result<Parameter, E> {
                Template::compile(text)
                    .map(Parameter::Template)
                    .map_err(|error| E::custom(broken("template", text, &error)))
            }
        }
        impl<'de> Visitor<'de> for Reader {
            type Value = Parameter;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("text, or {jq: EXPRESSION}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Parameter, E> {
                Self::template(text)
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Parameter, E> {
                Self::template(&flag.to_string())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Parameter, E> {
                Self::template(&number.to_string())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Parameter, E> {
                Self::template(&number.to_string())
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Parameter, A::Error> {
                only_jq(map).map(Parameter::Expression)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Parameter {
    fn schema_name() -> Cow<'static, str> {
        "Parameter".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        text_or_jq(
            "Text in which \\(…) holds a jq expression, or {jq: EXPRESSION}; null leaves it out.",
        )
    }
}

fn broken(what: &str, text: &str, error: &CompileError) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("the {what} `{}` does not compile: {error}{hint}", shorten(text))
}

fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
