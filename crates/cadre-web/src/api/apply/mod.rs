//! `/v1/ai-apply/…`: public postings, their forms, and applications through them.
//!
//! Everything here belongs to the environment of the key: no integration is named.

pub mod applications;
pub mod feeds;
pub mod inquire;
mod page;
pub mod postings;
pub mod sites;
pub mod unified;

/// Most postings of one page of jobs, each with its whole form.
pub(crate) const MOST_JOBS: u32 = 5;
