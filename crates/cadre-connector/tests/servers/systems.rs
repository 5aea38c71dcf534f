//! Connectors against the real systems that they are for: Tryton, and a SCIM service.

use std::time::Duration;

use base64::Engine as _;
use cadre_connector::{Failure, HttpRequest, HttpSend, Wire, WireOptions};
use cadre_model::fault::Code;
use serde_json::{Value, json};

use crate::connectors::{pages, session};
use crate::scim_service::ScimService;
use crate::tryton::Tryton;

/// Posts JSON, and gives back the answer.
async fn post(url: &str, authorization: Option<&str>, body: &Value) -> Value {
    let mut request = HttpRequest::new("POST", url.parse().expect("a URL"));
    request.set_header("Content-Type", "application/json");
    if let Some(value) = authorization {
        request.set_header("Authorization", value);
    }
    request.body = Some(body.to_string().into());
    let options = WireOptions { allow_private: true, ..WireOptions::default() };
    let wire = Wire::new(options).expect("a client");
    let response = wire.send(request, Duration::from_secs(30)).await.expect("an answer");
    assert!(response.status < 300, "{}: {body}", response.status);
    serde_json::from_slice(&response.body).expect("JSON")
}

async fn failure_of(tool: &str, form: &Value) -> Failure {
    session(tool, form).check().await.expect_err("refused")
}

/// Makes a company with two people; one of them reports to the other.
async fn fill(server: &Tryton) {
    let url = format!("{}/{}/", server.url(), Tryton::DATABASE);
    let log_in = json!({"id": 0, "method": "common.db.login", "params": [Tryton::USER, {"password": Tryton::PASSWORD}, "en"]});
    let answer = post(&url, None, &log_in).await;
    let session = format!(
        "{}:{}:{}",
        Tryton::USER,
        answer["result"][0],
        answer["result"][1].as_str().expect("a session")
    );
    let session = base64::engine::general_purpose::STANDARD.encode(session);
    let authorization = format!("Session {session}");
    let create = async |model: &str, rows: Value| {
        let call =
            json!({"id": 0, "method": format!("model.{model}.create"), "params": [rows, {}]});
        let answer = post(&url, Some(&authorization), &call).await;
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].as_array().expect("ids").clone()
    };
    let currency =
        create("currency.currency", json!([{"name": "Euro", "symbol": "E", "code": "EUR"}])).await;
    let mobile = json!([["create", [{"type": "mobile", "value": "+34600000000"}]]]);
    let parties = json!([{"name": "Acme"}, {"name": "Ana Ruiz", "contact_mechanisms": mobile}, {"name": "Bo Lind"}]);
    let parties = create("party.party", parties).await;
    let company = json!([{"party": parties[0], "currency": currency[0]}]);
    let company = create("company.company", company).await;
    let day = json!({"__class__": "date", "year": 2021, "month": 1, "day": 31});
    let ana = json!([{"party": parties[1], "company": company[0], "start_date": day}]);
    let ana = create("company.employee", ana).await;
    let bo = json!([{"party": parties[2], "company": company[0], "supervisor": ana[0]}]);
    create("company.employee", bo).await;
}

#[tokio::test]
async fn tryton_is_read() {
    let server = Tryton::start();
    fill(&server).await;
    let form = |password: &str, database: &str| json!({"url": server.url(), "database": database, "username": Tryton::USER, "password": password});
    let session = session("tryton", &form(Tryton::PASSWORD, Tryton::DATABASE));
    session.check().await.expect("credentials work");
    session.lookups().await.expect("read");
    let employees: Vec<Value> = pages(&session, "employees").await.expect("read").concat();
    let names: Vec<&str> =
        employees.iter().filter_map(|row| row["party."]["name"].as_str()).collect();
    assert_eq!(names, ["Ana Ruiz", "Bo Lind"]);
    let mobile = employees[0]["party."]["mobile"].as_str().expect("a number").replace(' ', "");
    assert_eq!(mobile, "+34600000000");
    assert_eq!(employees[0]["start_date"]["year"], 2021);
    assert_eq!(employees[1]["supervisor"], employees[0]["id"]);
    let companies: Vec<Value> = pages(&session, "companies").await.expect("read").concat();
    assert_eq!(companies[0]["party."]["name"], "Acme");
    assert_eq!(companies[0]["id"], employees[0]["company"]);

    for refused in [form("wrong-password", Tryton::DATABASE), form(Tryton::PASSWORD, "nothing")] {
        let failure = failure_of("tryton", &refused).await;
        assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid, "{failure:?}");
    }
}

#[tokio::test]
async fn a_scim_service_is_read_page_by_page() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    let service = ScimService::start();
    let authorization = format!("Bearer {}", ScimService::TOKEN);
    let mut made = Vec::new();
    for number in 1..=105 {
        let user = json!({
            "schemas": [USER], "userName": format!("person{number}"), "active": number != 2,
            "name": {"givenName": "Ana", "familyName": format!("Ruiz {number}")},
            "emails": [{"value": format!("person{number}@acme.example"), "type": "work"}],
        });
        let answer = post(&format!("{}/Users", service.url()), Some(&authorization), &user).await;
        made.push(answer["id"].as_str().expect("an id").to_owned());
    }
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Research",
        "members": [{"value": made[0]}],
    });
    post(&format!("{}/Groups", service.url()), Some(&authorization), &group).await;

    let form = |token: &str| json!({"url": service.url(), "token": token});
    let session = session("scimfetch", &form(ScimService::TOKEN));
    session.check().await.expect("credentials work");
    let users = pages(&session, "users").await.expect("read");
    assert_eq!(users.iter().map(Vec::len).collect::<Vec<_>>(), [100, 5]);
    let mut found: Vec<String> =
        users.concat().iter().map(|user| user["id"].as_str().expect("an id").to_owned()).collect();
    found.sort();
    made.sort();
    assert_eq!(found, made);
    let groups: Vec<Value> = pages(&session, "groups").await.expect("read").concat();
    assert_eq!((groups.len(), &groups[0]["displayName"]), (1, &json!("Research")));

    let failure = failure_of("scimfetch", &form("wrong-token")).await;
    assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid, "{failure:?}");
}
