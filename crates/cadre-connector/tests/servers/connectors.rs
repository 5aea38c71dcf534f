//! The connectors for files and directories, from their folder to raw records.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cadre_connector::{Connector, Failure, Io, NoObserver, ReadLimits, Session, Wire, WireOptions};
use cadre_model::fault::Code;
use cadre_model::time::SystemClock;
use serde_json::{Map, Value, json};

use crate::openldap::OpenLdap;
use crate::openssh::{OpenSsh, UserKey};

pub fn session(tool: &str, form: &Value) -> Session {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors").join(tool);
    let connector = Connector::load(&folder).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let form: &Map<String, Value> = form.as_object().expect("a form");
    let account = connector.manifest().accept(form).expect("a form that is filled in");
    let limits = ReadLimits { allow_private: true, rows_per_page: 2, ..ReadLimits::default() };
    let clock = Arc::new(SystemClock);
    let http = Arc::new(
        Wire::new(WireOptions { allow_private: true, ..WireOptions::default() }).expect("a client"),
    );
    Session::new(
        Arc::new(connector),
        account,
        Io { http, clock, observer: Arc::new(NoObserver), limits },
    )
}

/// How many records each page of a stream has.
pub async fn pages(session: &Session, stream: &str) -> Result<Vec<Vec<Value>>, Failure> {
    let mut reader = session.read(stream, None);
    let mut pages = Vec::new();
    while let Some(page) = reader.next().await {
        let page = page?;
        if let Some(problem) = page.problems.into_iter().next() {
            return Err(problem);
        }
        assert_eq!(page.number, pages.len() as u64 + 1);
        pages.push(page.records.into_iter().map(|record| record.value).collect());
    }
    Ok(pages)
}

#[tokio::test]
async fn files_come_page_by_page() {
    let server = OpenSsh::start();
    let rows = (1..=5).map(|id| format!("{id};Jürgen {id}\n")).collect::<String>();
    std::fs::write(server.files().join("employees.csv"), format!("Personalnummer;Vorname\n{rows}"))
        .expect("written");
    let session = session(
        "sftp",
        &json!({
            "host": "127.0.0.1", "port": server.port().to_string(), "username": server.user(),
            "private_key": server.private_key(UserKey::Ed25519),
        }),
    );
    session.check().await.expect("credentials work");
    assert_eq!(session.host_key(), Some(server.host_key()));
    let found = pages(&session, "employees").await.expect("read");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(found[2], [json!({"Personalnummer": "5", "Vorname": "Jürgen 5"})]);
    let failure = pages(&session, "absences").await.expect_err("no such file");
    assert_eq!(failure.fault.code, Code::RemoteInputInvalid, "{failure:?}");
}

#[tokio::test]
async fn a_directory_is_read_with_its_lookups() {
    let server = OpenLdap::start();
    let form = |name: &str| {
        json!({
            "url": server.tls_url(), "ca_certificates": server.certificate(), "bind_dn": name,
            "password": OpenLdap::PASSWORD, "base_dn": OpenLdap::BASE,
        })
    };
    let session_ = session("ldap", &form(OpenLdap::READER));
    session_.check().await.expect("credentials work");
    session_.lookups().await.expect("read");
    let people: Vec<Value> = pages(&session_, "people").await.expect("read").concat();
    assert_eq!(people.len(), 7);
    let names = &session_.lookup_values()["names"];
    assert_eq!(names.as_object().map(Map::len), Some(14));
    // Every manager is found, in whatever notation the directory gives the name.
    let managers: BTreeMap<&str, &str> = people
        .iter()
        .filter_map(|person| Some((person["dn"].as_str()?, person.get("manager")?[0].as_str()?)))
        .collect();
    assert_eq!(managers.len(), 5);
    for manager in managers.values() {
        assert!(
            names[manager.to_lowercase().replace(", ", ",")]["entryuuid"].is_array(),
            "{manager}"
        );
    }
    let forbidden = session("ldap", &form(OpenLdap::FORBIDDEN));
    assert_eq!(
        pages(&forbidden, "people").await.expect("but nobody").concat(),
        Vec::<Value>::new()
    );
    let capped = session("ldap", &form(OpenLdap::CAPPED));
    let failure = capped.check().await.expect_err("limited");
    assert_eq!(failure.fault.code, Code::RemoteInputInvalid, "{failure:?}");
}
