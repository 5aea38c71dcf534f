//! A posting and its form, as the contract writes them.

use serde::{Deserialize, Serialize};

/// What a page says about the job itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Posting {
    /// The job's title, where the page names one.
    pub title: Option<String>,
    /// The place of work, as the page writes it.
    pub location: Option<String>,
    /// The page says that nobody can apply any more.
    pub closed: bool,
}

/// The blocks of a form, in the order in which they are shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Form {
    /// Sections, texts and questions of the top level.
    pub blocks: Vec<Block>,
}

/// One thing that a form shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "block_type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Block {
    /// Blocks under a heading. Hidden when nothing inside of it is visible.
    Section {
        /// The heading.
        label: String,
        /// What stands below it.
        children: Vec<Block>,
    },
    /// Text only.
    Information {
        /// The text.
        label: String,
    },
    /// Something to answer.
    Question(Question),
}

/// A question, with every member of the contract; what is not known is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Unique within the form, and the same each time the same page is read.
    pub question_id: String,
    /// What the candidate is asked.
    pub label: String,
    /// The help text beside it.
    pub description: Option<String>,
    /// Must be answered while it is visible.
    pub required: bool,
    /// Set where the question asks for what must not decide the application.
    pub category: Option<Category>,
    /// The format of its answer.
    pub question_type: QuestionType,
    /// The contract's key of what is asked, such as `EMAIL`.
    pub unified_key: Option<String>,
    /// The choices; null where the format has none.
    pub options: Option<Vec<Choice>>,
    /// The answer that shows the question; null where it is always shown.
    pub display_when: Option<Condition>,
}

/// What a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Category {
    /// Equal employment opportunity.
    #[serde(rename = "EEO")]
    Eeo,
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuestionType {
    /// A text of one or more lines.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A file.
    File,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// The id of one option.
    SingleSelect,
    /// The ids of any number of options.
    MultiSelect,
}

/// One choice of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Unique within the question; what an answer names.
    pub id: String,
    /// What the candidate reads.
    pub label: String,
    /// The contract's key, such as `DE` or `MOBILE`.
    pub unified_key: Option<String>,
}

/// Which answer to which question shows another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The question that decides.
    pub question_id: String,
    /// The answer that it must have.
    pub answer_equals: Answer,
}

/// An answer, as callers send it. A date and the id of an option are texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text, a date or the id of an option.
    Text(String),
    /// Ids of options.
    Many(Vec<String>),
    /// A file.
    File(File),
}

/// A file within an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, with the extension.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its bytes in base64.
    pub data: String,
}
