//! Every list endpoint, against the contract.

use cadre_model::mapped::Mapped;
use cadre_model::registry::{model, models, older_paths};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::Value;

use crate::app::{TestApp, category, class, on_both};
use crate::contract::assert_valid;
use crate::sample::{Fill, record};

/// The paths of every list below `/v1`.
fn paths() -> Vec<&'static str> {
    let models = models().iter().filter_map(|model| model.path);
    models.chain(older_paths().iter().map(|(path, _)| *path)).collect()
}

/// Models that the connectors of the tests do not offer.
fn offered(app: &TestApp, path: &str) -> bool {
    let tool = format!("sandbox{}", category(path));
    let id = models().iter().find(|model| model.path == Some(path)).map(|model| model.id);
    let id = id.or_else(|| older_paths().iter().find(|(p, _)| *p == path).map(|(_, id)| *id));
    app.state.catalog.get(&tool).is_some_and(|entry| entry.covers(id.unwrap_or_default()))
}

#[tokio::test]
async fn an_empty_page_is_valid() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for path in paths() {
            let answer = app.list(&format!("/v1{path}")).await;
            if !offered(&app, path) {
                answer.refused(class(path), "INTEGRATION.MODEL_NOT_AVAILABLE", 400);
                continue;
            }
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_valid("get", path, &answer.json);
            assert_eq!(answer.json["data"]["results"], Value::Array(vec![]));
        }
    })
    .await;
}

fn everything(category: &str, fill: Fill) -> Vec<Mapped> {
    let own = models().iter().filter(|model| model.category.as_str() == category);
    own.flat_map(|model| [record(model, "1", fill), record(model, "2", fill)]).collect()
}

async fn filled(app: &TestApp, fill: Fill) {
    app.sync(&app.tenant.hris, &everything("HRIS", fill)).await;
    app.sync(&app.tenant.ats, &everything("ATS", fill)).await;
    app.sync(&app.tenant.lms, &everything("LMS", fill)).await;
}

#[tokio::test]
async fn full_and_bare_records_are_valid() {
    for fill in [Fill::Everything, Fill::Least] {
        on_both(WebSettings::default(), async |app: TestApp| {
            filled(&app, fill).await;
            for path in paths().into_iter().filter(|path| offered(&app, path)) {
                let answer = app.list(&format!("/v1{path}")).await;
                assert_valid("get", path, &answer.json);
                assert_eq!(answer.ids().len(), 2, "{path}: {}", answer.text);
            }
        })
        .await;
    }
}

#[tokio::test]
async fn references_to_nothing_are_valid() {
    on_both(WebSettings::default(), async |app: TestApp| {
        // Only the models that refer: what they refer to was not synced.
        for category in ["HRIS", "ATS", "LMS"] {
            let records = everything(category, Fill::Everything);
            let id = app.tenant.of_path(&format!("/{}", category.to_lowercase())).to_owned();
            for path in paths().into_iter().filter(|path| offered(&app, path)) {
                if !path.starts_with(&format!("/{}", category.to_lowercase())) {
                    continue;
                }
                let own: Vec<Mapped> =
                    records.iter().filter(|r| r.model.path == Some(path)).cloned().collect();
                app.sync(&id, &own).await;
                let answer = app.list(&format!("/v1{path}")).await;
                assert_valid("get", path, &answer.json);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn pages_of_one_bring_everything_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let employees = model("hris_employees").expect("a model");
        let records: Vec<Mapped> =
            (0..7).map(|n| record(employees, &n.to_string(), Fill::Least)).collect();
        app.sync(&app.tenant.hris, &records).await;
        for size in [1, 2, 7, 250] {
            let mut seen = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/v1/hris/employees?page_size={size}&cursor={cursor}");
                let page = app.hris(&path).await;
                assert!(page.ids().len() <= size);
                seen.extend(page.ids().iter().map(|id| (*id).to_owned()));
                match page.json["data"]["next"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(seen.len(), 7);
            assert!(seen.is_sorted(), "by id");
        }
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_bound_to_what_was_asked() {
    on_both(WebSettings::default(), async |app: TestApp| {
        filled(&app, Fill::Everything).await;
        let page = app.hris("/v1/hris/employees?page_size=1&include_deleted=true").await;
        let next = page.json["data"]["next"].as_str().expect("a second page").to_owned();
        let same = format!("/v1/hris/employees?cursor={next}&include_deleted=true&page_size=2");
        assert_eq!(app.hris(&same).await.ids().len(), 1);

        let other_filters = app.hris(&format!("/v1/hris/employees?cursor={next}")).await;
        let message = other_filters.refused("hris", "PLATFORM.INPUT_INVALID", 400).to_owned();
        assert!(message.contains("same filters"), "{message}");
        let other_list = format!("/v1/hris/groups?cursor={next}&include_deleted=true");
        app.hris(&other_list).await.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        let stranger = app.request("GET", &same).key(&app.other.key).integration(&app.other.hris);
        stranger.send().await.refused("hris", "PLATFORM.INPUT_INVALID", 400);
        let changed = format!("/v1/hris/employees?cursor=A{}", &next[1..]);
        app.hris(&changed).await.refused("hris", "PLATFORM.INPUT_INVALID", 400);
    })
    .await;
}

#[tokio::test]
async fn filters_narrow() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let employees = model("hris_employees").expect("a model");
        let mut records: Vec<Mapped> =
            ["1", "2", "3"].map(|id| record(employees, id, Fill::Least)).into();
        records[0].fields.set("work_email", "Ann@Example.com".into());
        records[1].fields.set("employment_status", "ACTIVE".into());
        app.sync(&app.tenant.hris, &records).await;
        let all = app.hris("/v1/hris/employees").await;
        let ids: Vec<String> = all.ids().iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(ids.len(), 3);
        for (query, count) in [
            ("work_emails=ann%40example.com%2Cbob%40example.com", 1),
            ("employment_statuses=ACTIVE", 1),
            ("employment_status=ACTIVE", 1),
            ("employment_statuses=ACTIVE&work_emails=ann%40example.com", 0),
            ("remote_ids=1%2C3", 2),
            ("ids=SOMEID", 1),
            ("updated_after=2030-01-01", 0),
            ("updated_after=2020-01-01T00:00:00Z", 3),
            ("custom_fields=%7B%22size%22%3A%22XL%22%7D", 0),
            ("custom_fields=%7B%22size%22%3A%22XL%22%7D&ignore_unsupported_filters=true", 3),
        ] {
            let query = query.replace("SOMEID", &ids[1]);
            let answer = app.hris(&format!("/v1/hris/employees?{query}")).await;
            assert_eq!(answer.ids().len(), count, "{query}: {}", answer.text);
        }
    })
    .await;
}

#[tokio::test]
async fn changes_are_found_by_their_time() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let employees = model("hris_employees").expect("a model");
        let records: Vec<Mapped> = ["1", "2"].map(|id| record(employees, id, Fill::Least)).into();
        app.sync(&app.tenant.hris, &records).await;
        app.clock.advance(SignedDuration::from_hours(1));
        let mut changed = record(employees, "2", Fill::Least);
        changed.fields.set("first_name", "Ann".into());
        app.sync(&app.tenant.hris, &[changed]).await;
        let answer = app.hris("/v1/hris/employees?updated_after=2026-03-01T12:30:00Z").await;
        assert_eq!(answer.ids().len(), 1);
        assert_eq!(answer.json["data"]["results"][0]["remote_id"], "2");
        assert_eq!(answer.json["data"]["results"][0]["changed_at"], "2026-03-01T13:00:00.000Z");
    })
    .await;
}
