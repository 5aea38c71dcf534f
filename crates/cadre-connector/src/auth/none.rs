//! No proof at all, stated.

use schemars::JsonSchema;
use serde::Deserialize;

/// No proof at all, stated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoAuth {}
