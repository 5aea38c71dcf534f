//! Public job postings: whose they are, how they come in, their forms, and applications through them.
//!
//! Everything belongs to an environment. Ids of what a feed names are made of what names it, so that the
//! same line of a feed always means the same row.

mod applications;
mod effect;
mod events;
mod feeds;
mod forms;
mod imports;
mod parsing;
mod postings;
mod sending;
mod sites;

pub use applications::{
    Application, ApplicationQuery, ApplicationStage, ApplicationStatus, NewApplication,
    PlacedApplication,
};
pub use feeds::JobFeed;
pub use forms::PostingForm;
pub use imports::{BeginImport, FeedImport, FeedLine, ImportCounts, ImportLease, ImportState};
pub use parsing::{LeasedPosting, Seen};
pub use postings::{
    ArchivedReason, Availability, NewPosting, PlacedPosting, Posting, PostingPlace, PostingQuery,
    posting_id,
};
pub use sending::LeasedApplication;
pub use sites::{CareerSite, SiteQuery, site_of_feed};
