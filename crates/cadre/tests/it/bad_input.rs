//! Whatever a caller sends, the answer is a page of records or the envelope, and never our own failure.

use serde_json::{Value, json};

use super::process::{Answer, Caller, Demo, answer, cadre, succeed};

const EMPLOYEES: &str = "/v1/hris/employees";

/// Checks the envelope; the message.
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let (got, headers, body) = answer;
    assert_eq!((*got, body["error"]["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(headers["content-type"], "application/json", "{body}");
    assert_eq!(headers["x-cadre-error-code"], code, "{body}");
    assert_eq!(body["status"], "error");
    let error = body["error"].as_object().expect("an error");
    let mut names: Vec<&str> = error.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["code", "log_url", "message", "title"]);
    error["message"].as_str().expect("a message").to_owned()
}

/// A key of a running demo's other environment, or one that is special in some way.
fn key(demo: &Demo, arguments: &[&str]) -> String {
    let folder = std::env::temp_dir().join(format!("cadre-demo-{}", demo.process.pid()));
    let mut command = cadre();
    command.args(["key", "create"]).args(arguments).arg("--data-dir").arg(folder);
    succeed(&mut command).trim().to_owned()
}

#[test]
fn cursors_belong_to_one_list() {
    let demo = Demo::start();
    let (hris, ats) = (demo.integration("sandboxhris"), demo.integration("sandboxats"));
    let caller = Caller::new(demo.text("url"), demo.text("api_key"));
    let get = |path: &str| caller.send("GET", path, Some(hris), None);
    let (_, _, page) = get(&format!("{EMPLOYEES}?page_size=2"));
    let cursor = page["data"]["next"].as_str().expect("a second page").to_owned();
    assert_eq!(get(&format!("{EMPLOYEES}?page_size=2&cursor={cursor}")).0, 200);

    let mut tampered = cursor.clone().into_bytes();
    let at = tampered.len() / 2;
    tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).expect("ASCII");
    let half = &cursor[..cursor.len() / 2];
    for wrong in [tampered.as_str(), half, "nonsense", "%00", "..%2f..", &"x".repeat(5_000)] {
        let words =
            refused(&get(&format!("{EMPLOYEES}?cursor={wrong}")), 400, "PLATFORM.INPUT_INVALID");
        assert!(words.contains("cursor"), "{words}");
    }
    // Another list, other filters, another integration, another environment.
    refused(&get(&format!("/v1/hris/groups?cursor={cursor}")), 400, "PLATFORM.INPUT_INVALID");
    let filtered = format!("{EMPLOYEES}?employment_statuses=ACTIVE&cursor={cursor}");
    refused(&get(&filtered), 400, "PLATFORM.INPUT_INVALID");
    let other = caller.send("GET", &format!("/v1/ats/jobs?cursor={cursor}"), Some(ats), None);
    refused(&other, 400, "PLATFORM.INPUT_INVALID");
    let development = Caller::new(&caller.url, &key(&demo, &["--environment", "development"]));
    let other = development.send("GET", &format!("{EMPLOYEES}?cursor={cursor}"), Some(hris), None);
    refused(&other, 400, "PLATFORM.INPUT_INVALID");
}

#[test]
fn another_environment_sees_nothing() {
    let demo = Demo::start();
    let hris = demo.integration("sandboxhris");
    let development = Caller::new(demo.text("url"), &key(&demo, &["--environment", "development"]));
    for (method, path, integration) in [
        ("GET", EMPLOYEES.to_owned(), Some(hris)),
        ("GET", format!("/v1/integrations/{hris}"), None),
        ("DELETE", format!("/v1/integrations/{hris}"), None),
        ("POST", "/v1/force-sync".to_owned(), Some(hris)),
    ] {
        let body = (method == "POST").then(|| json!({"type": "FULL"}));
        let answer = development.send(method, &path, integration, body.as_ref());
        let words = refused(&answer, 404, "PLATFORM.INTEGRATION_NOT_FOUND");
        assert!(!words.contains("Demo Corp"), "{words}");
    }
    let production = Caller::new(demo.text("url"), demo.text("api_key"));
    assert_eq!(production.send("GET", EMPLOYEES, Some(hris), None).0, 200, "it was not deleted");
}

#[test]
fn parameters_and_bodies() {
    let demo = Demo::start();
    let (hris, ats) = (demo.integration("sandboxhris"), demo.integration("sandboxats"));
    let caller = Caller::new(demo.text("url"), demo.text("api_key"));
    for (query, word) in [
        ("page_size=0", "page_size"),
        ("page_size=251", "page_size"),
        ("page_size=abc", "page_size"),
        ("page_size=-1", "page_size"),
        ("page_size=99999999999999999999", "page_size"),
        ("page_size=", "page_size"),
        ("updated_after=yesterday", "updated_after"),
        ("include_deleted=perhaps", "include_deleted"),
        ("ids=%ff", "ids"),
        ("employment_status=RETIRED", "employment_status"),
    ] {
        let answer = caller.send("GET", &format!("{EMPLOYEES}?{query}"), Some(hris), None);
        let words = refused(&answer, 400, "PLATFORM.INPUT_INVALID");
        assert!(words.contains(word), "{query}: {words}");
    }
    // Values that the contract leaves open match nothing; a parameter that nobody knows does nothing.
    for (path, integration) in [
        (format!("{EMPLOYEES}?employment_statuses=RETIRED"), hris),
        ("/v1/ats/jobs?statuses=ASLEEP".to_owned(), ats),
    ] {
        assert_eq!(caller.list(&path, integration, 100), Vec::<Value>::new(), "{path}");
    }
    assert_eq!(caller.list(&format!("{EMPLOYEES}?nonsense=1"), hris, 250).len(), 120);
    let large = format!("{{\"type\": \"{}\"}}", "x".repeat(41 << 20));
    for body in
        ["{", "[]", "null", "{\"type\": 5}", "{\"type\": \"HALF\"}", "\u{0}", large.as_str()]
    {
        let request = caller.request("POST", "/v1/force-sync").header("X-Integration-Id", hris);
        let sent = request.header("Content-Type", "application/json").body(body.to_owned());
        refused(&answer(sent), 400, "PLATFORM.INPUT_INVALID");
    }
    for (method, path) in [
        ("GET", "/v1/nothing"),
        ("GET", "/v2/hris/employees"),
        ("POST", EMPLOYEES),
        ("DELETE", EMPLOYEES),
        ("PATCH", "/v1/force-sync"),
        ("GET", "/v1/hris/%ff"),
        ("GET", "/v1//hris/employees"),
    ] {
        refused(&caller.send(method, path, Some(hris), None), 400, "PLATFORM.INPUT_INVALID");
    }
}

#[test]
fn keys_that_no_longer_work() {
    let demo = Demo::start();
    let folder = std::env::temp_dir().join(format!("cadre-demo-{}", demo.process.pid()));
    let check = |key: &str| {
        let caller = Caller::new(demo.text("url"), key);
        caller.send("GET", "/v1/check-api-key", None, None)
    };
    let good = key(&demo, &["--name", "good"]);
    assert_eq!(check(&good).0, 200);
    let expired = key(&demo, &["--expires-in-days", "0"]);
    refused(&check(&expired), 401, "PLATFORM.AUTHENTICATION_INVALID");
    let mut list = cadre();
    let list = succeed(list.args(["key", "list", "--data-dir"]).arg(&folder));
    let line = list.lines().find(|line| line.ends_with("good")).expect("the key is listed");
    let id = line.split_whitespace().next().expect("an id");
    succeed(cadre().args(["key", "revoke", id, "--data-dir"]).arg(&folder));
    refused(&check(&good), 401, "PLATFORM.AUTHENTICATION_INVALID");
    for key in ["", "nonsense", "ks_", "Bearer", &"x".repeat(4_000)] {
        refused(&check(key), 401, "PLATFORM.AUTHENTICATION_INVALID");
    }
    let elsewhere = key(&demo, &["--allow", "203.0.113.0/24"]);
    refused(&check(&elsewhere), 403, "PLATFORM.IP_NOT_WHITELISTED");
    let bare: Value = reqwest::blocking::get(format!("{}/v1/check-api-key", demo.text("url")))
        .expect("an answer")
        .json()
        .expect("JSON");
    assert_eq!(bare["error"]["code"], "PLATFORM.AUTHENTICATION_INVALID");
}
