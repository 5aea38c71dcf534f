//! Twins as a caller sees them: log-in, paging, budget, errors, webhooks, the same company from one seed.

use cadre_sandbox::fault::Script;
use cadre_sandbox::twin::{RunningTwin, Twin, published_budget, tools};
use cadre_sandbox::{RateLimit, SandboxOptions};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn twin(tool: &str, rate_limit: Option<RateLimit>) -> (RunningTwin, Client) {
    let options =
        SandboxOptions { employees: 12, candidates: 10, jobs: 5, rate_limit, ..Default::default() };
    (Twin::start(tool, options, Vec::new()).await.unwrap(), crate::client::http())
}

fn secret(twin: &RunningTwin, name: &str) -> String {
    twin.credentials.iter().find(|(own, _)| *own == name).unwrap().1.clone()
}

async fn greenhouse(twin: &RunningTwin, http: &Client, path: &str) -> Response {
    let request = http.get(format!("{}/v1{path}", twin.base_url));
    request.basic_auth(secret(twin, "api_key"), Some("")).send().await.unwrap()
}

async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

async fn order(twin: &RunningTwin, http: &Client, what: &str, body: Value) -> Value {
    let request = http.post(format!("{}/admin/{what}", twin.base_url)).json(&body);
    let (status, body) = json_of(request).await;
    assert!(status < 300, "{what}: {body}");
    body
}

#[tokio::test]
async fn every_twin_has_the_same_company_from_the_same_seed() {
    for tool in tools() {
        let (one, http) = twin(tool, None).await;
        let (other, _) = twin(tool, None).await;
        for list in ["people", "applications", "absences", "enrolments"] {
            let url = |base: &str| format!("{base}/admin/tables/{list}");
            let (_, a) = json_of(http.get(url(&one.base_url))).await;
            let (_, b) = json_of(http.get(url(&other.base_url))).await;
            assert_eq!(a, b, "{tool} {list}");
            assert!(a.as_array().is_some_and(|rows| !rows.is_empty()), "{tool} {list}");
        }
        assert_eq!(one.credentials, other.credentials);
    }
}

#[tokio::test]
async fn an_unknown_tool_is_told_which_there_are() {
    let options = SandboxOptions::default();
    let words = Twin::start("nobody", options, Vec::new()).await.unwrap_err().to_string();
    assert!(words.contains("greenhouse") && words.contains("personio"), "{words}");
}

#[tokio::test]
async fn greenhouse_pages_by_links_and_keeps_its_budget() {
    let (twin, http) = twin("greenhouse", published_budget("greenhouse")).await;
    let bad = http.get(format!("{}/v1/jobs", twin.base_url)).send().await.unwrap();
    assert_eq!(bad.status(), 401);
    let first = greenhouse(&twin, &http, "/candidates?per_page=4").await;
    assert_eq!(first.headers()["x-ratelimit-limit"], "50");
    assert_eq!(first.headers()["x-ratelimit-remaining"], "48");
    let next = crate::client::next_page(&first).unwrap();
    assert!(next.contains("page=2") && next.contains("per_page=4"), "{next}");
    let path = next.strip_prefix(&format!("{}/v1", twin.base_url)).unwrap();
    let rows: Vec<Value> = greenhouse(&twin, &http, path).await.json().await.unwrap();
    assert_eq!(rows.len(), 4);
    let wrong = greenhouse(&twin, &http, "/jobs?per_page=501").await;
    assert_eq!(wrong.status(), 422);
    let mut last = greenhouse(&twin, &http, "/jobs").await;
    for _ in 0..50 {
        last = greenhouse(&twin, &http, "/jobs").await;
    }
    assert_eq!(last.status(), 429);
    // The documentation says so: a refusal goes without them.
    assert!(last.headers().get("x-ratelimit-limit").is_none());
    assert!(last.headers().get("retry-after").is_some());
    order(&twin, &http, "settings", json!({"advance_seconds": 10})).await;
    assert_eq!(greenhouse(&twin, &http, "/jobs").await.status(), 200);
}

#[tokio::test]
async fn a_change_is_told_with_the_vendors_signature() {
    let (twin, http) = twin("greenhouse", None).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    order(&twin, &http, "webhooks", json!({"url": url, "secret": "s3cret"})).await;
    order(
        &twin,
        &http,
        "mutate",
        json!({"op": "set", "list": "candidates", "id": 50_001,
        "patch": {"last": "Öz <b>"}}),
    )
    .await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = vec![0; 65_536];
    let mut length = 0;
    loop {
        length += stream.read(&mut bytes[length..]).await.unwrap();
        let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && serde_json::from_str::<Value>(body).is_ok()
        {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            assert!(head.to_lowercase().contains("signature: sha256 "), "{head}");
            // Beyond ASCII, and what means something in HTML, is escaped on the wire.
            assert!(body.contains(r"\u00d6z \u003cb\u003e") && body.is_ascii(), "{body}");
            let told: Value = serde_json::from_str(body).unwrap();
            assert_eq!(told["action"], "update_candidate");
            return;
        }
    }
}

#[tokio::test]
async fn a_token_of_personio_ends_by_the_twins_clock() {
    let (twin, http) = twin("personio", None).await;
    let form = json!({"client_id": secret(&twin, "client_id"), "client_secret": "wrong"});
    let auth = format!("{}/v1/auth", twin.base_url);
    let (status, body) = json_of(http.post(&auth).json(&form)).await;
    assert_eq!((status, &body["error"]["message"]), (403, &json!("Wrong credentials")));
    let form = json!({"client_id": secret(&twin, "client_id"),
        "client_secret": secret(&twin, "client_secret")});
    let (_, body) = json_of(http.post(&auth).json(&form)).await;
    let token = body["data"]["token"].as_str().unwrap().to_owned();
    let people = format!("{}/v1/company/employees?limit=5&offset=10", twin.base_url);
    let (status, body) = json_of(http.get(&people).bearer_auth(&token)).await;
    assert_eq!((status, body["data"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!(body["metadata"]["total_elements"], 12);
    order(&twin, &http, "settings", json!({"advance_seconds": 86_401})).await;
    let (status, body) = json_of(http.get(&people).bearer_auth(&token)).await;
    assert_eq!((status, &body["success"]), (403, &json!(false)));
}

#[tokio::test]
async fn lever_says_that_a_known_address_was_known() {
    let (twin, http) = twin("lever", None).await;
    let key = secret(&twin, "api_key");
    let url = |path: &str| format!("{}/v1{path}", twin.base_url);
    let (_, all) =
        json_of(http.get(url("/opportunities?limit=3")).basic_auth(&key, Some(""))).await;
    assert_eq!(all["hasNext"], true);
    let next = all["next"].as_str().unwrap();
    let (_, more) = json_of(
        http.get(url("/opportunities?limit=3"))
            .query(&[("offset", next)])
            .basic_auth(&key, Some("")),
    )
    .await;
    assert_ne!(all["data"][0]["id"], more["data"][0]["id"]);
    let (_, users) = json_of(http.get(url("/users")).basic_auth(&key, Some(""))).await;
    let user = users["data"][0]["id"].as_str().unwrap();
    let body = json!({"name": "Ada Lovelace", "emails": all["data"][0]["emails"]});
    let create = |query: String| {
        http.post(url(&format!("/opportunities{query}"))).basic_auth(&key, Some("")).json(&body)
    };
    assert_eq!(json_of(create(String::new())).await.0, 400);
    let (status, made) = json_of(create(format!("?perform_as={user}"))).await;
    assert_eq!((status, &made["deduped"]), (201, &json!(true)));
    assert_eq!(made["data"]["contact"], all["data"][0]["contact"]);
}

#[tokio::test]
async fn moodle_refuses_in_two_hundred_and_workday_in_five() {
    let (moodle, http) = twin("moodle", None).await;
    let url = format!("{}/webservice/rest/server.php", moodle.base_url);
    let call = |token: &str, function: &str| {
        let fields = [("wstoken", token), ("wsfunction", function), ("moodlewsrestformat", "json")];
        http.post(&url).form(&fields)
    };
    let (status, body) = json_of(call("bad", "core_course_get_courses")).await;
    assert_eq!((status, &body["errorcode"]), (200, &json!("invalidtoken")));
    let token = secret(&moodle, "token");
    let (_, courses) = json_of(call(&token, "core_course_get_courses")).await;
    assert_eq!(courses[0]["format"], "site");
    let (_, body) = json_of(call(&token, "core_no_such_function")).await;
    assert_eq!(body["errorcode"], "accessexception");

    let (workday, http) = twin("workday", None).await;
    let url = format!("{}/ccx/service/twin/Human_Resources/v44.0", workday.base_url);
    let ask = |password: &str, count: u32| {
        let body = format!(
            "<e:Envelope xmlns:e=\"x\"><e:Header><w:Security><w:UsernameToken>\
             <w:Username>ISU_Cadre@twin</w:Username><w:Password Type=\"t\">{password}</w:Password>\
             </w:UsernameToken></w:Security></e:Header><e:Body><b:Get_Workers_Request>\
             <b:Response_Filter><b:Page>2</b:Page><b:Count>{count}</b:Count></b:Response_Filter>\
             </b:Get_Workers_Request></e:Body></e:Envelope>"
        );
        http.post(&url).body(body).send()
    };
    let refused = ask("wrong", 5).await.unwrap();
    assert_eq!(refused.status(), 500);
    assert!(refused.text().await.unwrap().contains("SOAP-ENV:Client.authenticationError"));
    let password = secret(&workday, "password");
    let wrong = ask(&password, 1_000).await.unwrap().text().await.unwrap();
    assert!(wrong.contains("SOAP-ENV:Client.validationError"), "{wrong}");
    let page = ask(&password, 5).await.unwrap().text().await.unwrap();
    assert!(page.contains("<wd:Total_Pages>3</wd:Total_Pages>") && page.contains("<wd:Page>2<"));
    assert_eq!(page.matches("<wd:Worker>").count(), 5);
}

#[tokio::test]
async fn a_script_strikes_from_the_first_request() {
    let script: Script =
        serde_json::from_value(json!({"fault": "status", "status": 500, "times": 1})).unwrap();
    let options = SandboxOptions { rate_limit: None, ..SandboxOptions::default() };
    let twin = Twin::start("greenhouse", options, vec![script]).await.unwrap();
    let http = crate::client::http();
    assert_eq!(greenhouse(&twin, &http, "/jobs").await.status(), 500);
    assert_eq!(greenhouse(&twin, &http, "/jobs").await.status(), 200);
    order(&twin, &http, "permissions", json!({"resource": "/v1/offers", "allowed": false})).await;
    assert_eq!(greenhouse(&twin, &http, "/offers").await.status(), 403);
}
