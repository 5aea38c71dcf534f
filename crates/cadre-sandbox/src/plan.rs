//! How large the made-up company is, and when it lives.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

/// What the tables are filled from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Number that all dice depend on.
    pub(crate) seed: u64,
    /// The moment at which the sandbox starts.
    pub(crate) start: Timestamp,
    /// Employees in Sandbox HR.
    pub(crate) employees: usize,
    /// Candidates in Sandbox ATS.
    pub(crate) candidates: usize,
    /// Jobs in Sandbox ATS.
    pub(crate) jobs: usize,
}

impl Plan {
    /// The day on which the sandbox starts, in UTC.
    pub(crate) fn today(&self) -> Date {
        self.start.to_zoned(TimeZone::UTC).date()
    }

    /// The day that lies `days` before the start, or after it when negative.
    pub(crate) fn days_ago(&self, days: i64) -> Date {
        self.today().saturating_sub(days.days())
    }

    /// The moment that lies `hours` before the start.
    pub(crate) fn hours_ago(&self, hours: i64) -> Timestamp {
        self.start - SignedDuration::from_hours(hours)
    }
}
