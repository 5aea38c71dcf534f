//! Answers to screening questions.

use crate::shape::{Shape, Structure, choice, structure};
use crate::values::Midnight;
use serde_json::Value;

structure! {
    /// An answer of the kind `TEXT`.
    pub struct TextAnswer {
        /// The text.
        pub content: Option<String>,
    }
}

structure! {
    /// An answer of the kind `SINGLE_SELECT`.
    pub struct SingleSelectAnswer {
        /// The option chosen.
        pub choice: Option<String>,
    }
}

structure! {
    /// An answer of the kind `MULTI_SELECT`.
    pub struct MultiSelectAnswer {
        /// The options chosen.
        pub choices: Vec<String>,
    }
}

structure! {
    /// An answer of the kind `BOOLEAN`.
    pub struct BooleanAnswer {
        /// Yes or no.
        pub checked: Option<bool>,
    }
}

structure! {
    /// An answer of the kind `NUMBER`.
    pub struct NumberAnswer {
        /// The number.
        pub number: Option<f64>,
    }
}

structure! {
    /// An answer of the kind `DATE`.
    pub struct DateAnswer {
        /// The day.
        pub date: Option<Midnight>,
    }
}

structure! {
    /// An answer of the kind `UNKNOWN`.
    pub struct UnknownAnswer {
        /// The answer as the tool has it.
        pub raw: Option<Value>,
    }
}

choice! {
    /// What kind of question was answered.
    pub closed AnsweredType {
        Text = "TEXT", SingleSelect = "SINGLE_SELECT", MultiSelect = "MULTI_SELECT", Boolean = "BOOLEAN",
        Number = "NUMBER", Date = "DATE", Unknown = "UNKNOWN",
    }
}

structure! {
    /// The question that was answered.
    pub struct AnsweredQuestion {
        /// Its id in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub title: String,
        /// What kind of question it is, which decides the form of the answer.
        pub r#type: AnsweredType,
    }
}

structure! {
    /// An answer with its question.
    ///
    /// The form of `answer` follows `question.type`: `content`, `choice`, `choices`, `checked`, `number`, `date` or `raw`.
    pub struct ScreeningQuestionAnswer {
        /// The answer.
        pub answer: Value,
        /// The question.
        pub question: AnsweredQuestion,
    }
}

/// The form of `answer` for each value of `question.type`.
pub const ANSWER_FORMS: &[(&str, &Structure)] = &[
    ("TEXT", &TextAnswer::SHAPE),
    ("SINGLE_SELECT", &SingleSelectAnswer::SHAPE),
    ("MULTI_SELECT", &MultiSelectAnswer::SHAPE),
    ("BOOLEAN", &BooleanAnswer::SHAPE),
    ("NUMBER", &NumberAnswer::SHAPE),
    ("DATE", &DateAnswer::SHAPE),
    ("UNKNOWN", &UnknownAnswer::SHAPE),
];
