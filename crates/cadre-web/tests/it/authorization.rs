//! Who may use which route: the list of routes itself is what is tested.

use std::collections::BTreeSet;

use cadre_model::ids::random_id;
use cadre_web::WebSettings;
use cadre_web::router::{Audience, routes};
use serde_json::json;

use crate::app::{TestApp, on_both};
use crate::contract::CONTRACT;

/// A path with its variable parts filled in.
fn filled(path: &str, integration: &str) -> String {
    path.replace("{integration_id}", integration)
        .replace("{category}", "hris")
        .replace("{tool}", "sandboxhris")
        .replace("{api}", "v1")
        .replace("{candidate_id}", &random_id())
        .replace("{application_id}", &random_id())
        .replace("{endpoint_id}", &random_id())
        .replace("{ticket}", &random_id())
        .replace("{env}", "production")
        .replace("{integration}", integration)
        .replace("{model}", "hris_employees")
        .replace("{interaction}", &random_id())
        .replace("{person}", &random_id())
        .replace("{record}", &random_id())
        .replace("{issue}", &random_id())
        .replace("{run}", &random_id())
        .replace("{endpoint}", &random_id())
        .replace("{key}", &random_id())
        .replace("{token}", &random_id())
        .replace("{word}", &random_id())
        .replace("{interaction_id}", &random_id())
        .replace("{task_id}", &random_id())
        .replace("{group_id}", "default")
        .replace("{job_feed_id}", &random_id())
        .replace("{job_id}", &random_id())
        .replace("{posting_id}", &random_id())
        .replace("{posting}", &random_id())
        .replace("{application}", &random_id())
}

fn class(path: &str) -> &'static str {
    cadre_web::refuse::Class::of_path(path).name()
}

#[tokio::test]
async fn every_route_knows_its_callers() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (method, path, audience) in routes() {
            let concrete = filled(&path, &app.tenant.hris);
            let anonymous = app.request(method, &concrete).send().await;
            match audience {
                Audience::Public => {
                    let refused = anonymous.header("x-cadre-error-code");
                    assert!(refused.is_none(), "{method} {path}: {}", anonymous.text);
                }
                Audience::Visitor | Audience::Link => {
                    anonymous.refused("general", "PLATFORM.AUTHENTICATION_INVALID", 401);
                }
                Audience::Tool => {
                    assert_eq!(anonymous.status, 401, "{method} {path}: {}", anonymous.text);
                    assert_eq!(anonymous.json["status"], "401", "in the words of the protocol");
                }
                Audience::Key | Audience::Integration => {
                    let class = class(&path);
                    anonymous.refused(class, "PLATFORM.AUTHENTICATION_INVALID", 401);
                    assert!(anonymous.json["error"]["log_url"].is_null());
                    for key in [app.expired_key.as_str(), "ks_prod_nobody", ""] {
                        let call = app.request(method, &concrete).key(key);
                        let answer = call.integration(&app.tenant.hris).send().await;
                        answer.refused(class, "PLATFORM.AUTHENTICATION_INVALID", 401);
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn integrations_of_another_environment_are_not_there() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for (method, path, audience) in routes() {
            if audience != Audience::Integration && !path.contains("{integration_id}") {
                continue;
            }
            let theirs = &app.other.hris;
            let concrete = filled(&path, theirs);
            let body = json!({ "value": false });
            let call = app.request(method, &concrete).key(&app.tenant.key).integration(theirs);
            let call = if method == "GET" { call } else { call.json(&body) };
            let answer = call.send().await;
            // What is wrong with a body is said first, in the same words for everybody.
            if answer.header("x-cadre-error-code") == Some("PLATFORM.INPUT_INVALID") {
                let call = app.request(method, &concrete).key(&app.tenant.key);
                let nobodys = call.integration("sandboxhris:nobody").json(&body).send().await;
                assert_eq!(nobodys.json["error"]["message"], answer.json["error"]["message"]);
                assert!(answer.header("concurrency-limit").is_none());
                continue;
            }
            answer.refused(class(&path), "PLATFORM.INTEGRATION_NOT_FOUND", 404);
        }
        let theirs = app.request("GET", "/v1/hris/employees").key(&app.other.key);
        assert_eq!(theirs.integration(&app.other.hris).send().await.status, 200);
    })
    .await;
}

/// Every operation of the document has its route, and the other way round.
#[test]
fn the_document_lists_the_routes() {
    let document = cadre_web::openapi::document("http://localhost");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            documented.insert((method.to_uppercase(), format!("/v1{path}")));
        }
    }
    let served: BTreeSet<_> = routes()
        .into_iter()
        .filter(|(_, path, _)| path.starts_with("/v1/") && path != "/v1/openapi.json")
        .map(|(method, path, _)| (method.to_owned(), path))
        .collect();
    assert_eq!(documented, served);
    assert!(CONTRACT["paths"].is_object());
}
