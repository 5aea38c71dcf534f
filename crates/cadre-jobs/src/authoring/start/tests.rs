use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::cases;
use crate::catalog::{Entry, Folder};

const KINDS: [Kind; 3] = [Kind::Hris, Kind::Ats, Kind::Lms];
const AUTHS: [AuthKind; 6] = [
    AuthKind::Bearer,
    AuthKind::Header,
    AuthKind::Basic,
    AuthKind::Query,
    AuthKind::OAuth2,
    AuthKind::None,
];
const PAGINGS: [PagingKind; 6] = [
    PagingKind::None,
    PagingKind::PageNumber,
    PagingKind::Offset,
    PagingKind::Cursor,
    PagingKind::LinkHeader,
    PagingKind::NextUrl,
];

fn start(base_url: &str) -> Start {
    Start {
        tool: "acme-hr".to_owned(),
        label: "Acme: the \"HR\" # tool".to_owned(),
        kind: Kind::Hris,
        base_url: base_url.to_owned(),
        auth: AuthKind::Bearer,
        paging: PagingKind::None,
    }
}

fn write(folder: &Path, start: &Start) {
    for (path, text) in start.files().expect("a start") {
        let path = folder.join(&start.tool).join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
}

#[tokio::test]
async fn every_start_passes_its_check() {
    for kind in KINDS {
        for auth in AUTHS {
            for paging in PAGINGS {
                for base_url in ["https://{sub_domain}.acme.example/api/", "http://127.0.0.1:4100"]
                {
                    let temp = tempfile::tempdir().expect("a folder");
                    let start = Start { kind, auth, paging, ..start(base_url) };
                    write(temp.path(), &start);
                    let path = temp.path().join("acme-hr");
                    let folder = Folder::read(&path).expect("a folder");
                    let entry = Entry::load(&folder)
                        .unwrap_or_else(|problems| panic!("{start:?}: {problems:?}"));
                    assert_eq!(entry.connector.manifest().label, start.label);
                    let outcomes = cases::run_all(&path, Arc::new(entry)).await;
                    assert_eq!(outcomes.len(), 1, "{start:?}");
                    assert_eq!(outcomes[0].differences, Vec::<String>::new(), "{start:?}");
                }
            }
        }
    }
}

#[test]
fn what_cannot_be_a_name_or_an_address_is_told() {
    for tool in ["", "Acme", "acme hr", "../acme", "-acme", "äcme", "acme/hr"] {
        let start = Start { tool: tool.to_owned(), ..start("https://a.example") };
        assert_eq!(start.files(), Err(StartError::Slug(tool.to_owned())));
    }
    for (url, why) in [
        ("a.example/api", "relative URL"),
        ("ftp://a.example", "https://"),
        ("https://{}.a.example", "name of a setting"),
        ("https://{sub.a.example", "has no }"),
        ("https://a.example/x?y=1", "no ?"),
    ] {
        let error = start(url).files().expect_err(url).to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
}
