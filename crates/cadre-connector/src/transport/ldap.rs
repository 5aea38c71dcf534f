//! Searches in a directory.
//!
//! Only binding and searching are spoken, so nothing here can change a directory. Referrals are never
//! followed: they would carry the password to a server that nobody named. They are told instead.
//!
//! What the server's result codes mean is decided in [`results`].

mod entry;
pub mod recorded;
mod results;
mod tls;

use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use ldap3::controls::{Control, PagedResults};
use ldap3::{DerefAliases, LdapConnAsync, LdapConnSettings, LdapError, SearchOptions, StdStream};
use serde_json::Value;
use url::Url;

use super::dial::dial;
use super::refusal::Refusal;

/// More pages than this of one search are taken for a server that turns in circles.
const MAX_PAGES: u64 = 100_000;
/// Entries of one answer, beyond which it must be asked for in pages: they are in memory at once.
const MAX_ENTRIES: usize = 20_000;

/// Where to bind, and as whom.
#[derive(Debug, Clone)]
pub struct LdapAccount {
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Name to bind with: a DN, or what else the server takes (`user@domain`). Empty, together with an
    /// empty password: an anonymous bind.
    pub bind_dn: String,
    /// Password.
    pub password: Secret,
    /// Whether an `ldap://` connection is turned into an encrypted one before the password is sent.
    pub starttls: bool,
    /// Certificates (PEM) to trust in place of those that the machine trusts.
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

impl Default for LdapLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(60),
            allow_private: false,
        }
    }
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
    /// Entries per page (RFC 2696); 0 asks without paging.
    pub page_size: u32,
}

/// One page of entries.
#[derive(Debug, Clone, Default)]
pub struct LdapPage {
    /// `{"dn": "…", "cn": ["…"], …}`, as the connector format has it.
    pub entries: Vec<Value>,
    /// How many entries there are altogether, where the server says so; it may be an estimate.
    pub total: Option<u64>,
    /// Whether there is a next page.
    pub more: bool,
    /// Addresses that the server referred to. They were not followed, so what is there is missing.
    pub referrals: Vec<String>,
}

/// A connection that is bound. It ends when it is dropped.
pub struct Ldap {
    connection: ldap3::Ldap,
    limits: LdapLimits,
}

impl Ldap {
    /// Connects, encrypts where asked to, binds.
    ///
    /// # Errors
    ///
    /// As [`results`] says; besides `PLATFORM.INPUT_INVALID` for an address that is none, or a private
    /// one, and `INTEGRATION.AUTHENTICATION_INVALID` for a certificate that is not trusted.
    pub async fn connect(account: &LdapAccount, limits: LdapLimits) -> Result<Ldap, Refusal> {
        // RFC 4513 section 5.1.2: a server that gets a name without a password lets everybody in, as
        // nobody. What is read then is less than it seems.
        if account.password.is_empty() && !account.bind_dn.is_empty() {
            return Err(Refusal::new(
                Code::IntegrationAuthenticationInvalid,
                "LDAP empty password",
                "The password is empty.",
            )
            .hint("Give the password of the bind user."));
        }
        let timeout = limits.connect_timeout;
        tokio::time::timeout(timeout, open(account, limits))
            .await
            .map_err(|_| too_slow("the log-in", timeout))?
    }

    /// Starts a search from its first page.
    ///
    /// A page can only be asked for on the connection that gave the page before it, so a search cannot
    /// be picked up later: whoever was interrupted starts from the first page again.
    #[must_use]
    pub fn search(self, search: Search) -> LdapPages {
        LdapPages { ldap: self, search, cookie: Vec::new(), pages: 0, ended: false }
    }
}

async fn open(account: &LdapAccount, limits: LdapLimits) -> Result<Ldap, Refusal> {
    let address = Address::parse(&account.url)?;
    let stream =
        dial(&address.host, address.port, limits.allow_private, limits.connect_timeout).await?;
    let stream = stream.into_std().map_err(|error| results::broken("connecting", &error.into()))?;
    let mut settings = LdapConnSettings::new().set_std_stream(StdStream::Tcp(stream));
    if address.encrypted || account.starttls {
        settings = settings
            .set_starttls(account.starttls && !address.encrypted)
            .set_config(tls::config(account.ca_certificates.as_deref())?);
    }
    let (driver, mut connection) = LdapConnAsync::from_url_with_settings(settings, &address.url)
        .await
        .map_err(|error| results::broken("setting up the connection", &error))?;
    // The driver ends with the last handle of the connection; a failure reaches whoever waits for an answer.
    tokio::spawn(async move {
        if let Err(error) = driver.drive().await {
            tracing::debug!(%error, "LDAP connection ended");
        }
    });
    let answer = connection
        .simple_bind(&account.bind_dn, account.password.expose())
        .await
        .map_err(|error| results::broken("logging in", &error))?;
    if answer.rc != 0 {
        return Err(results::of_bind(&account.bind_dn, &answer));
    }
    Ok(Ldap { connection, limits })
}

/// A server's URL, taken apart.
struct Address {
    url: Url,
    host: String,
    port: u16,
    encrypted: bool,
}

impl Address {
    fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = || {
            Refusal::new(
                Code::PlatformInputInvalid,
                "LDAP address",
                format!("\"{text}\" is not the address of a directory."),
            )
            .hint(
                "It looks like ldaps://directory.example.com or ldap://directory.example.com:389.",
            )
        };
        let url = Url::parse(text.trim()).map_err(|_| refused())?;
        let encrypted = match url.scheme() {
            "ldap" => false,
            "ldaps" => true,
            _ => return Err(refused()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(refused)?.to_owned();
        let port = url.port().unwrap_or(if encrypted { 636 } else { 389 });
        Ok(Self { url, host, port, encrypted })
    }
}

/// The pages of a search, one after the other.
pub struct LdapPages {
    ldap: Ldap,
    search: Search,
    cookie: Vec<u8>,
    pages: u64,
    ended: bool,
}

impl LdapPages {
    /// The next page; `None` after the last one, and after a failure. There is always a first one.
    pub async fn next(&mut self) -> Option<Result<LdapPage, Refusal>> {
        if self.ended {
            return None;
        }
        let page = self.page().await;
        self.ended = !matches!(&page, Ok(page) if page.more);
        Some(page)
    }

    async fn page(&mut self) -> Result<LdapPage, Refusal> {
        let search = &self.search;
        self.pages += 1;
        if self.pages > MAX_PAGES {
            return Err(Refusal::new(
                Code::RemoteUnknownHttpError,
                "LDAP pages",
                format!("The server gave more than {MAX_PAGES} pages and did not come to an end."),
            ));
        }
        let connection = &mut self.ldap.connection;
        if search.page_size > 0 {
            let size = i32::try_from(search.page_size).unwrap_or(i32::MAX);
            connection
                .with_controls(PagedResults { size, cookie: std::mem::take(&mut self.cookie) });
        }
        connection
            .with_timeout(self.ldap.limits.request_timeout)
            .with_search_options(SearchOptions::new().deref(DerefAliases::Never));
        let scope = match search.scope {
            Scope::Base => ldap3::Scope::Base,
            Scope::One => ldap3::Scope::OneLevel,
            Scope::Subtree => ldap3::Scope::Subtree,
        };
        let failed = |error| failure(&error, search, self.ldap.limits.request_timeout);
        let attributes = search.attributes.clone();
        let mut answers = connection
            .streaming_search(&search.base, scope, &search.filter, attributes)
            .await
            .map_err(failed)?;
        let mut page = LdapPage::default();
        while let Some(answer) = answers.next().await.map_err(failed)? {
            if answer.is_ref() {
                page.referrals.extend(entry::addresses(answer.0));
            } else if !answer.is_intermediate() {
                page.entries.push(entry::value(answer.0).ok_or_else(malformed)?);
            }
            if page.entries.len() > MAX_ENTRIES {
                return Err(too_many(search));
            }
        }
        let result = answers.finish().await;
        if result.rc != 0 {
            return Err(results::of_search(search, &result));
        }
        if let Some((total, cookie)) = paging(&result.ctrls)? {
            page.total = (total > 0).then_some(total);
            page.more = !cookie.is_empty();
            self.cookie = cookie;
        }
        Ok(page)
    }
}

/// Total and cookie of an answer; `None` from a server that does not know paging and gave everything.
fn paging(controls: &[Control]) -> Result<Option<(u64, Vec<u8>)>, Refusal> {
    const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
    let Some(Control(_, control)) =
        controls.iter().find(|control| control.1.ctype == PAGED_RESULTS)
    else {
        return Ok(None);
    };
    // Not with the library's own parser: it panics on what is malformed.
    let value = control.val.as_deref().and_then(entry::paging).ok_or_else(malformed)?;
    Ok(Some(value))
}

fn failure(error: &LdapError, search: &Search, timeout: Duration) -> Refusal {
    match error {
        LdapError::FilterParsing => bad_filter(search),
        LdapError::Timeout { .. } => too_slow("the search", timeout),
        other => results::broken("searching", other),
    }
}

fn bad_filter(search: &Search) -> Refusal {
    Refusal::new(
        Code::RemoteInputInvalid,
        "LDAP filter",
        format!("The filter {} is not a valid one.", search.filter),
    )
    .hint("A filter looks like (objectClass=inetOrgPerson); mind the parentheses.")
}

fn malformed() -> Refusal {
    Refusal::new(
        Code::RemoteUnknownHttpError,
        "LDAP malformed answer",
        "The server sent an answer that is not LDAP.",
    )
}

fn too_many(search: &Search) -> Refusal {
    let asked = match search.page_size {
        0 => "without paging".to_owned(),
        size => format!("for pages of {size}"),
    };
    Refusal::new(
        Code::RemoteInputInvalid,
        "LDAP too many entries",
        format!(
            "The server gave more than {MAX_ENTRIES} entries at once, though it was asked {asked}."
        ),
    )
    .hint("Narrow the search with base or filter.")
}

fn too_slow(what: &str, timeout: Duration) -> Refusal {
    Refusal::new(
        Code::RemoteServiceUnavailable,
        "LDAP time is over",
        format!("The server did not go on with {what} within {} s.", timeout.as_secs_f32()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_port() {
        let parsed = |text: &str| {
            let address = Address::parse(text).map_err(|refusal| refusal.fault.code)?;
            Ok::<_, Code>((address.host, address.port, address.encrypted))
        };
        assert_eq!(parsed("ldap://a.example"), Ok(("a.example".to_owned(), 389, false)));
        assert_eq!(parsed(" ldaps://a.example/ "), Ok(("a.example".to_owned(), 636, true)));
        assert_eq!(parsed("ldaps://10.0.0.1:3269"), Ok(("10.0.0.1".to_owned(), 3269, true)));
        for text in
            ["a.example", "a.example:389", "https://a.example", "ldap://", "ldapi:///run/x", ""]
        {
            assert_eq!(parsed(text), Err(Code::PlatformInputInvalid), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_without_password_is_refused_before_anything_is_sent() {
        let account = LdapAccount {
            url: "ldap://127.0.0.1:1".to_owned(),
            bind_dn: "cn=reader".to_owned(),
            password: Secret::default(),
            starttls: false,
            ca_certificates: None,
        };
        let refusal = Ldap::connect(&account, LdapLimits::default()).await.err().expect("refused");
        assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid);
    }
}
