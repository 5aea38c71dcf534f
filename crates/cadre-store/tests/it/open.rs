//! Opening a database, and the tables in it.

use std::collections::BTreeSet;

use cadre_store::{Backend, MasterKey, Store};
use sqlx::{Connection, Row};

use crate::bed::{clock, on_both, options, sqlite_url};
use crate::postgres::Postgres;

/// `(table, column, may be null)`.
type Columns = BTreeSet<(String, String, bool)>;

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tables.db");
    let store = Store::open(&sqlite_url(path.clone()), options(clock(), MasterKey::random()))
        .await
        .expect("a store");
    let of_sqlite = sqlite_columns(&path).await;
    assert!(of_sqlite.contains(&("records".into(), "body".into(), false)), "{of_sqlite:?}");
    store.close().await;
    let Some(server) = Postgres::start() else { return };
    let database = server.database().await;
    let store =
        Store::open(database.url(), options(clock(), MasterKey::random())).await.expect("a store");
    let of_postgres = postgres_columns(database.url()).await;
    store.close().await;
    database.remove().await;
    let differences: Vec<_> = of_sqlite.symmetric_difference(&of_postgres).collect();
    assert!(differences.is_empty(), "only one of the databases has: {differences:?}");
}

async fn sqlite_columns(path: &std::path::Path) -> Columns {
    let url = format!("sqlite:{}", path.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("the database");
    let sql = "SELECT t.name, c.name, c.\"notnull\" FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the columns");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get::<i64, _>(2) == 0)).collect()
}

async fn postgres_columns(url: &str) -> Columns {
    let mut connection = sqlx::PgConnection::connect(url).await.expect("the database");
    let sql = "SELECT table_name::text, column_name::text, is_nullable::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the columns");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get::<String, _>(2) == "YES")).collect()
}

#[tokio::test]
async fn a_database_is_opened_again_and_by_several_at_once() {
    on_both(async |bed| {
        let opened = (0..4).map(|_| {
            let (url, options) = (bed.url.clone(), options(bed.clock.clone(), bed.key.clone()));
            tokio::spawn(async move { Store::open(&url, options).await })
        });
        for store in opened.collect::<Vec<_>>() {
            let store = store.await.expect("no panic").expect("a store");
            store.ping().await.expect("an answer");
            assert_eq!(store.environments().await.expect("a store").len(), 2);
            store.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_database_is_opened_by_several_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut urls = vec![sqlite_url(folder.path().join("new.db"))];
    let database = match Postgres::start() {
        Some(server) => Some(server.database().await),
        None => None,
    };
    urls.extend(database.as_ref().map(|database| database.url().to_owned()));
    for url in urls {
        let opened = (0..4).map(|_| {
            let (url, options) = (url.clone(), options(clock(), MasterKey::random()));
            tokio::spawn(async move { Store::open(&url, options).await })
        });
        for store in opened.collect::<Vec<_>>() {
            store.await.expect("no panic").expect("a store").close().await;
        }
    }
    if let Some(database) = database {
        database.remove().await;
    }
}

#[tokio::test]
async fn a_path_may_hold_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["with space.db", "größe #1.db", "100%.db", "%41.db"] {
        let path = folder.path().join(name);
        let store =
            Store::open(&sqlite_url(path.clone()), options(clock(), MasterKey::random())).await;
        let store = store.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(store.backend(), Backend::Sqlite);
        store.ping().await.expect("an answer");
        store.close().await;
        assert!(
            path.exists(),
            "{name}: {:?}",
            std::fs::read_dir(folder.path()).expect("a folder").flatten()
        );
    }
}

#[tokio::test]
async fn what_is_no_database_is_named_without_its_password() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("text.db"), "this is no database, only a text. ".repeat(40))
        .expect("a file");
    let cases = [
        ("mysql://root:hunter2@db/cadre".to_owned(), "sqlite:<path>"),
        ("cadre.db".to_owned(), "sqlite:<path>"),
        (String::new(), "sqlite:<path>"),
        ("sqlite::memory:".to_owned(), "sqlite:<path>"),
        ("sqlite:".to_owned(), "sqlite:<path>"),
        ("postgres://root:hunter2@127.0.0.1:1/cadre".to_owned(), "cannot be opened"),
        ("postgres://root:hunter2@not a host/cadre".to_owned(), ""),
        (sqlite_url(folder.path().join("no/such/folder/a.db")), "cannot be opened"),
        (sqlite_url(folder.path().join("text.db")), ""),
    ];
    for (url, expected) in cases {
        let error = match Store::open(&url, options(clock(), MasterKey::random())).await {
            Ok(_) => panic!("{url} was opened"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(expected), "{url}: {error}");
        assert!(!error.contains("hunter2"), "{url}: {error}");
    }
}
