//! Filters: every rule by a story, every filter of every model at least as a statement that runs.

use cadre_model::ids::record_id;
use cadre_model::model::Filter;
use cadre_model::registry::{model, models};
use cadre_store::ListQuery;
use serde_json::json;

use crate::bed::{Bed, everything, on_both};

fn filter(model_id: &str, name: &str) -> &'static Filter {
    let model = model(model_id).expect("a known model");
    model.filters.iter().find(|filter| filter.name == name).expect("a known filter")
}

impl Bed {
    /// The remote ids that a filter leaves.
    async fn by(&self, model_id: &str, name: &str, values: &[&str]) -> Vec<String> {
        self.by_all(model_id, &[(name, values)]).await
    }

    async fn by_all(&self, model_id: &str, filters: &[(&str, &[&str])]) -> Vec<String> {
        let filters = filters
            .iter()
            .map(|(name, values)| {
                (filter(model_id, name), values.iter().map(|value| (*value).to_owned()).collect())
            })
            .collect();
        self.found(model_id, ListQuery { filters, ..everything() }).await
    }

    fn id(&self, model_id: &str, remote_id: &str) -> String {
        record_id(self.scope.id(), model_id, remote_id)
    }
}

#[tokio::test]
async fn by_values_of_their_own() {
    on_both(async |bed| {
        let employee = |id: &str, fields| bed.record("hris_employees", id, fields);
        bed.write(&[
            employee("1", json!({"employment_status": "ACTIVE", "work_email": "Ann@Example.com"})),
            employee(
                "2",
                json!({"employment_status": "INACTIVE", "work_email": "ÄRA@example.com"}),
            ),
            employee("3", json!({"employment_status": "PENDING"})),
            employee("4", json!({})),
        ])
        .await;
        let by = async |name: &str, values: &[&str]| bed.by("hris_employees", name, values).await;
        assert_eq!(by("employment_statuses", &["ACTIVE", "PENDING"]).await, ["1", "3"]);
        assert_eq!(by("employment_status", &["ACTIVE"]).await, ["1"]);
        assert!(by("employment_statuses", &["active"]).await.is_empty(), "case counts");
        assert_eq!(by("work_emails", &["ANN@example.COM", "nobody@example.com"]).await, ["1"]);
        assert_eq!(by("work_emails", &["ära@EXAMPLE.com"]).await, ["2"]);
        assert!(by("employment_statuses", &[]).await.is_empty(), "none of no values");
        assert!(by("custom_fields", &[r#"{"a": 1}"#]).await.is_empty());
        let both: &[(&str, &[&str])] = &[
            ("employment_statuses", &["ACTIVE", "INACTIVE"]),
            ("work_emails", &["ära@example.com"]),
        ];
        assert_eq!(bed.by_all("hris_employees", both).await, ["2"], "all filters hold");

        bed.write(&[
            bed.record(
                "ats_jobs",
                "1",
                json!({"post_url": "https://a", "name": "50%_Köchin \\ x"}),
            ),
            bed.record("ats_jobs", "2", json!({"post_url": "https://A", "name": "50 cooks"})),
        ])
        .await;
        assert_eq!(bed.by("ats_jobs", "post_url", &["https://a"]).await, ["1"]);
        for (part, expected) in [
            ("KÖCH", vec!["1"]),
            ("50", vec!["1", "2"]),
            ("0%", vec!["1"]),
            ("%", vec!["1"]),
            ("_", vec!["1"]),
            ("\\", vec!["1"]),
            ("x'--", vec![]),
            ("", vec!["1", "2"]),
        ] {
            assert_eq!(bed.by("ats_jobs", "name_contains", &[part]).await, expected, "{part:?}");
        }
        bed.write(&[
            bed.record(
                "ats_candidates",
                "1",
                json!({"first_name": "Ann",
                "email_addresses": [{"email_address": "a@x.de"}, {"email_address": "B@x.de"}]}),
            ),
            bed.record("ats_candidates", "2", json!({"first_name": "ANN"})),
        ])
        .await;
        assert_eq!(bed.by("ats_candidates", "email", &["b@X.de"]).await, ["1"], "any of a list");
        assert_eq!(bed.by("ats_candidates", "first_name", &["ann"]).await, ["1", "2"]);
    })
    .await;
}

#[tokio::test]
async fn by_time() {
    on_both(async |bed| {
        let sheet =
            |id: &str, at: &str| bed.record("hris_timesheets", id, json!({"started_at": at}));
        bed.write(&[
            sheet("1", "2026-01-31T08:00:00.000Z"),
            sheet("2", "2026-02-01T08:00:00.000Z"),
            bed.record("hris_timesheets", "3", json!({})),
        ])
        .await;
        let sheets = async |name: &str, at: &str| bed.by("hris_timesheets", name, &[at]).await;
        assert_eq!(sheets("started_after", "2026-01-31T07:59:59.999Z").await, ["1", "2"]);
        assert_eq!(sheets("started_after", "2026-01-31T08:00:00.000Z").await, ["2"], "strictly");
        assert_eq!(sheets("started_before", "2026-02-01T08:00:00.000Z").await, ["1"], "strictly");

        let absence = |id: &str, from: &str, to: &str| {
            bed.record("hris_absences", id, json!({"start_date": from, "end_date": to}))
        };
        let midnight = |day: &str| format!("{day}T00:00:00.000Z");
        bed.write(&[
            absence("1", "2026-01-01", "2026-01-05"),
            absence("2", "2026-01-05", "2026-01-09"),
        ])
        .await;
        let absences =
            async |name: &str, day: &str| bed.by("hris_absences", name, &[&midnight(day)]).await;
        assert_eq!(absences("date_from", "2026-01-05").await, ["1", "2"], "the same day counts");
        assert_eq!(absences("date_from", "2026-01-06").await, ["2"]);
        assert_eq!(absences("date_until", "2026-01-05").await, ["1", "2"], "the same day counts");
        assert_eq!(absences("date_until", "2026-01-04").await, ["1"]);
    })
    .await;
}

#[tokio::test]
async fn by_links() {
    on_both(async |bed| {
        bed.write(&[
            bed.linked(
                "hris_employees",
                "1",
                json!({"legal_entity_id": "acme"}),
                &[("groups", &["a", "b"])],
            ),
            bed.linked("hris_employees", "2", json!({}), &[("groups", &["b"])]),
            bed.record("hris_absences", "1", json!({"employee_id": "1"})),
            bed.record("hris_absences", "2", json!({"employee_id": "2"})),
            bed.record("hris_pay_runs", "r", json!({"legal_entity_id": "acme"})),
            bed.record("hris_payslips", "1", json!({"employee_id": "1", "pay_run_id": "r"})),
            bed.record("hris_payslips", "2", json!({"employee_id": "1"})),
            bed.record("ats_candidates", "1", json!({})),
            bed.record("ats_candidates", "2", json!({})),
            bed.record("ats_applications", "1", json!({"candidate_id": "1", "job_id": "x"})),
            bed.record("ats_applications", "2", json!({"candidate_id": "2", "job_id": "y"})),
            bed.record("ats_interviews", "1", json!({"application_id": "1"})),
            bed.record("ats_interviews", "2", json!({"application_id": "2"})),
        ])
        .await;
        let (a, b) = (bed.id("hris_teams", "a"), bed.id("hris_teams", "b"));
        assert_eq!(bed.by("hris_employees", "group_ids", &[&a]).await, ["1"]);
        assert_eq!(bed.by("hris_employees", "group_ids", &[&a, &b]).await, ["1", "2"], "each once");
        let acme = bed.id("hris_legal_entities", "acme");
        assert_eq!(bed.by("hris_employees", "legal_entity_ids", &[&acme]).await, ["1"]);
        let second = bed.id("hris_employees", "2");
        assert_eq!(bed.by("hris_absences", "employee_id", &[&second]).await, ["2"]);
        assert_eq!(
            bed.by("hris_payslips", "legal_entity_ids", &[&acme]).await,
            ["1"],
            "through its run"
        );
        assert_eq!(bed.by("ats_applications", "job_remote_ids", &["y", "z"]).await, ["2"]);
        let x = bed.id("ats_jobs", "x");
        assert_eq!(
            bed.by("ats_candidates", "job_ids", &[&x]).await,
            ["1"],
            "by what points at them"
        );
        assert_eq!(
            bed.by("ats_interviews", "job_ids", &[&x]).await,
            ["1"],
            "through the application"
        );

        // An application that is gone is no application.
        let sync = bed.sync().await;
        sync.page(
            "applications",
            &[bed.record("ats_applications", "2", json!({"candidate_id": "2", "job_id": "y"}))],
            None,
        )
        .await;
        assert_eq!(sync.delete_unseen("ats_applications").await, 1);
        sync.end().await;
        assert!(bed.by("ats_candidates", "job_ids", &[&x]).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn by_ids() {
    on_both(async |bed| {
        let records: Vec<_> =
            ["1", "2", "3"].map(|id| bed.record("hris_employees", id, json!({}))).into();
        bed.write(&records).await;
        let by = async |ids: Option<Vec<String>>, remote_ids: Option<Vec<&str>>| {
            let remote_ids = remote_ids.map(|ids| ids.into_iter().map(str::to_owned).collect());
            bed.found("hris_employees", ListQuery { ids, remote_ids, ..everything() }).await
        };
        assert_eq!(by(Some(vec![records[0].id.clone(), "x".into()]), None).await, ["1"]);
        assert_eq!(by(None, Some(vec!["2", "3", "3", "9"])).await, ["2", "3"]);
        assert_eq!(
            by(Some(vec![records[0].id.clone()]), Some(vec!["1", "2"])).await,
            ["1"],
            "both hold"
        );
        assert!(by(Some(vec![]), None).await.is_empty(), "none of no ids");
        assert!(by(None, Some(vec![])).await.is_empty(), "none of no remote ids");
        let teams = ListQuery { remote_ids: Some(vec!["1".into()]), ..everything() };
        assert!(bed.found("hris_teams", teams).await.is_empty(), "of another model");
    })
    .await;
}

#[tokio::test]
async fn every_filter_of_every_model_runs() {
    on_both(async |bed| {
        for def in models() {
            for filter in def.filters {
                for values in [
                    vec![],
                    vec!["x".to_owned()],
                    vec!["2026-01-01T00:00:00.000Z".into(), "'".into()],
                ] {
                    let filters = vec![(filter, values)];
                    let query = ListQuery {
                        filters,
                        updated_after_ms: Some(1),
                        after_id: Some("1".into()),
                        ..everything()
                    };
                    assert!(
                        bed.found(def.id, query).await.is_empty(),
                        "{}.{}",
                        def.id,
                        filter.name
                    );
                }
            }
        }
    })
    .await;
}

/// Few records are led to by an index, many are walked past by id: both find the same.
#[tokio::test]
async fn few_of_many_and_nearly_all() {
    on_both(async |bed| {
        let employee = |at: u32| {
            let status = if at == 700 { "PENDING" } else { "ACTIVE" };
            let mail = format!("p{at}@example.com");
            let fields = json!({"employment_status": status, "work_email": mail});
            bed.linked(
                "hris_employees",
                &at.to_string(),
                fields,
                &[("groups", &[if at == 9 { "small" } else { "large" }])],
            )
        };
        let all: Vec<_> = (0..1_100).map(employee).collect();
        let before = bed.tick();
        bed.write(&all).await;
        let moment = bed.tick();
        bed.write(&[bed.record("hris_employees", "late", json!({}))]).await;

        let by = async |name: &str, value: &str| bed.by("hris_employees", name, &[value]).await;
        assert_eq!(by("employment_statuses", "ACTIVE").await.len(), 250, "a full page");
        assert_eq!(by("employment_statuses", "PENDING").await, ["700"]);
        assert_eq!(by("work_emails", "P31@example.com").await, ["31"]);
        let both: &[(&str, &[&str])] =
            &[("employment_statuses", &["ACTIVE"]), ("work_emails", &["p31@example.com"])];
        assert_eq!(bed.by_all("hris_employees", both).await, ["31"], "the second one leads");
        let both: &[(&str, &[&str])] =
            &[("work_emails", &["p700@example.com"]), ("employment_statuses", &["ACTIVE"])];
        assert!(bed.by_all("hris_employees", both).await.is_empty(), "all filters hold");
        for (group, count) in [("small", 1), ("large", 250), ("none", 0)] {
            let id = bed.id("hris_teams", group);
            assert_eq!(by("group_ids", &id).await.len(), count, "{group}");
        }
        assert_eq!(bed.updated_after("hris_employees", before).await.len(), 250);
        assert_eq!(bed.updated_after("hris_employees", moment).await, ["late"]);
        assert!(bed.updated_after("hris_employees", bed.tick()).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_filter_follows_what_changed() {
    on_both(async |bed| {
        let employee = |id: &str, email: &str| {
            bed.record(
                "hris_employees",
                id,
                json!({"work_email": email, "employment_status": "ACTIVE"}),
            )
        };
        let by = async |email: &str| bed.by("hris_employees", "work_emails", &[email]).await;
        bed.write(&[employee("1", "ann@example.com"), employee("2", "bo@example.com")]).await;
        bed.write(&[employee("1", "ann.new@example.com"), employee("2", "bo@example.com")]).await;
        assert!(by("ann@example.com").await.is_empty(), "the old value leads nowhere");
        assert_eq!(by("ann.new@example.com").await, ["1"]);
        assert_eq!(by("bo@example.com").await, ["2"]);
        bed.write(&[bed.record("hris_employees", "1", json!({}))]).await;
        assert!(by("ann.new@example.com").await.is_empty());
        assert_eq!(bed.by("hris_employees", "employment_status", &["ACTIVE"]).await, ["2"]);
    })
    .await;
}
