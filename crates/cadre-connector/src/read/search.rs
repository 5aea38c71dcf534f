//! Entries of a directory, or recorded ones.

use std::sync::Arc;
use std::time::Duration;

use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use serde_json::Value;
use tokio::time::Instant;

use super::files::not_built;
use super::{Page, RawRecord, restart};
use crate::classify::Failure;
use crate::manifest::{SearchScope, SearchSection, Template};
use crate::page::Paging;
use crate::request::{BuildError, Built};
use crate::session::Inner;
use crate::transport::ldap::recorded;
use crate::transport::ldap::{Ldap, LdapAccount, LdapLimits, LdapPage, LdapPages, Scope, Search};

/// The entries that a search finds.
pub(super) struct Entries {
    inner: Arc<Inner>,
    pub(super) stream: usize,
    origin: Origin,
    address: String,
    number: u64,
}

enum Origin {
    Server(Box<LdapPages>),
    Recorded(Option<Vec<Value>>),
}

impl Entries {
    /// Binds, and starts the search.
    pub(super) async fn open(inner: Arc<Inner>, stream: usize) -> Result<Entries, Failure> {
        let section = &inner.connector.all()[stream].section;
        let Some(search) = &section.search else {
            return Err(Failure::new(
                Code::PlatformUnknownError,
                "internal",
                "The stream searches nothing.",
            ));
        };
        let size = match &section.paging {
            Some(Paging::SearchPages(pages)) => u32::try_from(pages.size).unwrap_or(u32::MAX),
            _ => 0,
        };
        let (account, search) =
            plan(&inner, search, size).map_err(|error| not_built(&inner, &error))?;
        let address =
            format!("{}/{}?{:?}?{}", account.url, search.base, search.scope, search.filter);
        let origin = match inner.io.http.recorded() {
            Some(recorded) => Origin::Recorded(Some(recorded::search(&recorded.entries, &search)?)),
            None => Origin::Server(Box::new(inner.bind(stream, &account).await?.search(search))),
        };
        Ok(Entries { inner: inner.clone(), stream, origin, address, number: 0 })
    }

    pub(super) async fn next(&mut self) -> Option<Result<Page, Failure>> {
        let page = match &mut self.origin {
            Origin::Recorded(entries) => {
                LdapPage { entries: entries.take()?, ..LdapPage::default() }
            }
            Origin::Server(pages) => {
                let start = Instant::now();
                let page = pages.next().await?.map_err(Failure::from);
                self.inner.report_other(
                    self.stream,
                    "SEARCH",
                    &self.address,
                    start,
                    page.as_ref().err(),
                );
                match page {
                    Ok(page) => page,
                    Err(failure) => return Some(Err(failure)),
                }
            }
        };
        self.number += 1;
        let stream = &self.inner.connector.all()[self.stream].name;
        let records = page.entries.into_iter().map(|value| RawRecord {
            stream: stream.clone(),
            value,
            parent: None,
        });
        Some(Ok(Page {
            number: self.number,
            records: records.collect(),
            next: page.more.then(restart),
            total: page.total,
            problems: Vec::new(),
            incomplete: Vec::new(),
        }))
    }
}

fn plan(inner: &Inner, section: &SearchSection, page_size: u32) -> Built<(LdapAccount, Search)> {
    let vars = inner.vars().with("$secrets", &inner.secrets);
    let Some(server) = &inner.connector.manifest().ldap else {
        return Err(BuildError("the manifest has no section `ldap`".to_owned()));
    };
    let text = |template: &Option<Template>| -> Built<String> {
        Ok(template.as_ref().map(|template| template.text(&vars)).transpose()?.unwrap_or_default())
    };
    let account = LdapAccount {
        url: server.url.text(&vars)?,
        bind_dn: text(&server.bind_dn)?,
        password: Secret::from(text(&server.password)?),
        starttls: text(&server.starttls)? == "true",
        ca_certificates: Some(text(&server.ca_certificates)?).filter(|text| !text.is_empty()),
    };
    let search = Search {
        base: section.base.text(&vars)?,
        scope: match section.scope {
            SearchScope::Base => Scope::Base,
            SearchScope::One => Scope::One,
            SearchScope::Subtree => Scope::Subtree,
        },
        filter: section.filter.text(&vars)?,
        attributes: section.attributes.clone(),
        page_size,
    };
    Ok((account, search))
}

impl Inner {
    async fn bind(&self, stream: usize, account: &LdapAccount) -> Result<Ldap, Failure> {
        let timeout = Duration::from_secs(self.connector.manifest().limits.timeout_seconds);
        let limits = LdapLimits {
            connect_timeout: timeout.min(Duration::from_secs(20)),
            request_timeout: timeout,
            allow_private: self.io.limits.allow_private,
        };
        self.repeated(async || {
            let start = Instant::now();
            let ldap = Ldap::connect(account, limits.clone()).await.map_err(Failure::from);
            self.report_other(stream, "BIND", &account.url, start, ldap.as_ref().err());
            ldap
        })
        .await
    }
}
