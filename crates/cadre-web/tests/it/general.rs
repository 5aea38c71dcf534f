//! The endpoints that are not lists of records.

use cadre_web::WebSettings;
use serde_json::json;

use crate::app::{TestApp, on_both};
use crate::contract::assert_valid;

#[tokio::test]
async fn a_key_names_its_environment() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let answer = app.request("GET", "/v1/check-api-key").key(&app.tenant.key).send().await;
        assert_valid("get", "/check-api-key", &answer.json);
        assert_eq!(answer.json["data"]["environment_id"], app.tenant.scope.id());
        assert_eq!(answer.json["data"]["customer_id"], app.tenant.scope.id());
    })
    .await;
}

#[tokio::test]
async fn one_sync_at_a_time() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let ask = async |body| {
            let call = app.request("POST", "/v1/force-sync").key(&app.tenant.key);
            let answer = call.integration(&app.tenant.hris).json(&body).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_valid("post", "/force-sync", &answer.json);
            answer.json["data"].clone()
        };
        let first = ask(json!({})).await;
        assert_eq!((&first["already_queued"], &first["type"]), (&json!(false), &json!("FULL")));
        let second = ask(json!({"type": "DELTA"})).await;
        assert_eq!(second["already_queued"], true);
        assert_eq!(second["sync_id"], first["sync_id"]);
        assert_eq!(second["type"], "FULL");
    })
    .await;
}

#[tokio::test]
async fn integration_details() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let path = format!("/v1/integrations/{}", app.tenant.hris.replace(':', "%3A"));
        let answer = app.request("GET", &path).key(&app.tenant.key).send().await;
        assert_valid("get", "/integrations/{integration_id}", &answer.json);
        let data = &answer.json["data"];
        assert_eq!(data["id"], app.tenant.hris.as_str());
        assert_eq!(data["tool"]["label"], "Sandbox HR");
        assert_eq!(data["end_user"]["creator_email"], "it@acme.example");
        let models = data["read_models"].as_array().expect("models");
        let employees = models.iter().find(|model| model["id"] == "hris_employees").expect("it");
        assert_eq!(employees["is_available"], true);
        let fields = employees["fields"].as_array().expect("fields");
        let first_name = fields.iter().find(|field| field["id"] == "first_name").expect("it");
        assert_eq!(first_name["coverage_status"], "SUPPORTED");
        assert!(
            models.iter().all(|model| model["id"].as_str().expect("text").starts_with("hris_"))
        );
    })
    .await;
}

#[tokio::test]
async fn deleting_an_integration() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let path = format!("/v1/integrations/{}", app.tenant.hris);
        let call = app.request("DELETE", &path).key(&app.tenant.key).json(&json!({}));
        let answer = call.send().await;
        assert_valid("delete", "/integrations/{integration_id}", &answer.json);
        let gone = app.request("GET", &path).key(&app.tenant.key).send().await;
        gone.refused("general", "PLATFORM.INTEGRATION_NOT_FOUND", 404);
        let list = app.hris("/v1/hris/employees").await;
        list.refused("hris", "PLATFORM.INTEGRATION_NOT_FOUND", 404);
    })
    .await;
}

#[tokio::test]
async fn tools_of_a_category() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (category, tool) in [
            ("hris", "sandboxhris"),
            ("ats", "sandboxats"),
            ("lms", "sandboxlms"),
            ("assessment", "sandboxats"),
        ] {
            let path = format!("/v1/tools/{category}");
            let answer = app.request("GET", &path).key(&app.tenant.key).send().await;
            assert_valid("get", "/tools/{category}", &answer.json);
            let tools = answer.json["data"]["tools"].as_array().expect("tools");
            assert_eq!(tools.len(), 1);
            assert_eq!(tools[0]["id"], tool);
        }
        let logo = app.request("GET", "/assets/tools/sandboxhris/logo.svg").send().await;
        assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
    })
    .await;
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let answer = app.request("GET", "/v1/openapi.json").send().await;
        assert_eq!(answer.json["openapi"], "3.1.0");
        assert_eq!(answer.json["servers"][0]["url"], "http://localhost:8080/v1");
    })
    .await;
}
