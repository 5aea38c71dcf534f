//! Tools that push what they have: the section `inbound`.

use schemars::JsonSchema;
use serde::Deserialize;

/// How a tool pushes what it has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Inbound {
    /// It speaks SCIM 2.0 to an address of the integration, as identity providers do.
    Scim {
        /// What people become.
        users: Pushed,
        /// What groups become.
        groups: Pushed,
    },
}

/// What a kind of pushed resources becomes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pushed {
    /// The stream that asks for them.
    pub stream: String,
    /// The model whose records have their ids: one that is deleted is deleted there.
    pub model: String,
}
