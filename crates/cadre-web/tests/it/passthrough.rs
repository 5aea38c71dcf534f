//! Requests that are passed through: the tool's answer is the answer, and no other host is asked.

use cadre_web::WebSettings;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, on_both};
use crate::browser::Browser;
use crate::contract::assert_valid;
use crate::live::{Connected, log_of};

async fn pass(app: &TestApp, tool: &Connected, path: &str, body: Value) -> Answer {
    let path = format!("/v1/passthrough/{path}");
    let call = app.request("POST", &path).key(&app.tenant.key);
    call.integration(&tool.integration).json(&body).send().await
}

#[tokio::test]
async fn the_tool_answers() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let body = json!({"method": "GET", "path": "/jobs?x=1", "params": {"per_page": "2"}});
        let answer = pass(&app, &tool, "sandboxats/v1", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_valid("post", "/passthrough/{tool}/{api}", &answer.json);
        let data = &answer.json["data"];
        assert_eq!(data["url"], format!("{}/ats/v1/jobs?x=1&per_page=2", tool.sandbox.base_url));
        assert_eq!(data["data"].as_array().map(Vec::len), Some(2));
        assert_eq!(data["headers"]["content-type"], "application/json");
        assert_eq!(answer.header("concurrency-limit"), Some("30"));

        let body = json!({"method": "POST", "path": "applications", "data": {"job_id": "no"}});
        let answer = pass(&app, &tool, "sandboxats/v1", body).await;
        assert_eq!(answer.json["data"]["status"], 422, "{}", answer.text);
        assert_eq!(answer.json["data"]["data"]["code"], "invalid");

        let body = json!({"method": "GET", "path": "attachments/att-1/content",
            "response_as_base64": true, "api_options": {"a": "b"}});
        let answer = pass(&app, &tool, "sandboxats/v1", body).await;
        let content = answer.json["data"]["data"].as_str().expect("base64");
        assert!(content.starts_with("VGhpcyBpcyB"), "{content}");
        let warning = answer.json["warnings"][0]["message"].as_str().expect("a warning");
        assert!(warning.contains("api_options"), "{warning}");

        tool.order(&app, json!({"fault": "drop_connection", "times": 0})).await;
        let body = json!({"method": "GET", "path": "jobs"});
        let answer = pass(&app, &tool, "sandboxats/v1", body).await;
        answer.refused("general", "REMOTE.SERVICE_UNAVAILABLE", 500);
        // A code that clients of this operation do not know.
        assert!(answer.json["error"]["code"].is_null() && answer.json["error"]["title"].is_null());
        let browser = Browser::by_link(&app).await;
        let log = log_of(&app, &answer, &browser.cookie).await;
        for words in ["Pass-through", "default: connection failed", "/ats/v1/jobs"] {
            assert!(log.contains(words), "{words}: {log}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_passed_through() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let get = |path: &str| json!({"method": "GET", "path": path});
        let with = |headers: Value| json!({"method": "GET", "path": "jobs", "headers": headers});
        for (path, body, words) in [
            ("sandboxhris/v1", get("jobs"), "`path.tool`"),
            ("sandboxats/v9", get("jobs"), "`path.api`: expected one of v1"),
            ("sandboxats/v1", json!({"path": "jobs"}), "`body.method`"),
            ("sandboxats/v1", json!({"method": "get", "path": "jobs"}), "`body.method`"),
            ("sandboxats/v1", json!({"method": "GET"}), "`body.path`"),
            ("sandboxats/v1", get("../../admin/faults"), "leads out of"),
            ("sandboxats/v1", get("%2e%2e/%2e%2e/admin/faults"), "leads out of"),
            ("sandboxats/v1", with(json!({"authorization": "x"})), "`body.headers.authorization`"),
            ("sandboxats/v1", with(json!({"Host": "evil.example"})), "`body.headers.Host`"),
            ("sandboxats/v1", with(json!({"X-A": "a\r\nb: c"})), "line break"),
            ("sandboxats/v1", with(json!({"X-A": 1})), "`body.headers`"),
        ] {
            let answer = pass(&app, &tool, path, body).await;
            let message = answer.refused("general", "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains(words), "{path}: {message}");
        }
        let config = app.store.scope_config_default(&app.tenant.scope).await.expect("a store");
        let settings = json!({ "actions": { "passthrough": "DISABLED" } });
        let update = app.store.scope_config_update(&app.tenant.scope, &config.id, &settings);
        update.await.expect("a store");
        let answer = pass(&app, &tool, "sandboxats/v1", get("jobs")).await;
        answer.refused("general", "INTEGRATION.ACTION_DISABLED", 400);
    })
    .await;
}

#[tokio::test]
async fn forms_of_parts_are_passed_through() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let tool = Connected::new(&app).await;
        let file = json!({ "name": "a.txt", "content_type": "text/plain", "data": "aGVsbG8=" });
        let form = |parts: Value| json!({ "method": "POST", "path": "applications", "multipart_form_data": parts });
        let parts = json!([{ "name": "kind", "value": "CV" }, { "name": "file", "value": file }]);
        let answer = pass(&app, &tool, "sandboxats/v1", form(parts.clone())).await;
        // It takes JSON alone, and says so: the form has arrived as one.
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json["data"]["status"], 415, "{}", answer.text);
        let mut both = form(parts);
        both["data"] = json!({ "a": 1 });
        for (body, words) in [
            (both, "`body.data`"),
            (form(json!([{ "value": "x" }])), "`body.multipart_form_data[0].name`"),
            (form(json!([{ "name": "x", "value": { "name": "y" } }])), "`data` or `data_url`"),
            (form(json!("x")), "`body.multipart_form_data`"),
        ] {
            let answer = pass(&app, &tool, "sandboxats/v1", body).await;
            let message = answer.refused("general", "PLATFORM.INPUT_INVALID", 400);
            assert!(message.contains(words), "{message}");
        }
    })
    .await;
}
