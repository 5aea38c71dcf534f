//! Searches in a directory.

use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use serde_json::Value;

use super::refusal::Refusal;

/// Where to bind, and as whom.
#[derive(Debug, Clone)]
pub struct LdapAccount {
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Name to bind with: a DN, or what else the server takes (Active Directory: `user@domain`).
    pub bind_dn: String,
    /// Password. It is never empty: with an empty one a server would let anybody in, as nobody.
    pub password: Secret,
    /// Whether an `ldap://` connection is turned into an encrypted one before the password is sent.
    pub starttls: bool,
    /// Certificates (PEM) to trust besides those of the machine.
    pub ca_certificates: Option<String>,
}

/// Limits of one connection.
#[derive(Debug, Clone)]
pub struct LdapLimits {
    /// Until the connection stands and the bind is through.
    pub connect_timeout: Duration,
    /// Until the next message of a search arrives.
    pub request_timeout: Duration,
    /// Whether hosts in private networks are allowed: the same setting as for HTTP.
    pub allow_private: bool,
}

/// How far below the base to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The base entry alone.
    Base,
    /// The entries right below it.
    One,
    /// The base entry and everything below it.
    #[default]
    Subtree,
}

/// What to look for.
#[derive(Debug, Clone)]
pub struct Search {
    /// DN to start from.
    pub base: String,
    /// How far to look.
    pub scope: Scope,
    /// Filter in the notation of RFC 4515.
    pub filter: String,
    /// Attributes to return; empty means all but the operational ones.
    pub attributes: Vec<String>,
    /// Entries per page; 0 asks without paging.
    pub page_size: u32,
}

/// One page of entries.
#[derive(Debug, Clone, Default)]
pub struct LdapPage {
    /// `{"dn": "…", "cn": ["…"], …}`, as the connector format has it.
    pub entries: Vec<Value>,
    /// How many entries there are altogether, where the server says so.
    pub total: Option<u64>,
    /// Whether there is a next page.
    pub more: bool,
    /// Addresses that the server referred to and that were not followed.
    pub referrals: Vec<String>,
}

/// A connection that is bound.
pub struct Ldap;

impl Ldap {
    /// Connects, encrypts where asked to, binds.
    pub async fn connect(account: &LdapAccount, limits: LdapLimits) -> Result<Ldap, Refusal> {
        let _ = (account, limits);
        Err(Refusal::new(Code::PlatformUnknownError, "not built yet", "LDAP is not built yet."))
    }

    /// Starts a search from its first page.
    ///
    /// A page can only be asked for on the connection that gave the page before it, so a search cannot
    /// be picked up later: whoever was interrupted starts from the first page again.
    #[must_use]
    pub fn search(self, search: Search) -> LdapPages {
        LdapPages { search }
    }
}

/// The pages of a search, one after the other.
pub struct LdapPages {
    search: Search,
}

impl LdapPages {
    /// The next page; `None` after the last one, and after a failure.
    pub async fn next(&mut self) -> Option<Result<LdapPage, Refusal>> {
        let _ = &self.search;
        None
    }
}
