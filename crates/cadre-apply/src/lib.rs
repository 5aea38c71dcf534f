//! Public job postings as their pages have them: the form that a candidate is shown, the request that a
//! browser would send for it, and what the answer to that says.
//!
//! Pure: bytes and addresses in, forms and requests out; no network, no store. [`Page::read`]
//! takes the bytes of a page. [`Page::shows`] says whether there is a form on it, or where it is;
//! [`Sheet::submission`] fills it in; [`outcome`] judges the answer. What words mean is data, under
//! `vocabulary/`; what job boards offer beside their pages is data too, under `boards/`.

mod asking;
mod board;
mod dom;
mod job;
mod label;
mod outcome;
mod page;
mod question;
mod send;
mod sheet;
mod text;
mod words;

pub use board::{Boards, OnBoard, Posted};
pub use outcome::{Outcome, outcome};
pub use page::{Page, Shows};
pub use question::{Answer, Choice, Form, Kind, Question};
pub use send::Submission;
pub use sheet::Sheet;

/// What a question can be known to ask for, as the contract names it.
pub const UNIFIED_KEYS: &[&str] = &[
    "EMAIL",
    "RESIDENCE_TYPE",
    "RESIDENCE_FULL_STRING",
    "RESIDENCE_COUNTRY",
    "RESIDENCE_CITY",
    "RESIDENCE_STATE",
    "RESIDENCE_LINE_1",
    "RESIDENCE_LINE_2",
    "RESIDENCE_ZIP_CODE",
    "APPLICANT_POOL_CONSENT",
    "TERMS_AND_CONDITIONS",
    "FIRST_NAME",
    "LAST_NAME",
    "FULL_NAME",
    "GENDER",
    "EXPECTED_START_DATE",
    "RESUME",
    "BIRTH_DATE",
    "PHONE_NUMBER_TYPE",
    "FULL_PHONE_NUMBER",
    "PHONE_COUNTRY_CODE",
    "PHONE_NATIONAL_NUMBER",
    "PHONE_EXTENSION",
];
