//! Application forms of public job postings: the form that a candidate is shown, the request that a
//! browser would send for it, and what came of sending it.
//!
//! Pure: no network, no clock, no async. These are the types that the reading of pages will fill and
//! that the server half stores and serves; a [`Form`] in JSON is `application_form` of the contract.

mod form;
mod submit;

pub use form::{
    Answer, Block, Category, Choice, Condition, File, Form, Posting, Question, QuestionType,
};
pub use submit::{Encoding, Field, Method, Outcome, Step, Submission};
