//! Screening questions: what an application is asked.

use crate::model::model;
use crate::shape::{choice, structure, union};
use serde_json::Value;

choice! {
    /// How a text is entered.
    pub closed TextDisplay { SingleLine = "SINGLE_LINE", MultiLine = "MULTI_LINE", Email = "EMAIL", Url = "URL" }
}

choice! {
    /// How a number is entered.
    pub closed NumberDisplay { Slider = "SLIDER", Field = "FIELD" }
}

choice! {
    /// How one of several options is chosen.
    pub closed SelectDisplay { Dropdown = "DROPDOWN", Radio = "RADIO" }
}

choice! {
    /// Questions that the law treats apart.
    pub closed QuestionCategory { Eeo = "EEO", Demographic = "DEMOGRAPHIC" }
}

structure! {
    /// An option to choose.
    pub struct QuestionOption {
        /// Its id, unique within the question.
        pub id: String,
        /// What it is called.
        pub name: String,
        /// Its id in the tool.
        pub remote_id: Option<String>,
    }
}

structure! {
    /// A text.
    pub struct TextFormat {
        /// How it is entered.
        pub display_type: Option<TextDisplay>,
        /// Most characters.
        pub max_length: Option<i64>,
    }
}

structure! {
    /// A number.
    pub struct NumberFormat {
        /// How it is entered.
        pub display_type: Option<NumberDisplay>,
        /// Greatest value.
        pub max: Option<f64>,
        /// Least value.
        pub min: Option<f64>,
    }
}

structure! {
    /// A file.
    pub struct FileFormat {
        /// Types that are accepted.
        pub accepted_mime_types: Option<Vec<String>>,
        /// Greatest size in bytes.
        pub max_file_size_bytes: Option<i64>,
    }
}

structure! {
    /// One of several options.
    pub struct SingleSelectFormat {
        /// The options.
        pub options: Vec<QuestionOption>,
        /// How it is chosen.
        pub display_type: Option<SelectDisplay>,
    }
}

structure! {
    /// Yes or no.
    pub struct BooleanFormat {}
}

structure! {
    /// A day.
    pub struct DateFormat {}
}

structure! {
    /// Any of several options.
    pub struct MultiSelectFormat {
        /// The options.
        pub options: Vec<QuestionOption>,
    }
}

structure! {
    /// Only to be read.
    pub struct InformationFormat {}
}

structure! {
    /// Something that the unified model has no form for.
    pub struct UnknownFormat {
        /// The question as the tool has it.
        pub raw_question: Option<Value>,
    }
}

union! {
    /// What kind of answer a question wants.
    pub enum QuestionFormat {
        /// A text.
        Text(TextFormat) = "TEXT",
        /// A number.
        Number(NumberFormat) = "NUMBER",
        /// A file.
        File(FileFormat) = "FILE",
        /// One of several options.
        SingleSelect(SingleSelectFormat) = "SINGLE_SELECT",
        /// Yes or no.
        Boolean(BooleanFormat) = "BOOLEAN",
        /// A day.
        Date(DateFormat) = "DATE",
        /// Any of several options.
        MultiSelect(MultiSelectFormat) = "MULTI_SELECT",
        /// Only to be read.
        Information(InformationFormat) = "INFORMATION",
        /// Something else.
        Unknown(UnknownFormat) = "UNKNOWN",
    }
}

structure! {
    /// A question that an application answers.
    pub struct ScreeningQuestion {
        /// The question.
        pub title: Option<String>,
        /// What explains it.
        pub description: Option<String>,
        /// Whether the law treats it apart.
        pub category: Option<QuestionCategory>,
        /// What kind of answer it wants.
        pub format: Option<QuestionFormat>,
    }
}

model! {
    ScreeningQuestion: "ats_screening_questions", "Screening questions", Ats, None,
    remote_id_nullable: true,
    extensions: [],
    relations: &[],
    filters: &[],
}
