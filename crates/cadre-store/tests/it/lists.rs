//! Pages as they are served: paging, and what is joined in.

use cadre_model::ids::record_id;
use cadre_model::mapped::Link;
use cadre_store::ListQuery;
use serde_json::{Value, json};

use crate::bed::{Bed, everything, on_both, with_links};

fn link(remote_id: &str, attributes: Value) -> Link {
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    Link { remote_id: remote_id.into(), attributes }
}

#[tokio::test]
async fn one_at_a_time_is_everything_once() {
    on_both(async |bed| {
        let records: Vec<_> =
            (0..25).map(|id| bed.record("hris_teams", &id.to_string(), json!({}))).collect();
        bed.write(&records).await;
        for limit in [1, 2, 7, 24, 25, 250] {
            let (mut ids, mut after_id) = (Vec::new(), None);
            loop {
                let page = bed
                    .page("hris_teams", ListQuery { limit, after_id, ..ListQuery::default() })
                    .await;
                let body: Vec<Value> = serde_json::from_str(&page.body).expect("JSON");
                assert_eq!(body.len(), page.count);
                assert!(page.count <= limit as usize);
                assert_eq!(
                    body.last().map(|last| last["id"].as_str().expect("an id").to_owned()),
                    page.last_id
                );
                ids.extend(
                    body.iter().map(|record| record["id"].as_str().expect("an id").to_owned()),
                );
                after_id = page.last_id;
                if !page.more {
                    break;
                }
            }
            let mut expected: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
            let mut sorted = ids.clone();
            expected.sort();
            sorted.sort();
            assert_eq!(sorted, expected, "limit {limit}");
        }
        let nothing = bed.page("ats_jobs", everything()).await;
        assert_eq!(
            (nothing.body.as_str(), nothing.count, nothing.last_id, nothing.more),
            ("[]", 0, None, false)
        );
    })
    .await;
}

#[tokio::test]
async fn an_employee_with_everything() {
    on_both(async |bed| {
        let fields = json!({"first_name": "Ann \"A\" \u{1F600}", "manager_id": "m", "legal_entity_id": "gone",
            "work_location_id": "l"});
        bed.write(&[
            bed.linked("hris_employees", "1", fields, &[("groups", &["b", "missing", "a"])]),
            bed.record("hris_employees", "m", json!({"first_name": "Max", "work_email": "m@example.com"})),
            bed.record("hris_teams", "a", json!({"name": "A", "type": "TEAM"})),
            bed.record("hris_teams", "b", json!({"name": "B"})),
            bed.record("hris_locations", "l", json!({"name": "Köln", "address": {"city": "Köln"}})),
            bed.record("hris_employments", "e", json!({"employee_id": "1", "job_title": "Cook", "pay_rate": 12.5})),
            bed.record("hris_time_off_balances", "t", json!({"employee_id": "1", "type_id": "holiday", "balance": 3})),
        ])
        .await;
        let all = bed.all("hris_employees").await;
        let (ann, max) = (&all["1"], &all["m"]);
        assert_eq!(ann["first_name"], "Ann \"A\" \u{1F600}");
        assert_eq!(ann["manager"]["first_name"], "Max");
        assert_eq!(ann["manager"].as_object().expect("an object").len(), 9, "only what the view shows");
        assert_eq!(ann["manager_id"], max["id"]);
        assert_eq!(ann["groups"], ann["teams"], "the older name shows the same");
        let names: Vec<_> = ann["groups"].as_array().expect("a list").iter().map(|g| &g["name"]).collect();
        assert_eq!(names, ["B", "A"], "in the order of the links, without those that are not there");
        assert_eq!(ann["legal_entity"], Value::Null);
        assert_eq!(ann["work_location"]["address"]["city"], "Köln");
        assert_eq!(ann["employments"][0]["job_title"], "Cook");
        assert_eq!(ann["employments"][0]["pay_rate"], 12.5);
        assert_eq!(ann["employments"][0]["employee_id"], ann["id"]);
        assert_eq!(ann["employments"][0]["custom_fields"], json!({}));
        assert_eq!(ann["time_off_balances"].as_array().expect("a list").len(), 1);
        assert_eq!((&ann["custom_fields"], &ann["integration_fields"]), (&json!({}), &json!([])));
        assert_eq!((&ann["remote_data"], &ann["remote_deleted_at"]), (&Value::Null, &Value::Null));
        assert_eq!((&max["employments"], &max["groups"], &max["manager"]), (&json!([]), &json!([]), &Value::Null));
        let names: Vec<&str> = ann.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(&names[..2], ["id", "remote_id"]);
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), names.len(), "no field twice: {names:?}");
    })
    .await;
}

#[tokio::test]
async fn what_must_not_be_null_is_a_stub() {
    on_both(async |bed| {
        bed.write(&[
            bed.record(
                "hris_performance_reviews",
                "1",
                json!({"reviewee_id": "ann \"1\"", "reviewer_id": "max"}),
            ),
            bed.record(
                "hris_time_off_balances",
                "1",
                json!({"employee_id": "1", "type_id": "holiday"}),
            ),
        ])
        .await;
        let review = bed.all("hris_performance_reviews").await.remove("1").expect("the review");
        let id = record_id(bed.scope.id(), "hris_employees", "ann \"1\"");
        let reviewee = review["reviewee"].as_object().expect("a stub");
        assert_eq!((&reviewee["id"], &reviewee["remote_id"]), (&json!(id), &json!("ann \"1\"")));
        assert_eq!(reviewee["first_name"], Value::Null);
        assert_eq!(review["reviewer"], Value::Null, "this one may be null");
        let balance = bed.all("hris_time_off_balances").await.remove("1").expect("the balance");
        assert_eq!(balance["type"]["remote_id"], "holiday");
    })
    .await;
}

#[tokio::test]
async fn links_carry_values_of_their_own() {
    on_both(async |bed| {
        let job = with_links(
            &bed.scope,
            "ats_jobs",
            "1",
            json!({"name": "Cook"}),
            vec![
                ("stages", vec![link("s2", json!({"index": 1})), link("s1", json!({"index": 0}))]),
                (
                    "hiring_team",
                    vec![link("u", json!({"hiring_team_roles": ["RECRUITER"], "job_roles": []}))],
                ),
            ],
        );
        let expected = json!({"type": "NUMBER", "value": 3});
        let staffing = with_links(
            &bed.scope,
            "hris_staffing_entities",
            "1",
            json!({}),
            vec![(
                "skills",
                vec![link("k", json!({"expected_proficiency": null})), link("gone", json!({}))],
            )],
        );
        let user =
            bed.linked("ats_users", "u", json!({"first_name": "Uma"}), &[("system_roles", &["r"])]);
        bed.write(&[
            job,
            staffing,
            user,
            bed.record("ats_application_stages", "s1", json!({"name": "First"})),
            bed.record("ats_application_stages", "s2", json!({"name": "Second"})),
            bed.record("hris_skills", "k", json!({"name": "Cooking"})),
            bed.record("ats_roles", "r", json!({"remote_label": "Admin"})),
        ])
        .await;
        assert!(expected.is_object());
        let job = bed.all("ats_jobs").await.remove("1").expect("the job");
        let stages: Vec<_> = job["stages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|s| (&s["name"], &s["index"]))
            .collect();
        assert_eq!(stages, [(&json!("Second"), &json!(1)), (&json!("First"), &json!(0))]);
        assert_eq!(job["hiring_team"][0]["first_name"], "Uma");
        assert_eq!(job["hiring_team"][0]["hiring_team_roles"], json!(["RECRUITER"]));
        let staffing = bed.all("hris_staffing_entities").await.remove("1").expect("the entity");
        let skills = staffing["skills"].as_array().expect("a list");
        assert_eq!(skills.len(), 1);
        assert_eq!(skills[0]["skill_id"], skills[0]["skill"]["id"], "wrapped: {}", skills[0]);
        assert_eq!(skills[0]["skill"]["name"], "Cooking");
        assert_eq!(skills[0]["expected_proficiency"], Value::Null, "outside: {}", skills[0]);
        let user = bed.all("ats_users").await.remove("u").expect("the user");
        assert_eq!(user["system_roles"][0]["scope"], "SYSTEM", "a constant");
        assert_eq!(user["system_roles"][0]["remote_label"], "Admin");
    })
    .await;
}

#[tokio::test]
async fn relations_of_relations() {
    on_both(async |bed| {
        bed.write(&[
            bed.record("ats_jobs", "j", json!({"name": "Cook"})),
            bed.linked("ats_candidates", "c", json!({"first_name": "Cem"}), &[("tags", &["t"])]),
            bed.record("ats_tags", "t", json!({"name": "hot"})),
            bed.record("ats_application_stages", "s", json!({"name": "First"})),
            bed.record(
                "ats_applications",
                "a",
                json!({"candidate_id": "c", "job_id": "j", "current_stage_id": "s"}),
            ),
            bed.record("ats_applications", "b", json!({"candidate_id": "c"})),
            bed.record("ats_interviews", "i", json!({"application_id": "a"})),
            bed.record("ats_offers", "o", json!({"application_id": "a"})),
        ])
        .await;
        let candidate = bed.all("ats_candidates").await.remove("c").expect("the candidate");
        let applications = candidate["applications"].as_array().expect("a list");
        let of =
            |id: &str| applications.iter().find(|a| a["remote_id"] == id).expect("the application");
        assert_eq!(of("a")["job"]["name"], "Cook");
        assert_eq!(of("a")["current_stage"]["name"], "First");
        assert_eq!((&of("b")["job"], &of("b")["current_stage"]), (&Value::Null, &Value::Null));
        let application = bed.all("ats_applications").await.remove("a").expect("the application");
        assert_eq!(application["candidate"]["tags"][0]["name"], "hot");
        assert_eq!(application["interviews"].as_array().map(Vec::len), Some(1));
        let offer = bed.all("ats_offers").await.remove("o").expect("the offer");
        assert_eq!(offer["application"]["candidate"]["first_name"], "Cem");
        assert_eq!(offer["application"]["job"]["name"], "Cook");
    })
    .await;
}

#[tokio::test]
async fn deleted_records_are_left_out_of_lists() {
    on_both(async |bed| {
        let employee = |bed: &Bed| {
            bed.linked(
                "hris_employees",
                "1",
                json!({"legal_entity_id": "x"}),
                &[("groups", &["g"])],
            )
        };
        bed.write(&[
            employee(&bed),
            bed.record("hris_teams", "g", json!({"name": "G"})),
            bed.record("hris_employments", "e", json!({"employee_id": "1"})),
            bed.record("hris_legal_entities", "x", json!({"name": "X"})),
        ])
        .await;
        let sync = bed.sync().await;
        sync.page("people", &[employee(&bed)], None).await;
        for model in ["hris_teams", "hris_employments", "hris_legal_entities"] {
            assert_eq!(sync.delete_unseen(model).await, 1);
        }
        sync.end().await;
        let live = bed.all("hris_employees").await.remove("1").expect("the employee");
        assert_eq!((&live["groups"], &live["employments"]), (&json!([]), &json!([])));
        assert_eq!(live["legal_entity"]["name"], "X", "a field of the record still names it");
        let query = ListQuery { include_deleted: true, ..everything() };
        let whole = bed.list("hris_employees", query).await.remove(0);
        assert_eq!(whole["groups"][0]["name"], "G");
        assert!(whole["employments"][0]["remote_deleted_at"].is_string());
    })
    .await;
}

#[tokio::test]
async fn hidden_fields_and_relations_are_empty() {
    on_both(async |bed| {
        let employee = bed.linked(
            "hris_employees",
            "1",
            json!({"first_name": "Ann", "ssn": "1"}),
            &[("groups", &["g"])],
        );
        bed.write(&[employee, bed.record("hris_teams", "g", json!({"name": "G"}))]).await;
        let page = bed
            .page_without(
                "hris_employees",
                everything(),
                &["ssn", "groups", "manager", "employments"],
            )
            .await;
        let records: Vec<Value> = serde_json::from_str(&page.body).expect("JSON");
        let ann = &records[0];
        assert_eq!((&ann["first_name"], &ann["ssn"]), (&json!("Ann"), &Value::Null));
        assert_eq!(
            (&ann["groups"], &ann["employments"], &ann["manager"]),
            (&json!([]), &json!([]), &Value::Null)
        );
        assert_eq!(ann["teams"][0]["name"], "G", "the older name is switched off by its own name");
    })
    .await;
}
