//! The cursor of a list: opaque to callers, bound to what was asked.
//!
//! A cursor holds nothing but the place to go on from. What it is bound to (environment,
//! integration, model, filters) goes in as a digest, so that a cursor of somebody else, of another
//! list or of other filters is refused rather than answered with rows from the middle of nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_model::ids::is_id;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest cursor that is read, in bytes.
const MAX_BYTES: usize = 512;

/// What a cursor is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    /// The environment of the key.
    pub environment_id: &'a str,
    /// The integration.
    pub integration_id: &'a str,
    /// The model.
    pub model: &'a str,
    /// Everything that narrows the list, in one form for equal requests.
    pub filters: &'a str,
}

/// A cursor, taken apart.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    v: u8,
    after: String,
    list: String,
    filters: String,
    sum: String,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorProblem {
    /// It is not one of ours, or was changed.
    Broken,
    /// It belongs to another environment, integration or list.
    OtherList,
    /// It belongs to the same list with other filters.
    OtherFilters,
}

impl CursorProblem {
    /// What the parameter must be.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            CursorProblem::Broken => "`next` of an earlier page, unchanged",
            CursorProblem::OtherList => "`next` of an earlier page of this list and integration",
            CursorProblem::OtherFilters => {
                "`next` of an earlier page that was asked with the same filters"
            }
        }
    }
}

impl Cursor {
    /// The cursor that goes on after the record with the id `after`.
    #[must_use]
    pub fn write(position: Position<'_>, after: &str) -> String {
        let (list, filters) = digests(position);
        let sum = digest(&[after, &list, &filters]);
        let cursor = Cursor { v: 1, after: after.to_owned(), list, filters, sum };
        // Five short texts: nothing in it can fail to serialize.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }

    /// The id of the record to go on after.
    ///
    /// # Errors
    ///
    /// When it is not a cursor, or one of another request.
    pub fn read(text: &str, position: Position<'_>) -> Result<String, CursorProblem> {
        let cursor = Cursor::parse(text).ok_or(CursorProblem::Broken)?;
        let (list, filters) = digests(position);
        if cursor.list != list {
            return Err(CursorProblem::OtherList);
        }
        if cursor.filters != filters {
            return Err(CursorProblem::OtherFilters);
        }
        Ok(cursor.after)
    }

    fn parse(text: &str) -> Option<Cursor> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let cursor: Cursor = serde_json::from_slice(&bytes).ok()?;
        let sum = digest(&[&cursor.after, &cursor.list, &cursor.filters]);
        (cursor.v == 1 && cursor.sum == sum && is_id(&cursor.after)).then_some(cursor)
    }
}

fn digests(position: Position<'_>) -> (String, String) {
    let Position { environment_id, integration_id, model, filters } = position;
    (digest(&[environment_id, integration_id, model]), digest(&[filters]))
}

fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hasher.finalize()[..9])
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use cadre_model::ids::random_id;

    use super::{Cursor, CursorProblem, Position};

    const HERE: Position<'_> = Position {
        environment_id: "env",
        integration_id: "acme:1",
        model: "hris_employees",
        filters: "include_deleted=true",
    };

    #[test]
    fn a_cursor_comes_back() {
        let id = random_id();
        assert_eq!(Cursor::read(&Cursor::write(HERE, &id), HERE), Ok(id));
    }

    #[test]
    fn a_cursor_of_another_request_is_refused() {
        let text = Cursor::write(HERE, &random_id());
        let elsewhere = [
            Position { environment_id: "other", ..HERE },
            Position { integration_id: "acme:2", ..HERE },
            Position { model: "hris_teams", ..HERE },
        ];
        for position in elsewhere {
            assert_eq!(Cursor::read(&text, position), Err(CursorProblem::OtherList));
        }
        let filtered = Position { filters: "", ..HERE };
        assert_eq!(Cursor::read(&text, filtered), Err(CursorProblem::OtherFilters));
    }

    #[test]
    fn a_changed_cursor_is_refused() {
        let text = Cursor::write(HERE, &random_id());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            // The last character may carry bits that no byte uses; then nothing was changed.
            let same = URL_SAFE_NO_PAD.decode(&changed).ok() == URL_SAFE_NO_PAD.decode(&text).ok();
            assert!(same || Cursor::read(&changed, HERE).is_err(), "{at}");
        }
        for junk in ["x", "e30", "null", "🙂", &"A".repeat(100_000)] {
            assert_eq!(Cursor::read(junk, HERE), Err(CursorProblem::Broken));
        }
    }
}
