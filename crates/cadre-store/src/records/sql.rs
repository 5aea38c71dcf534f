//! Building statements over lists of values. Values are always bound, never part of the text.

use std::fmt::Write;

use crate::store::{Backend, storable};

/// Where statements of a page look.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) backend: Backend,
    pub(super) integration_id: &'a str,
    pub(super) model: &'a str,
    /// The present moment.
    pub(super) now: i64,
}

/// Most rows of one statement; so many parameters fit both databases with any table of ours.
pub(super) const CHUNK: usize = 200;

/// A list of texts as one bound value; see [`crate::Backend::among`].
pub(super) fn array<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("[");
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        let _ = write!(text, "{}", serde_json::Value::String(storable(value.as_ref())));
    }
    text.push(']');
    text
}

/// `$from, $from+1, …`: placeholders for `count` values.
fn placeholders(from: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for at in from..from + count {
        if at > from {
            text.push(',');
        }
        let _ = write!(text, "${at}");
    }
    text
}

/// `($1,$2),($3,$4)`: placeholders for rows.
pub(super) fn rows(columns: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * columns * 5);
    for row in 0..count {
        if row > 0 {
            text.push(',');
        }
        let _ = write!(text, "({})", placeholders(row * columns + 1, columns));
    }
    text
}
