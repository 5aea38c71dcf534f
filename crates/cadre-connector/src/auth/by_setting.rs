//! A mechanism that the customer chooses on the connect form.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Auth;

/// One of several mechanisms, by the value of a field of the connect form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BySetting {
    /// Name of the field: one with `options`.
    pub setting: String,
    /// The mechanism of each option.
    pub of: IndexMap<String, Auth>,
}

impl BySetting {
    /// The mechanism that is chosen; the first where nothing is.
    pub(super) fn chosen(&self, settings: &Value) -> Option<&Auth> {
        let value = settings.get(&self.setting).and_then(Value::as_str);
        let named = value.and_then(|value| self.of.get(value));
        named.or_else(|| self.of.values().next())
    }
}
