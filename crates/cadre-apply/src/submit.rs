//! How a form is sent, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The requests that send a form, one for each step of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// In the order in which they are sent; the last one applies.
    pub steps: Vec<Step>,
}

/// One request of a submission, without the candidate's answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How it is sent.
    pub method: Method,
    /// Absolute.
    pub url: String,
    /// How its fields are written.
    pub encoding: Encoding,
    /// What the page sends by itself: hidden tokens and the chosen button.
    pub hidden: Vec<Field>,
    /// The name of the field that carries the answer to each question, by `question_id`.
    pub answers: BTreeMap<String, String>,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name on the wire.
    pub name: String,
    /// What is sent.
    pub value: String,
}

/// A method that forms use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Fields in the address.
    Get,
    /// Fields in the body.
    Post,
}

/// The `enctype` of a form, or the body that a board's API takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// `application/x-www-form-urlencoded`
    Urlencoded,
    /// `multipart/form-data`
    Multipart,
    /// `application/json`
    Json,
}

/// What the answer to a submission says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", content = "messages", rename_all = "snake_case")]
pub enum Outcome {
    /// The application arrived.
    Submitted,
    /// The candidate had applied before.
    Duplicate,
    /// Nobody can apply any more.
    Closed,
    /// Fields were refused: the page's messages, by the name of the field.
    Refused(BTreeMap<String, Vec<String>>),
    /// The answer does not say.
    Unknown,
}
