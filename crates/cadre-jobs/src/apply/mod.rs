//! Public job postings: reading their pages, and applying through their forms.
//!
//! [`feed`] takes postings in, [`parse`] reads their pages, [`inquire`] hands forms out, [`submit`] sends
//! what came back. What a page means is decided by `cadre-apply`, which knows no network and no database;
//! [`visit`] is the only way to a page, and keeps the manners: robots rules, and a pause for each host.

mod cookies;
pub mod feed;
mod line;
mod robots;
mod settings;
mod visit;

pub use line::{is_country, is_page_url};
pub use settings::ApplySettings;
pub use visit::Hosts;
