//! `connector.yaml`: the types of the format, as the guide page describes it.
//!
//! The types hold compiled expressions: a manifest that could be read has no expression that does
//! not compile. What a type cannot say (which variables a place offers, which streams are used) is
//! looked at in [`check`]. To add a key: a field here, its meaning where it is used, a line in
//! `docs/guide/connector-format.md`.

mod action;
mod assessment;
mod check;
mod expression;
mod form;
mod hooks;
mod inbound;
mod load;
mod located;
mod report;
mod request;

pub use action::{ActionSection, ReadBack, Restriction, Restrictions, Step};
use cadre_model::fault::Code;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use assessment::{AssessmentCall, AssessmentRequest, AssessmentSection};
pub(crate) use expression::printed;
pub use expression::{Expression, Parameter, PathTemplate, Pattern, Template, XmlTemplate};
pub use form::FieldProblem;
pub use hooks::{Algorithm, Aside, Encoding, EventRule, Handshake, HooksSection, Proof};
pub use inbound::{Inbound, Pushed};
pub(crate) use load::{action, load, parse};
pub use report::{Poll, Report, ReportStep};
pub use request::{Method, Redirects, Request, Response};

use crate::auth::{Auth, ClientCertificate};
use crate::page::Paging;

/// Name of the manifest in a connector folder.
pub const FILE: &str = "connector.yaml";

/// A connector's manifest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The slug of the tool; equals the name of the folder.
    pub tool: String,
    /// The tool's name as people know it.
    pub label: String,
    /// What kinds of software the tool is.
    pub categories: Vec<Category>,
    /// Where the facts in the folder come from: URLs.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The form that the end customer fills in.
    #[serde(default)]
    pub connect: Connect,
    /// What is left to do after signing in.
    #[serde(default)]
    pub setup: Vec<SetupStep>,
    /// How the tool is reached.
    #[serde(default)]
    pub transport: TransportKind,
    /// What the paths of the requests are appended to.
    pub base_url: Option<Template>,
    /// Headers sent with every request.
    #[serde(default)]
    pub headers: IndexMap<String, Parameter>,
    /// Hosts that may be asked, beside those below them; any when it is empty.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How requests prove who sends them.
    pub auth: Option<Auth>,
    /// The certificate that every connection is opened with.
    pub client_certificate: Option<ClientCertificate>,
    /// What the vendor lets through.
    #[serde(default)]
    pub limits: Limits,
    /// What "do the credentials work?" asks for; by default the first page of the first stream.
    pub check: Option<CheckSection>,
    /// How answers are judged, from top to bottom.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Where the files are, for `transport: sftp`.
    pub sftp: Option<SftpSection>,
    /// Where the directory is, for `transport: ldap`.
    pub ldap: Option<LdapSection>,
    /// What can be read.
    pub streams: IndexMap<String, StreamSection>,
    /// Streams that are read whole before anything else.
    #[serde(default)]
    pub lookups: IndexMap<String, Lookup>,
    /// What is asked at the moment of a call, by the id of the operation.
    #[serde(default)]
    pub live: IndexMap<String, LiveSection>,
    /// The APIs of the tool that callers may talk to with the account's credentials.
    #[serde(default)]
    pub passthrough: IndexMap<String, PassthroughSection>,
    /// What the tool tells by itself.
    pub webhooks: Option<HooksSection>,
    /// How the tool orders assessments of us.
    pub assessment: Option<AssessmentSection>,
    /// How the tool pushes what it has. The streams then ask for what was pushed; their requests do not leave
    /// this server.
    pub inbound: Option<Inbound>,
}

/// A live read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveSection {
    /// What is asked; `$record` is the record it is about.
    pub request: Request,
    /// How the records are found in the answer.
    #[serde(default)]
    pub response: Response,
    /// How the next page is found; by default there is one.
    pub paging: Option<Paging>,
    /// How answers are judged, before the connector's rules.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// How a record becomes an item of the answer: a mapping table without `from`.
    pub map: Value,
}

/// An API of the tool that callers may talk to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassthroughSection {
    /// What people call it.
    pub label: String,
    /// What paths are appended to.
    pub base_url: Template,
    /// Headers that callers may set although they are kept from them elsewhere.
    #[serde(default)]
    pub allow_headers: Vec<String>,
}

/// A kind of software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Category {
    /// HR information system.
    #[serde(rename = "HRIS")]
    Hris,
    /// Applicant tracking system.
    #[serde(rename = "ATS")]
    Ats,
    /// Learning management system.
    #[serde(rename = "LMS")]
    Lms,
    /// Assessment of candidates.
    #[serde(rename = "ASSESSMENT")]
    Assessment,
}

impl Category {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Category::Hris => "HRIS",
            Category::Ats => "ATS",
            Category::Lms => "LMS",
            Category::Assessment => "ASSESSMENT",
        }
    }
}

/// The form that the end customer fills in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The fields, in the order shown.
    #[serde(default)]
    pub fields: Vec<ConnectField>,
}

/// A step that the end customer does after signing in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupStep {
    /// Its name in addresses and in the list of steps that were done.
    pub id: String,
    /// What the customer reads above it.
    pub label: String,
    /// What is to be done in the tool, in Markdown.
    pub help: String,
    /// What the customer brings back from the tool.
    #[serde(default)]
    pub fields: Vec<ConnectField>,
    /// Whether the address at which this integration hears of changes is shown, to be entered in the tool.
    #[serde(default)]
    pub shows_webhook: bool,
    /// Whether records can be read before it was done.
    #[serde(default)]
    pub optional: bool,
}

/// One field of the connect form.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectField {
    /// Name in `$settings` or `$secrets`.
    pub name: String,
    /// What the customer reads.
    pub label: String,
    /// A sentence that helps to find the value.
    pub help: Option<String>,
    /// Whether the value is stored encrypted and shown nowhere.
    #[serde(default)]
    pub secret: bool,
    /// A regular expression that the whole value must match.
    pub pattern: Option<String>,
    /// What a value looks like.
    pub example: Option<String>,
    /// The values that may be chosen.
    #[serde(default)]
    pub options: Vec<String>,
    /// The value of a field that was left out.
    pub default: Option<String>,
    /// Whether the field may be left out.
    #[serde(default)]
    pub optional: bool,
    /// Whether the value has several lines, as a key in a text file has.
    #[serde(default)]
    pub multiline: bool,
    /// With which values of other fields an optional field must not be left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub required_when: IndexMap<String, String>,
}

/// How a tool is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Requests and answers over HTTP.
    #[default]
    Http,
    /// Files on an SFTP server.
    Sftp,
    /// Entries of a directory.
    Ldap,
}

/// What the vendor lets through.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Budgets; all of them are kept.
    #[serde(default)]
    pub requests: Vec<Window>,
    /// Requests in flight at once.
    #[serde(default = "four")]
    pub concurrency: usize,
    /// What the vendor's answers say about the budget.
    #[serde(default)]
    pub headers: LimitHeaders,
    /// How long one exchange may take, in seconds.
    #[serde(default = "sixty")]
    pub timeout_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
            concurrency: four(),
            headers: LimitHeaders::default(),
            timeout_seconds: sixty(),
        }
    }
}

fn four() -> usize {
    4
}

fn sixty() -> u64 {
    60
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The number of requests.
    pub count: u64,
    /// The length of the window, in seconds.
    pub per_seconds: u64,
}

/// Names of the headers that speak of the budget.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitHeaders {
    /// How many requests are left.
    pub remaining: Option<String>,
    /// When there will be more.
    pub reset: Option<String>,
    /// How `reset` is meant.
    #[serde(default)]
    pub reset_is: ResetIs,
    /// How long to wait: seconds or an HTTP date.
    #[serde(default = "retry_after")]
    pub retry_after: String,
}

impl Default for LimitHeaders {
    fn default() -> Self {
        Self {
            remaining: None,
            reset: None,
            reset_is: ResetIs::default(),
            retry_after: retry_after(),
        }
    }
}

fn retry_after() -> String {
    "Retry-After".to_owned()
}

/// How a reset header is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetIs {
    /// Seconds from now.
    #[default]
    Seconds,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// An HTTP date, or RFC 3339.
    Date,
}

/// What "do the credentials work?" asks for: exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSection {
    /// The first page of a stream.
    pub stream: Option<String>,
    /// A request of its own.
    pub request: Option<Request>,
    /// How the answer to it is read.
    #[serde(default)]
    pub response: Response,
}

/// One rule of how answers are judged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// When the rule holds.
    pub when: Expression,
    /// What to do.
    #[serde(rename = "do")]
    pub action: Option<RuleAction>,
    /// The code to fail with.
    #[schemars(with = "Option<String>")]
    pub code: Option<Code>,
    /// Finds the vendor's own words in the answer.
    pub message: Option<Expression>,
    /// What the reader of the error is to do.
    pub hint: Option<String>,
    /// Whether the request is repeated with backoff; by default the code decides.
    pub retry: Option<bool>,
}

/// What a rule does besides failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// Log in again once, and repeat the request.
    RefreshAuth,
    /// The answer means: there are no (more) records here.
    NoRecords,
}

/// What can be read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamSection {
    /// Whether a missing permission is an issue of the run instead of its failure.
    #[serde(default)]
    pub optional: bool,
    /// For which accounts the stream is read, by their settings; by default for all.
    pub when: Option<Expression>,
    /// The stream whose records are asked for one by one.
    pub each: Option<Each>,
    /// What is asked, over HTTP.
    pub request: Option<Request>,
    /// Which files are read, over SFTP.
    pub files: Option<FilesSection>,
    /// What is searched, over LDAP.
    pub search: Option<SearchSection>,
    /// How the records are found in the answer.
    #[serde(default)]
    pub response: Response,
    /// How the next page is found.
    pub paging: Option<Paging>,
    /// How answers of this stream are judged, before the connector's rules.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// What the tool is told to prepare before the request; its result is `$report`.
    pub report: Option<Report>,
    /// How the records that changed are asked for.
    pub delta: Option<Delta>,
    /// How one record is asked for; `$record.remote_id` is its id.
    pub one: Option<Aside>,
}

/// How a stream yields the records that changed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// What is asked in place of the stream's request. `$since` is the moment from which changes are
    /// wanted, in the wire form.
    pub request: Request,
    /// Yields when a record of the stream last changed, by the clock of the tool: then it does not matter
    /// how that clock differs from ours.
    pub mark: Option<Expression>,
    /// By how many minutes the reads overlap, because the clocks differ and the tool may show a change
    /// late.
    #[serde(default = "ten")]
    pub overlap_minutes: u32,
    /// Whether old records may be left out where somebody wants recent data only: applications, but not
    /// people.
    #[serde(default)]
    pub recent: bool,
}

fn ten() -> u32 {
    10
}

/// The parent of a stream of sub-requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// The parent stream.
    pub stream: String,
    /// Which of its records; by default all.
    pub when: Option<Expression>,
    /// Yields rows out of a parent record: then nothing more is asked.
    pub rows: Option<Expression>,
}

/// A stream that is read whole and held in memory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The stream.
    pub stream: String,
    /// Yields the key of a record.
    pub key: Expression,
    /// Whether a key has a list of records instead of the last one.
    #[serde(default)]
    pub many: bool,
}

/// Where the files are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SftpSection {
    /// Name or address of the server.
    pub host: Template,
    /// The port; 22 by default.
    pub port: Option<Template>,
    /// Who logs in.
    pub username: Template,
    /// Password; empty for none.
    pub password: Option<Template>,
    /// Private key as OpenSSH or PEM text; empty for none.
    pub private_key: Option<Template>,
    /// Fingerprint of the server's key, `SHA256:…`; empty for none.
    pub host_key: Option<Template>,
}

/// Which files are read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesSection {
    /// The directory; by default where the log-in lands.
    pub directory: Option<Template>,
    /// A regular expression on the file's name.
    pub pattern: Pattern,
    /// Which of the files that match.
    #[serde(default)]
    pub pick: Pick,
    /// Name of the sheet of a workbook; by default the first visible one.
    pub sheet: Option<Template>,
}

/// Which of several files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The one changed last.
    #[default]
    Newest,
    /// All, the one changed first before the others.
    All,
}

/// Where the directory is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LdapSection {
    /// `ldap://` or `ldaps://`.
    pub url: Template,
    /// Who binds; empty for an anonymous bind.
    pub bind_dn: Option<Template>,
    /// Password.
    pub password: Option<Template>,
    /// `true` turns an `ldap://` connection into an encrypted one before the password is sent.
    pub starttls: Option<Template>,
    /// Certificates (PEM) to trust besides those of the machine.
    pub ca_certificates: Option<Template>,
}

/// What is searched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchSection {
    /// Where the search starts.
    pub base: Template,
    /// How deep it goes.
    #[serde(default)]
    pub scope: SearchScope,
    /// The filter, RFC 4515.
    pub filter: Template,
    /// The attributes that are asked for; by default all user attributes.
    #[serde(default)]
    pub attributes: Vec<String>,
}

/// How deep a search goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchScope {
    /// The entry itself.
    Base,
    /// Its children.
    One,
    /// It and everything below.
    #[default]
    Subtree,
}

/// The JSON Schema of `connector.yaml`, for editors.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Manifest).to_value()
}

/// The JSON Schema of `actions/<action>.yaml`, for editors.
#[must_use]
pub fn action_schema() -> Value {
    schemars::schema_for!(ActionSection).to_value()
}

/// Reads a manifest whose expressions compile, without looking any further.
#[cfg(test)]
pub(crate) fn tests_only_tree(text: &str) -> Manifest {
    let root = located::parse(FILE, text).expect("YAML");
    root.read(FILE).expect("manifest")
}

#[cfg(test)]
mod tests;
