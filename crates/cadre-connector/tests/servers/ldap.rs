//! LDAP against OpenLDAP.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::time::Duration;

use cadre_connector::transport::ldap::{Ldap, LdapAccount, LdapLimits, LdapPage, Scope, Search};
use cadre_connector::transport::refusal::Refusal;
use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use serde_json::{Value, json};

use crate::openldap::OpenLdap;

const PEOPLE: &str = "(objectClass=inetOrgPerson)";

fn account(server: &OpenLdap, name: &str) -> LdapAccount {
    LdapAccount {
        url: server.url(),
        bind_dn: name.to_owned(),
        password: Secret::from(OpenLdap::PASSWORD),
        starttls: false,
        ca_certificates: None,
    }
}

fn limits() -> LdapLimits {
    LdapLimits { allow_private: true, ..LdapLimits::default() }
}

async fn connect(account: &LdapAccount) -> Result<Ldap, Refusal> {
    Ldap::connect(account, limits()).await
}

fn search(filter: &str, page_size: u32) -> Search {
    Search {
        base: OpenLdap::BASE.to_owned(),
        scope: Scope::Subtree,
        filter: filter.to_owned(),
        attributes: vec!["*".to_owned(), "entryUUID".to_owned()],
        page_size,
    }
}

async fn pages(server: &OpenLdap, name: &str, search: Search) -> Result<Vec<LdapPage>, Refusal> {
    let mut pages = connect(&account(server, name)).await?.search(search);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.push(page?);
    }
    Ok(all)
}

async fn entries(server: &OpenLdap, search: Search) -> Vec<Value> {
    let pages = pages(server, OpenLdap::READER, search).await.expect("entries");
    pages.into_iter().flat_map(|page| page.entries).collect()
}

async fn refused(server: &OpenLdap, name: &str, search: Search) -> Refusal {
    pages(server, name, search).await.expect_err("refused")
}

#[tokio::test]
async fn entries_have_the_shape_of_the_connector_format() {
    let server = OpenLdap::start();
    let found = entries(&server, search("(uid=bela)", 10)).await;
    let [entry] = found.as_slice() else { panic!("one entry: {found:?}") };
    assert_eq!(entry["dn"], json!("uid=bela,ou=People,dc=example,dc=org"));
    assert_eq!(entry["cn"], json!(["Béla Kovács"]));
    assert_eq!(entry["objectclass"], json!(["inetOrgPerson"]));
    assert_eq!(entry["manager"], json!(["uid=anna,ou=People,dc=example,dc=org"]));
    assert_eq!(entry["jpegphoto;base64"], json!(["/9j/4AAQSkZJRg=="]));
    assert_eq!(entry["entryuuid"][0].as_str().map(str::len), Some(36));
    assert!(entry.get("userpassword").is_none());
}

#[tokio::test]
async fn pages_come_one_after_the_other_and_lose_nobody() {
    let server = OpenLdap::start();
    let pages = pages(&server, OpenLdap::READER, search(PEOPLE, 3)).await.expect("pages");
    let sizes: Vec<_> = pages.iter().map(|page| (page.entries.len(), page.more)).collect();
    assert_eq!(sizes, [(3, true), (3, true), (1, false)]);
    let names: BTreeSet<_> = pages
        .iter()
        .flat_map(|page| &page.entries)
        .map(|entry| entry["dn"].clone().to_string())
        .collect();
    assert_eq!(names.len(), 7);
    assert_eq!(entries(&server, search(PEOPLE, 7)).await.len(), 7);
    assert_eq!(entries(&server, search(PEOPLE, 0)).await.len(), 7);
    assert_eq!(entries(&server, search("(uid=nobody)", 3)).await.len(), 0);
}

#[tokio::test]
async fn many_entries_come_in_many_pages() {
    let mut more = String::new();
    for number in 0..2_500 {
        write!(
            more,
            "\ndn: uid=u{number},ou=People,dc=example,dc=org\nobjectClass: inetOrgPerson\n\
             uid: u{number}\ncn: User {number}\nsn: {number}\n"
        )
        .expect("a text takes everything");
    }
    let server = OpenLdap::start_with(&more);
    let pages = pages(&server, OpenLdap::READER, search(PEOPLE, 500)).await.expect("pages");
    assert_eq!(pages.len(), 6);
    assert_eq!(pages.iter().map(|page| page.entries.len()).sum::<usize>(), 2_507);
}

#[tokio::test]
async fn scope_and_base_limit_the_search() {
    let server = OpenLdap::start();
    let people = "ou=People,dc=example,dc=org";
    for (scope, count) in [(Scope::Base, 1), (Scope::One, 6), (Scope::Subtree, 9)] {
        let search = Search { base: people.to_owned(), scope, ..search("(objectClass=*)", 2) };
        assert_eq!(entries(&server, search).await.len(), count, "{scope:?}");
    }
    let only = Search { attributes: vec!["mail".to_owned()], ..search("(uid=anna)", 0) };
    assert_eq!(
        entries(&server, only).await,
        [
            json!({"dn": "uid=anna,ou=People,dc=example,dc=org", "mail": ["anna.groess@example.org"]})
        ],
    );
}

#[tokio::test]
async fn who_may_not_log_in_is_told_so() {
    let server = OpenLdap::start();
    let wrong =
        LdapAccount { password: Secret::from("wrong"), ..account(&server, OpenLdap::READER) };
    let nobody = account(&server, "cn=nobody,dc=example,dc=org");
    let no_name = account(&server, "reader");
    for account in [wrong, nobody, no_name] {
        let refusal = connect(&account).await.err().expect("refused");
        assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid, "{refusal:?}");
        assert!(refusal.fault.message.contains(&account.bind_dn), "{refusal:?}");
    }
}

#[tokio::test]
async fn what_may_not_be_searched_is_a_missing_permission() {
    let server = OpenLdap::start();
    let below = Search { base: "ou=People,dc=example,dc=org".to_owned(), ..search(PEOPLE, 3) };
    let refusal = refused(&server, OpenLdap::FORBIDDEN, below).await;
    assert_eq!(refusal.fault.code, Code::IntegrationPermissionMissing, "{refusal:?}");
    assert_eq!(refusal.rule, "default: LDAP result 50");
}

#[tokio::test]
async fn a_base_that_is_not_there_is_named() {
    let server = OpenLdap::start();
    let nowhere = Search { base: "ou=Nowhere,dc=example,dc=org".to_owned(), ..search(PEOPLE, 3) };
    let refusal = refused(&server, OpenLdap::READER, nowhere).await;
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid, "{refusal:?}");
    assert!(refusal.fault.message.contains("ou=Nowhere,dc=example,dc=org"), "{refusal:?}");
    for (base, filter) in [("no dn", PEOPLE), ("dc=example,dc=org", "(objectClass=")] {
        let refusal = refused(
            &server,
            OpenLdap::READER,
            Search { base: base.to_owned(), ..search(filter, 3) },
        )
        .await;
        assert_eq!(refusal.fault.code, Code::RemoteInputInvalid, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_size_limit_is_passed_by_pages_and_told_otherwise() {
    let server = OpenLdap::start();
    let all = pages(&server, OpenLdap::LIMITED, search(PEOPLE, 3)).await.expect("pages");
    assert_eq!(all.iter().map(|page| page.entries.len()).sum::<usize>(), 7);
    let refusal = refused(&server, OpenLdap::LIMITED, search(PEOPLE, 0)).await;
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid, "{refusal:?}");
    assert!(refusal.fault.message.contains("without paging"), "{refusal:?}");
    let refusal = refused(&server, OpenLdap::CAPPED, search(PEOPLE, 2)).await;
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid, "{refusal:?}");
    assert!(refusal.fault.message.contains("pages of 2"), "{refusal:?}");
}

#[tokio::test]
async fn referrals_are_told_and_not_followed() {
    let more = "\ndn: ou=Abroad,dc=example,dc=org\nobjectClass: referral\nobjectClass: extensibleObject\n\
                ou: Abroad\nref: ldap://127.0.0.1:1/ou=Abroad,dc=example,dc=org\n";
    let server = OpenLdap::start_with(more);
    let all = pages(&server, OpenLdap::READER, search(PEOPLE, 0)).await.expect("pages");
    assert_eq!(all[0].entries.len(), 7);
    assert!(all[0].referrals[0].starts_with("ldap://127.0.0.1:1/"), "{:?}", all[0].referrals);
    let abroad = Search { base: "ou=Abroad,dc=example,dc=org".to_owned(), ..search(PEOPLE, 0) };
    let refusal = refused(&server, OpenLdap::READER, abroad).await;
    assert_eq!(refusal.fault.code, Code::RemoteInputInvalid);
    assert!(refusal.fault.message.contains("another server: ldap://127.0.0.1:1/"), "{refusal:?}");
}

#[tokio::test]
async fn encrypted_connections_check_the_certificate() {
    let server = OpenLdap::start();
    let trusted = Some(server.certificate());
    let tls = |url: String, starttls: bool, ca_certificates: Option<String>| LdapAccount {
        url,
        starttls,
        ca_certificates,
        ..account(&server, OpenLdap::READER)
    };
    for account in [
        tls(server.tls_url(), false, trusted.clone()),
        tls(server.starttls_url(), true, trusted.clone()),
    ] {
        let mut pages = connect(&account).await.expect("trusted").search(search("(uid=anna)", 5));
        assert_eq!(pages.next().await.expect("a page").expect("entries").entries.len(), 1);
    }
    let foreign = OpenLdap::start();
    let other_name = server.tls_url().replace("localhost", "127.0.0.1");
    for account in [
        tls(server.tls_url(), false, Some(foreign.certificate())),
        tls(server.starttls_url(), true, Some(foreign.certificate())),
        tls(other_name, false, trusted),
    ] {
        let refusal = connect(&account).await.err().expect("not trusted");
        assert_eq!(refusal.fault.code, Code::IntegrationAuthenticationInvalid, "{refusal:?}");
        assert!(refusal.fault.message.contains("certificate"), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let server = OpenLdap::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let silent = format!("ldap://{}", listener.local_addr().expect("bound"));
    let short = LdapLimits { connect_timeout: Duration::from_millis(300), ..limits() };
    let account = LdapAccount { url: silent.clone(), ..account(&server, OpenLdap::READER) };
    let refusal = Ldap::connect(&account, short).await.err().expect("too slow");
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    drop(listener);
    let refusal = connect(&account).await.err().expect("refused");
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    let guarded = LdapLimits { allow_private: false, ..limits() };
    let refusal = Ldap::connect(&account, guarded).await.err().expect("refused");
    assert_eq!(refusal.fault.code, Code::PlatformInputInvalid, "{refusal:?}");
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_is_unavailable() {
    let server = OpenLdap::start();
    let mut pages = connect(&account(&server, OpenLdap::READER))
        .await
        .expect("bound")
        .search(search(PEOPLE, 3));
    assert!(pages.next().await.expect("a page").is_ok());
    drop(server);
    let refusal = pages.next().await.expect("an answer").expect_err("gone");
    assert_eq!(refusal.fault.code, Code::RemoteServiceUnavailable, "{refusal:?}");
    assert!(pages.next().await.is_none());
}
