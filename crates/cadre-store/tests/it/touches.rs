//! `updated_after`: which changes of what a record shows count.
//!
//! The table is the contract's (`x-updated-after-relations`), written down here once more so that a slip
//! in the declaration of a model is found.

use cadre_model::mapped::Record;
use cadre_model::model::{Join, ModelDef, Relation};
use cadre_model::registry::{model, models};
use cadre_model::shape::{Field, Kind};
use serde_json::{Map, Value, json};

use crate::bed::{Bed, on_both};

/// `(model, relation, a link that comes or goes counts, a change inside counts)`; `None`: there is one link,
/// and it is a field of the record.
const TABLE: &[(&str, &str, Option<bool>, bool)] = &[
    ("hris_employees", "employments", Some(true), true),
    ("hris_employees", "time_off_balances", Some(true), true),
    ("hris_employees", "manager", None, true),
    ("hris_employees", "groups", Some(true), false),
    ("hris_employees", "legal_entity", None, true),
    ("hris_employees", "work_location", None, true),
    ("hris_time_off_balances", "type", None, true),
    ("hris_absences", "type", None, true),
    ("hris_performance_reviews", "review_cycle", None, true),
    ("hris_performance_reviews", "reviewee", None, true),
    ("hris_performance_reviews", "reviewer", None, true),
    ("hris_staffing_entities", "locations", Some(true), true),
    ("hris_staffing_entities", "legal_entities", Some(true), true),
    ("hris_staffing_entities", "groups", Some(true), true),
    ("hris_staffing_entities", "skills", Some(true), true),
    ("hris_payslips", "employee", None, false),
    ("hris_payslips", "pay_run", None, false),
    ("hris_payslips", "line_items", Some(true), true),
    ("ats_applications", "candidate", None, true),
    ("ats_applications", "current_stage", None, false),
    ("ats_applications", "job", None, false),
    ("ats_applications", "interviews", Some(true), true),
    ("ats_applications", "offers", Some(true), true),
    ("ats_candidates", "applications", Some(true), true),
    ("ats_candidates", "tags", Some(true), false),
    ("ats_jobs", "stages", Some(true), false),
    ("ats_jobs", "screening_questions", Some(true), true),
    ("ats_jobs", "job_postings", Some(true), true),
    ("ats_jobs", "hiring_team", Some(true), false),
    ("ats_users", "system_roles", Some(true), true),
    ("ats_offers", "application", None, true),
    ("ats_interviews", "users", Some(true), false),
    ("ats_interviews", "application", None, true),
    ("ats_notes", "author", None, false),
    ("ats_scorecards", "author", None, false),
    // Of learning: from the descriptions of the parameter in the document of May 2026.
    ("lms_courses", "provider", None, false),
    ("lms_courses", "revisions", Some(true), true),
    ("lms_course_revisions", "course", None, false),
    ("lms_course_revisions", "skill_assignments", Some(false), false),
    ("lms_course_progressions", "user", None, false),
    ("lms_course_progressions", "course_revision", None, false),
];

/// One row of the table, with the declarations that it is about.
struct Row {
    parent: &'static ModelDef,
    relation: &'static Relation,
    target: &'static ModelDef,
    added_or_removed: Option<bool>,
    linked: bool,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.iter().map(|(parent, name, added_or_removed, linked)| {
        let parent = model(parent).expect("a known model");
        let relation = parent.relation(name).unwrap_or_else(|| panic!("{}.{name}", parent.id));
        let target = model(relation.target).expect("a known model");
        Row { parent, relation, target, added_or_removed: *added_or_removed, linked: *linked }
    })
}

impl Row {
    /// The record that shows, with its link or without.
    fn parent(&self, bed: &Bed, id: &str, links: bool) -> Record {
        match self.relation.join {
            Join::Field(field) if links => bed.record(self.parent.id, id, json!({field: "t"})),
            Join::Links { .. } if links => {
                bed.linked(self.parent.id, id, json!({}), &[(self.relation.name, &["t"])])
            }
            _ => bed.record(self.parent.id, id, json!({})),
        }
    }

    /// The record that is shown, with something in it that changes; `of` is who it points back at.
    fn target(&self, bed: &Bed, version: i64, of: &str) -> Record {
        let mut fields = varied(self.target, version);
        if let Join::Back(field) = self.relation.join {
            fields.insert(field.to_owned(), of.into());
        }
        bed.record(self.target.id, "t", Value::Object(fields))
    }
}

/// A value of the model that differs with `version`.
fn varied(def: &ModelDef, version: i64) -> Map<String, Value> {
    let value = |field: &Field| match field.kind {
        Kind::Text => Some(json!(format!("version {version}"))),
        Kind::Number | Kind::Integer => Some(json!(version)),
        Kind::Date => Some(json!(format!("2026-01-0{version}"))),
        Kind::Choice(choices) => {
            Some(json!(choices.values[version as usize % choices.values.len()]))
        }
        _ => None,
    };
    let (name, value) = def
        .shape
        .fields
        .iter()
        .find_map(|field| Some((field.name, value(field)?)))
        .unwrap_or_else(|| panic!("{} has nothing that could change", def.id));
    Map::from_iter([(name.to_owned(), value)])
}

#[test]
fn every_relation_is_in_the_table() {
    for parent in models() {
        for relation in parent.relations.iter().filter(|r| !matches!(r.join, Join::SameAs(_))) {
            let listed = TABLE.iter().any(|row| (row.0, row.1) == (parent.id, relation.name));
            assert!(listed, "{}.{}", parent.id, relation.name);
        }
    }
}

#[tokio::test]
async fn changes_inside() {
    on_both(async |bed| {
        for row in rows() {
            bed.write(&[
                row.target(&bed, 1, "p"),
                row.parent(&bed, "p", true),
                row.parent(&bed, "q", false),
            ])
            .await;
            let before = bed.all_of(row.parent).await;
            let moment = bed.tick();
            bed.write(&[row.target(&bed, 2, "p")]).await;
            let expected: &[&str] = if row.linked { &["p"] } else { &[] };
            let found = bed.updated_after_of(row.parent, moment).await;
            assert_eq!(found, expected, "{}.{}", row.parent.id, row.relation.name);
            if row.parent.id != row.target.id {
                assert_eq!(
                    before,
                    bed.all_of(row.parent).await,
                    "{}: changed_at stays",
                    row.relation.name
                );
            }
            bed.clear(&[row.parent, row.target]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn links_that_come_and_go() {
    on_both(async |bed| {
        for row in rows() {
            let Some(counts) = row.added_or_removed else { continue };
            if !counts && matches!(row.relation.join, Join::Links { .. }) {
                // A record whose own links differ is written anew, and counts: more than is asked of us.
                continue;
            }
            let name = format!("{}.{}", row.parent.id, row.relation.name);
            bed.write(&[
                row.target(&bed, 1, "p"),
                row.parent(&bed, "p", true),
                row.parent(&bed, "q", false),
            ])
            .await;
            let moment = bed.tick();
            // A link that points back moves by a change of the other record.
            let mut expected: Vec<&str> = Vec::new();
            if matches!(row.relation.join, Join::Back(_)) {
                bed.write(&[row.target(&bed, 1, "q")]).await;
                if counts {
                    expected = vec!["p", "q"];
                }
            } else {
                bed.write(&[row.parent(&bed, "p", false)]).await;
                if counts {
                    expected = vec!["p"];
                }
            }
            assert_eq!(bed.updated_after_of(row.parent, moment).await, expected, "{name}: moved");
            bed.clear(&[row.parent, row.target]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_linked_record_comes_after_the_link_and_goes_before_it() {
    on_both(async |bed| {
        for row in rows() {
            let counts = row.linked || row.added_or_removed == Some(true);
            let expected: &[&str] = if counts { &["p"] } else { &[] };
            let name = format!("{}.{}", row.parent.id, row.relation.name);
            bed.write(&[row.parent(&bed, "p", true), row.parent(&bed, "q", false)]).await;
            let moment = bed.tick();
            bed.write(&[row.target(&bed, 1, "p")]).await;
            assert_eq!(bed.updated_after_of(row.parent, moment).await, expected, "{name}: came");
            let moment = bed.tick();
            bed.delete(&[row.parent], row.target).await;
            assert_eq!(bed.updated_after_of(row.parent, moment).await, expected, "{name}: went");
            let moment = bed.tick();
            bed.write(&[row.target(&bed, 1, "p")]).await;
            assert_eq!(
                bed.updated_after_of(row.parent, moment).await,
                expected,
                "{name}: came back"
            );
            bed.clear(&[row.parent, row.target]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_nested_deeper_does_not_count() {
    on_both(async |bed| {
        let job = |name: &str| bed.record("ats_jobs", "j", json!({"name": name}));
        bed.write(&[
            job("a"),
            bed.record("ats_candidates", "c", json!({})),
            bed.record("ats_applications", "a", json!({"candidate_id": "c", "job_id": "j"})),
            bed.record("ats_offers", "o", json!({"application_id": "a"})),
        ])
        .await;
        let moment = bed.tick();
        bed.write(&[job("b")]).await;
        for model in ["ats_candidates", "ats_applications", "ats_offers"] {
            assert!(bed.updated_after(model, moment).await.is_empty(), "{model}");
        }
        assert_eq!(bed.all("ats_candidates").await["c"]["applications"][0]["job"]["name"], "b");
    })
    .await;
}

impl Bed {
    async fn all_of(&self, def: &ModelDef) -> Value {
        let times = |record: Value| json!([record["remote_id"], record["changed_at"]]);
        self.all(def.id).await.into_values().map(times).collect()
    }

    /// The parents that `updated_after` finds; a target of the same model is left out.
    async fn updated_after_of(&self, def: &ModelDef, moment: i64) -> Vec<String> {
        let mut found = self.updated_after(def.id, moment).await;
        found.retain(|id| id != "t");
        found
    }

    /// A complete pass that sees none of the targets, but the parents.
    async fn delete(&self, _parents: &[&ModelDef], target: &ModelDef) {
        let sync = self.sync().await;
        let still: Vec<String> = self.found(target.id, crate::bed::everything()).await;
        let seen: Vec<Record> = still
            .iter()
            .filter(|id| *id != "t")
            .map(|id| {
                self.record(
                    target.id,
                    id,
                    json!({"manager_id": if id == "p" { json!("t") } else { json!(null) }}),
                )
            })
            .collect();
        sync.page("stream", &seen, None).await;
        assert_eq!(sync.delete_unseen(target.id).await, 1, "{}", target.id);
        sync.end().await;
    }

    /// Takes every record of the models out of the database, for the next row of the table.
    async fn clear(&self, defs: &[&ModelDef]) {
        for def in defs {
            let keys = format!("(SELECT key_id FROM key_names WHERE model = '{}')", def.id);
            self.execute(&format!("DELETE FROM record_keys WHERE key_id IN {keys}")).await;
            for table in ["records", "record_refs"] {
                self.execute(&format!("DELETE FROM {table} WHERE model = '{}'", def.id)).await;
            }
        }
        self.tick();
    }
}
