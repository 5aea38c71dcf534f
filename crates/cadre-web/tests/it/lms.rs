//! Learning: what callers read of courses and have a tool do, with a sandbox behind.

use cadre_web::WebSettings;
use serde_json::{Value, json};

use crate::actions::Tools;
use crate::app::{TestApp, on_both};
use crate::contract::assert_valid;

const PROGRESSIONS: &str = "/v1/lms/course-progressions";

#[tokio::test]
async fn lists_show_what_the_tool_has() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let courses = tools.list(&app, "/v1/lms/courses").await;
        assert_eq!(courses.len(), 8);
        // The first course has been revised once; its revisions teach first aid.
        let first = courses.iter().find(|one| one["remote_id"] == "crs-001").expect("a course");
        assert_eq!(first["provider"]["name"], "Sandbox Academy");
        let revisions = first["revisions"].as_array().expect("revisions");
        assert_eq!(revisions.len(), 2);
        for revision in revisions {
            assert_eq!(revision["skill_assignments"][0]["skill"]["name"], "First aid");
            assert_eq!(revision["course_id"], first["id"]);
        }
        for path in ["users", "courses", "course-progressions", "skills"] {
            let list = format!("/lms/{path}");
            let call = app.request("GET", &format!("/v1{list}")).key(&app.tenant.key);
            assert_valid("get", &list, &call.integration(&tools.lms).send().await.json);
        }
        let all = tools.list(&app, PROGRESSIONS).await;
        let one = all.first().expect("somebody learns");
        let (user, course) = (&one["user"]["id"], &one["course_revision"]["course"]["id"]);
        let of_both = |course: &Value, user: &Value| {
            let text = |id: &Value| id.as_str().expect("an id").to_owned();
            format!("{PROGRESSIONS}?course_ids={}&user_ids={}", text(course), text(user))
        };
        let found = tools.list(&app, &of_both(course, user)).await;
        assert!(found.iter().any(|found| found["id"] == one["id"]));
        assert!(found.iter().all(|found| found["user"]["id"] == *user));
        assert!(tools.list(&app, &of_both(user, user)).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn somebody_enrols_and_completes() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let before = tools.count(&app, "lms", "enrolments").await;
        let users = tools.list(&app, "/v1/lms/users").await;
        let made =
            tools.ask(&app, ("POST", "/v1/lms/courses"), "", &json!({ "title": "Knots" })).await;
        assert_valid("post", "/lms/courses", &made.json);
        let courses =
            format!("/v1/lms/courses?ids={}", made.json["data"]["id"].as_str().unwrap_or(""));
        let course = tools.list(&app, &courses).await[0].clone();
        let body = json!({
            "user_id": users[0]["id"], "course_revision_id": course["revisions"][0]["id"],
        });
        let enrolled = tools.ask(&app, ("POST", PROGRESSIONS), "once", &body).await;
        assert_eq!(enrolled.status, 200, "{}", enrolled.text);
        assert_valid("post", "/lms/course-progressions", &enrolled.json);
        assert_eq!(enrolled.json["data"]["status"], "ENROLLED");
        assert_eq!(enrolled.json["data"]["course_revision"]["title"], "Knots");
        let again = tools.ask(&app, ("POST", PROGRESSIONS), "once", &body).await;
        assert_eq!(again.json, enrolled.json, "the same key does it once");
        assert_eq!(tools.count(&app, "lms", "enrolments").await, before + 1);
        let twice = tools.ask(&app, ("POST", PROGRESSIONS), "twice", &body).await;
        twice.refused("general", "REMOTE.INPUT_INVALID", 400);
        assert_eq!(twice.json["error"]["code"], Value::Null, "no code of the general class");
        let id = enrolled.json["data"]["id"].as_str().expect("an id");
        let complete = format!("{PROGRESSIONS}/{id}/complete");
        let wrong = tools.ask(&app, ("POST", &complete), "", &json!({ "score": 101 })).await;
        wrong.refused("general", "PLATFORM.INPUT_INVALID", 400);
        let body = json!({ "completed_at": "2026-02-01T10:00:00Z", "score": 90 });
        let done = tools.ask(&app, ("POST", &complete), "", &body).await;
        assert_valid(
            "post",
            "/lms/course-progressions/{course_progression_id}/complete",
            &done.json,
        );
        assert_eq!(done.json["data"]["status"], "COMPLETED", "{}", done.text);
        assert_eq!(done.json["data"]["completed_at"], "2026-02-01T10:00:00.000Z");
        let off = format!("/v1/lms/courses/{}/deactivate", course["id"].as_str().expect("an id"));
        let off = tools.ask(&app, ("POST", &off), "", &json!({})).await;
        assert_valid("post", "/lms/courses/{course_id}/deactivate", &off.json);
        assert_eq!(off.json["data"]["revisions"][0]["status"], "INACTIVE", "{}", off.text);
    })
    .await;
}

#[tokio::test]
async fn the_older_forms_are_served() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tools = Tools::new(&app).await;
        let knots = json!({ "title": "Knots" });
        let made = tools.ask(&app, ("POST", "/v1/lms/courses"), "", &knots).await;
        let course = made.json["data"]["id"].clone();
        let user = tools.list(&app, "/v1/lms/users").await[0]["id"].clone();
        let part = json!({ "course_id": course, "title": "The bowline", "type": "VIDEO" });
        let part = tools.ask(&app, ("POST", "/v1/lms/content"), "", &part).await;
        assert_valid("post", "/lms/content", &part.json);
        assert_eq!(part.json["data"]["course_id"], course, "{}", part.text);
        let progress = json!({
            "course_id": course, "user_id": user, "progress_id": "p-1", "status": "STARTED",
            "enrollment_date": "2026-02-01",
        });
        let begun = tools.ask(&app, ("POST", "/v1/lms/progress"), "", &progress).await;
        assert_valid("post", "/lms/progress", &begun.json);
        assert_eq!(begun.json["data"]["user_id"], user, "{}", begun.text);
        let path =
            format!("/v1/lms/progress/{}", begun.json["data"]["id"].as_str().expect("an id"));
        let body = json!({ "status": "COMPLETED", "completion_date": "2026-02-02" });
        let ended = tools.ask(&app, ("PATCH", &path), "", &body).await;
        assert_valid("patch", "/lms/progress/{progress_id}", &ended.json);
        assert_eq!(ended.json["data"]["status"], "COMPLETED", "{}", ended.text);
        assert_eq!(ended.json["data"]["course_id"], course);
    })
    .await;
}
