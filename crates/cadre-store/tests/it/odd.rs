//! Values that nobody hopes for.

use cadre_model::mapped::Issue;
use cadre_model::registry::model;
use cadre_store::ListQuery;
use serde_json::json;

use crate::bed::{everything, on_both};

const NUL: &str = "a\u{0}b";

fn query(model_id: &str, name: &str, value: &str) -> ListQuery {
    let model = model(model_id).expect("a known model");
    let filter = model.filters.iter().find(|filter| filter.name == name).expect("a known filter");
    ListQuery { filters: vec![(filter, vec![value.to_owned()])], ..everything() }
}

#[tokio::test]
async fn a_nul_character_is_kept_where_it_can_be() {
    on_both(async |bed| {
        let fields = json!({"work_email": NUL, "first_name": NUL, "manager_id": NUL, "employment_status": NUL});
        let employee = bed.linked("hris_employees", NUL, fields, &[("groups", &[NUL])]);
        let issue = Issue {
            model: "hris_employees".into(),
            remote_id: Some(NUL.into()),
            field: Some(NUL.into()),
            problem: "wrong_type".into(),
            expected: NUL.into(),
            got: NUL.into(),
        };
        let sync = bed.sync().await;
        let records = [employee, bed.record("hris_teams", NUL, json!({"name": NUL}))];
        sync.try_page("people", &records, &[issue], Some(&json!(NUL)), &sync.job).await.expect("stored");
        sync.end().await;
        let found = bed.list("hris_employees", everything()).await;
        assert_eq!((&found[0]["first_name"], &found[0]["remote_id"]), (&json!(NUL), &json!(NUL)));
        assert_eq!(found[0]["groups"][0]["name"], NUL);
        assert_eq!(bed.found("hris_employees", query("hris_employees", "work_emails", NUL)).await, [NUL]);
        assert_eq!(bed.found("hris_employees", query("hris_employees", "employment_statuses", NUL)).await, [NUL]);
        assert_eq!(bed.found("hris_teams", query("hris_teams", "name_contains", "\u{0}")).await, [NUL]);
        let by_remote_id = ListQuery { remote_ids: Some(vec![NUL.into()]), ..everything() };
        assert_eq!(bed.found("hris_employees", by_remote_id).await, [NUL]);
        let by_id = ListQuery { ids: Some(vec![NUL.into()]), after_id: Some(NUL.into()), ..everything() };
        assert!(bed.found("hris_employees", by_id).await.is_empty());
        let remote = query("ats_applications", "job_remote_ids", NUL);
        assert!(bed.found("ats_applications", remote).await.is_empty());
        let store = &bed.store;
        assert_eq!(store.issues_list(&bed.scope, 10).await.expect("a store").len(), 1);
        assert!(store.integration_scope(&bed.tenant, NUL).await.expect("a store").is_none());
        assert!(store.interaction_get(&bed.tenant, NUL).await.expect("a store").is_none());
        assert!(store.exchange_list(&bed.tenant, NUL).await.expect("a store").is_empty());
        assert!(store.run_get(&bed.scope, NUL).await.expect("a store").is_none());
        let inactive = cadre_store::IntegrationStatus::Inactive;
        store.integration_status_set(&bed.scope, inactive, Some(NUL)).await.expect("set");
    })
    .await;
}

#[tokio::test]
async fn a_megabyte_is_stored_and_found() {
    on_both(async |bed| {
        // No two pieces alike, so that the database cannot make it small.
        let long: String =
            (0..100_000_u32).map(|n| format!("{:08x}ä", n.wrapping_mul(2_654_435_761))).collect();
        assert!(long.len() > 900_000);
        let fields = json!({"first_name": long, "work_email": long, "manager_id": long});
        let record = bed.linked("hris_employees", &long, fields, &[("groups", &[&long])]);
        bed.write(&[record, bed.record("hris_employees", "2", json!({}))]).await;
        let by_remote_id = ListQuery { remote_ids: Some(vec![long.clone()]), ..everything() };
        let found = bed.list("hris_employees", by_remote_id).await;
        assert_eq!(found[0]["first_name"].as_str().map(str::len), Some(long.len()));
        assert_eq!(bed.all("hris_employees").await.len(), 2);
        let by_mail = query("hris_employees", "work_emails", &long);
        assert_eq!(bed.found("hris_employees", by_mail).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn very_many_links_fit_a_page() {
    on_both(async |bed| {
        // 40,000 different targets on one page: more than a statement takes values.
        let mut records = Vec::new();
        for employee in 0..100 {
            let groups: Vec<String> = (0..400).map(|group| format!("{employee}-{group}")).collect();
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            records.push(bed.linked(
                "hris_employees",
                &employee.to_string(),
                json!({}),
                &[("groups", &groups)],
            ));
        }
        records.push(bed.record("hris_teams", "99-399", json!({"name": "Last"})));
        bed.write(&records).await;
        let all = bed.all("hris_employees").await;
        assert_eq!(all.len(), 100);
        assert_eq!(all["99"]["groups"][0]["name"], "Last");
        assert_eq!(all["0"]["groups"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn texts_are_values_and_never_statements() {
    on_both(async |bed| {
        let evil = "'); DROP TABLE records; --";
        let fields = json!({"first_name": evil, "work_email": evil, "manager_id": evil});
        bed.write(&[bed.linked("hris_employees", evil, fields, &[("groups", &[evil])])]).await;
        let found = bed.list("hris_employees", query("hris_employees", "work_emails", evil)).await;
        assert_eq!(found[0]["remote_id"], evil);
        let after = ListQuery { after_id: Some(evil.into()), ..everything() };
        bed.list("hris_employees", after).await;
        assert_eq!(found[0]["manager"]["remote_id"], evil, "the record refers to itself");
    })
    .await;
}
