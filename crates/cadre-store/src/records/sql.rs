//! Building statements over lists of values. Values are always bound, never part of the text.

use std::fmt::Write;

use crate::store::{Backend, storable};

/// Where statements of a page look.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) backend: Backend,
    pub(crate) integration_id: &'a str,
    pub(crate) model: &'a str,
    /// The present moment.
    pub(crate) now: i64,
}

/// Most rows of one statement; so many parameters fit both databases with any table of ours.
const CHUNK: usize = 256;

/// Most ids that a change of many records names at once.
pub(super) const IDS: usize = 200;

/// Parts of a list whose lengths are powers of two: there are few different statements, so that each is
/// prepared once and used again.
pub(crate) fn chunks<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let most = rest.len().min(CHUNK);
        let length = if most == 0 { return None } else { 1 << most.ilog2() };
        let (chunk, others) = rest.split_at(length);
        rest = others;
        Some(chunk)
    })
}

/// A list of texts as one bound value; see [`crate::Backend::among`].
pub(crate) fn array<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> String {
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

impl Backend {
    /// Placeholders for rows: `($1,$2),($3,$4)`. SQLite takes `$1` for a name, and would look up each
    /// among all the others; it counts plain question marks.
    pub(crate) fn rows(self, columns: usize, count: usize) -> String {
        let mut text = String::with_capacity(count * columns * 5);
        for row in 0..count {
            text.push_str(if row > 0 { ",(" } else { "(" });
            for column in 1..=columns {
                if column > 1 {
                    text.push(',');
                }
                match self {
                    Backend::Sqlite => text.push('?'),
                    Backend::Postgres => {
                        let _ = write!(text, "${}", row * columns + column);
                    }
                }
            }
            text.push(')');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_everything_once() {
        let all: Vec<usize> = (0..700).collect();
        let lengths: Vec<usize> = chunks(&all).map(<[usize]>::len).collect();
        assert_eq!(lengths, [256, 256, 128, 32, 16, 8, 4]);
        assert_eq!(chunks(&all).flatten().copied().collect::<Vec<_>>(), all);
        assert_eq!(chunks::<usize>(&[]).count(), 0);
    }

    #[test]
    fn placeholders_of_both() {
        assert_eq!(Backend::Postgres.rows(2, 2), "($1,$2),($3,$4)");
        assert_eq!(Backend::Sqlite.rows(2, 2), "(?,?),(?,?)");
    }
}
