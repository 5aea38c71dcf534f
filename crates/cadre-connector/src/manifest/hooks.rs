//! What a tool tells by itself: the section `webhooks`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ErrorRule, Expression, Request, Response};

/// What a tool tells by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HooksSection {
    /// How a message proves that it is the tool's.
    pub proof: Proof,
    /// How the tool is asked to tell; without it a person enters the address in the tool. `$record` is
    /// `{url, secret}`; the answer yields `{id, secret?}`.
    pub subscribe: Option<Aside>,
    /// How the tool is asked not to tell any more, when the integration is deleted. `$record` is `{id, url}`.
    pub unsubscribe: Option<Aside>,
    /// A call that only wants an answer: whether the address is there.
    pub handshake: Option<Handshake>,
    /// Yields the messages of a call; by default its whole body is one.
    pub messages: Option<Expression>,
    /// What follows from a message; the first that holds decides. One that none holds for is passed over.
    pub events: Vec<EventRule>,
}

/// How a message proves that it is the tool's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Proof {
    /// A keyed hash over the body.
    Hmac {
        /// The header that holds it.
        header: String,
        /// The hash.
        #[serde(default)]
        algorithm: Algorithm,
        /// How it is written.
        #[serde(default)]
        encoding: Encoding,
        /// What stands before it: `sha256=`.
        #[serde(default)]
        prefix: String,
        /// What is hashed, where it is more than the body: `.` is the body as text.
        signed: Option<Expression>,
    },
    /// The secret as the password of a basic log-in.
    Basic {
        /// The name of the user.
        username: String,
    },
    /// The secret as the user name of a basic log-in, without a password.
    BasicUser,
    /// The secret in a header.
    Header {
        /// Name of the header.
        name: String,
        /// What stands before it: `Bearer `.
        #[serde(default)]
        prefix: String,
    },
    /// Nothing but the address, which nobody else knows.
    Url,
}

/// A call that only wants an answer. It needs no proof, because nothing follows from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// Which calls: on the body.
    pub when: Expression,
    /// What is answered: text as it is, anything else as JSON.
    pub answer: Expression,
}

/// A hash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, which older tools still use; good enough with a key.
    Sha1,
}

/// How bytes are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

/// What follows from a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventRule {
    /// Which messages; by default all.
    pub when: Option<Expression>,
    /// The stream in which something changed.
    pub stream: String,
    /// Yields the id of the record, which is then asked for by the stream's `one`. Without it the tool is
    /// synced.
    pub id: Option<Expression>,
    /// The model whose records have this id: when the tool does not have the record any more, that one is
    /// deleted. Without it such a record is left to the next sync.
    pub model: Option<String>,
}

/// A request beside the streams.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// What is asked.
    pub request: Request,
    /// How the records are found in the answer.
    #[serde(default)]
    pub response: Response,
    /// How answers are judged, before the connector's rules.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}
