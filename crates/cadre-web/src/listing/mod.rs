//! What a list request asks for: its query string, read and checked as a whole; and pages that were
//! rendered already.

mod cursor;
mod kept;
mod moment;
mod params;
mod query;

pub use cursor::{Cursor, CursorProblem, Position};
pub use kept::{KeptPages, key};
pub use moment::Moment;
pub use params::{Asked, AskedFilter, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, MAX_VALUES, Whose};
pub use query::{Pairs, Problem, fault};
