//! Building statements over lists of values. Values are always bound, never part of the text.

use std::fmt::Write;

/// Most rows of one statement; so many parameters fit both databases with any table of ours.
pub(super) const CHUNK: usize = 200;

/// `$from, $from+1, …`: placeholders for `count` values.
pub(super) fn placeholders(from: usize, count: usize) -> String {
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
