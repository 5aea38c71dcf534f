//! Tools for learning.

use serde_json::{Value, json};

use crate::bench::{Bench, Tool, on_both};
use crate::compare::same;

const MOODLE: Tool = Tool {
    name: "moodle",
    twin: "moodle",
    hosts: &[r"\($settings.url)"],
    form: &[("url", "https://learn.example.org")],
};

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The row of a list with this number.
fn of<'a>(rows: &'a [Value], id: &Value) -> &'a Value {
    rows.iter().find(|row| row["id"] == *id).unwrap_or(&Value::Null)
}

/// Users by their address, courses by their title, and who takes what.
async fn learning(bench: &Bench) {
    let (people, courses) = (bench.company("people").await, bench.company("courses").await);
    let truth = people.iter().map(|row| {
        let status = if row["status"] == "left" { "INACTIVE" } else { "ACTIVE" };
        let shown = json!({"first_name": row["first"], "last_name": row["last"], "status": status});
        (text(&row["email"]), shown)
    });
    let stored = bench.list("/v1/lms/users").await.into_iter().map(|row| {
        let names = ["first_name", "last_name", "status"];
        let shown = names.map(|name| (name.to_owned(), row[name].clone()));
        (text(&row["work_email"]), Value::Object(shown.into_iter().collect()))
    });
    same("users", &stored.collect(), &truth.collect());

    let truth = courses.iter().map(|row| (row["id"].to_string(), Value::Null)).collect();
    let stored = bench.list("/v1/lms/courses").await.into_iter();
    same("courses", &stored.map(|row| (text(&row["remote_id"]), Value::Null)).collect(), &truth);

    let truth = bench.company("enrolments").await.into_iter().map(|row| {
        let status = match row["progress"].as_u64() {
            Some(100) => "COMPLETED",
            Some(0) => "ENROLLED",
            _ => "IN_PROGRESS",
        };
        let person = text(&of(&people, &row["person"])["email"]);
        let course = text(&of(&courses, &row["course"])["name"]);
        (format!("{person} takes {course}"), Value::from(status))
    });
    let stored = bench.list("/v1/lms/course-progressions").await.into_iter().map(|row| {
        let person = text(&row["user"]["work_email"]);
        let course = text(&row["course_revision"]["title"]);
        (format!("{person} takes {course}"), row["status"].clone())
    });
    same("progressions", &stored.collect(), &truth.collect());
}

/// One of those who take a course finishes it, one has not begun, and somebody gets another name.
#[tokio::test]
async fn moodle() {
    on_both(MOODLE, async |bench: Bench| {
        learning(&bench).await;
        let enrolments = bench.company("enrolments").await;
        let begun = enrolments.iter().find(|row| row["progress"] == 50).expect("somebody");
        bench
            .change(json!([
                {"op": "rename"},
                {"op": "set", "list": "enrolments", "id": begun["id"],
                 "patch": {"progress": 100, "completed_at": "2026-02-27T10:00:00Z"}},
            ]))
            .await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        learning(&bench).await;
    })
    .await;
}
