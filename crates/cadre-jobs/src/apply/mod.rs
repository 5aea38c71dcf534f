//! Public job postings: reading their pages, and applying through their forms.
//!
//! [`feed`] takes postings in, [`parse`] reads their pages, [`inquire`] hands forms out, `submit` sends
//! what came back. What a page means is decided in the crate `cadre-apply`; `reading` fetches what that
//! needs. `visit` is the only way to a page, and keeps the manners: robots rules, and a pause for each host.

mod assistant;
pub(crate) mod clicks;
mod cookies;
pub mod feed;
pub mod inquire;
mod line;
pub mod parse;
mod reading;
mod robots;
mod settings;
mod submit;
pub mod unified;
mod visit;

pub use assistant::Assistant;
pub use cadre_apply::{Answer, Boards, Form};
pub use clicks::Clicks;
pub use inquire::Order;
pub use line::{is_country, is_page_url};
pub use settings::ApplySettings;
pub use visit::Hosts;
