//! SQLite and PostgreSQL: all SQL of Cadre is here.
//!
//! SQL is written once, in what both databases accept, with `$1` placeholders. What truly differs
//! stands side by side in [`dialect`]. Times are milliseconds since 1970, JSON is text.
//!
//! Every function about a customer's data takes a scope first: [`EnvironmentScope`] or
//! [`IntegrationScope`]. Authentication makes them; jobs and the command line ask for them by a name
//! that a reviewer sees (`system_scope`). Nothing here decides policy: absence is `None`, and whoever
//! calls gives it its meaning.
//!
//! To add a table: a pair of migrations with the next number, a file named for the noun, functions on
//! [`Store`].

mod action_calls;
mod actions;
mod admission;
mod apply;
mod assessment;
mod audit;
mod connect_links;
mod dialect;
mod directory;
mod events;
mod field_fills;
mod fields;
mod grants;
mod hooks;
mod integration_issues;
mod integration_search;
mod integrations;
mod interaction_state;
mod interactions;
mod issues;
mod jobs;
mod keys;
mod limits;
mod log_search;
mod logins;
mod passwords;
mod people;
mod ready;
mod records;
mod retention;
mod run_streams;
mod runs;
mod schedule;
mod scope_config_use;
mod scope_configs;
mod secrets;
mod setup;
mod statistics;
mod store;
mod tasks;
mod tenants;
mod tickets;
mod webhooks;

pub use actions::{ActionRun, Asked, Claim, StepRow, StepState};
pub use admission::{Admission, Admitted};
pub use apply::{
    Application, ApplicationQuery, ApplicationStage, ApplicationStatus, ArchivedReason,
    Availability, BeginImport, CareerSite, FeedImport, FeedLine, ImportCounts, ImportLease,
    ImportState, JobFeed, LeasedApplication, LeasedPosting, NewApplication, NewPosting,
    PlacedApplication, PlacedPosting, Posting, PostingForm, PostingPlace, PostingQuery, Seen,
    SiteQuery, posting_id, site_of_feed,
};
pub use assessment::{AssessmentOrder, NewOrder, OrderFilter, OrderStatus, Package};
pub use audit::{Act, AuditEntry, AuditFilter};
pub use connect_links::{ConnectLink, LinkPurpose, LinkRequest, LinkType, NewConnectLink};
pub use directory::{
    DirectoryKind, DirectoryQuery, DirectoryRow, DirectoryWrite, DirectoryWritten,
};
pub use events::{Event, EventFilter, EventType, IssueChange, NewEvent, UNNAMED_MODELS};
pub use field_fills::{FieldFill, ModelFills};
pub use fields::{CustomField, FieldKind, IntegrationField, NewCustomField, SourcedField};
pub use grants::StoredGrant;
pub use hooks::Hook;
pub use integration_issues::{
    IntegrationIssue, IntegrationIssueKind, IntegrationIssueState, Observed,
};
pub use integration_search::{
    IntegrationFilter, IntegrationFound, IntegrationState, IntegrationsPage,
};
pub use integrations::{
    Agreed, EndUser, Integration, IntegrationStatus, NewIntegration, QaStatus, SetupStatus,
};
pub use interaction_state::InteractionState;
pub use interactions::{
    ExchangeRow, Interaction, InteractionFilter, InteractionKind, NewInteraction,
};
pub use jobs::{Enqueue, Job, NewJob};
pub use keys::{ApiKey, AuthenticatedKey, KeyCheck, NewKey};
pub use limits::LiveSlot;
pub use log_search::{LogFilter, LogPlace};
pub use logins::SessionOf;
pub use people::{LogIn, NewPerson, Person, Role};
pub use records::{
    Before, Fingerprint, FoundRecord, Freshness, ListPage, ListQuery, ModelStats, PageOutcome,
    PageWrite, RawRow, Suspect,
};
pub use retention::Expired;
pub use run_streams::{StreamMark, StreamProgress};
pub use runs::{NewRun, Run, RunEnd, RunKind, RunState, RunTrigger};
pub use scope_configs::{ScopeConfig, Setting};
pub use secrets::MasterKey;
pub use setup::{EmployeeFilter, FilterChoice, Setup};
pub use statistics::{Backlog, CallsInHour, FailuresOfCode, Staleness};
pub use store::{Backend, Error, OpenOptions, Store};
pub use tasks::{Task, TaskState};
pub use tenants::{Environment, EnvironmentKind, EnvironmentScope, IntegrationScope};
pub use webhooks::{
    Attempted, Delivery, DeliveryState, Due, Endpoint, EndpointChange, EndpointState, Leased,
    NewEndpoint, Replay, Replayed, SigningSecrets, Turn, new_secret,
};

/// Declares an enum that is stored as text.
macro_rules! stored_words {
    ($(#[$attribute:meta])+ pub enum $name:ident { $($(#[doc = $variant_doc:expr])+ $variant:ident = $word:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $(#[$attribute])+
        pub enum $name { $($(#[doc = $variant_doc])+ $variant),+ }

        impl $name {
            /// The word that is stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            pub(crate) fn read(word: &str) -> Result<Self, $crate::Error> {
                match word {
                    $($word => Ok($name::$variant),)+
                    other => Err($crate::Error::damaged(concat!("a ", stringify!($name)), other)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use stored_words;
