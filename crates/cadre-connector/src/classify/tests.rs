//! Answers and what they mean, as tables.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::format::Format;
use crate::manifest::Expression;

const NONE: &[(String, &[ErrorRule])] = &[];

fn rule(when: &str, code: Option<Code>) -> ErrorRule {
    ErrorRule {
        when: Expression::compile(when).expect("compiles"),
        action: None,
        code,
        message: None,
        hint: None,
        retry: None,
    }
}

fn judge(rules: &[(String, &[ErrorRule])], log_in: bool, status: u16, body: &str) -> Verdict {
    let url = Url::parse("https://a.example/v1/people?key=s3cret-key").expect("url");
    let redactor = Redactor::new(["s3cret-key"]);
    let judge = Judge {
        label: "Acme",
        method: "GET",
        url: &url,
        rules,
        log_in,
        takes_redirects: false,
        redactor: &redactor,
    };
    let response = HttpResponse { status, headers: vec![], body: Bytes::from(body.to_owned()) };
    let read = Body::read(Format::Json, &[], &response);
    let value = Value::from(status);
    judge.answer(&response, &read, &Vars::new().with("$status", &value))
}

fn failure(verdict: Verdict) -> (Failure, bool) {
    match verdict {
        Verdict::Failed { failure, again } => (failure, again),
        Verdict::LogInEnded(failure) => (failure, false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_defaults() {
    use Code::*;
    for (status, code, again) in [
        (400, RemoteInputInvalid, false),
        (401, IntegrationAuthenticationInvalid, false),
        (403, IntegrationPermissionMissing, false),
        (404, RemoteUnknownHttpError, false),
        (408, RemoteServiceUnavailable, true),
        (409, RemoteUnknownHttpError, false),
        (422, RemoteInputInvalid, false),
        (429, RemoteRateLimitExceeded, true),
        (500, RemoteServiceUnavailable, true),
        (501, RemoteUnknownHttpError, false),
        (502, RemoteServiceUnavailable, true),
        (503, RemoteServiceUnavailable, true),
        (504, RemoteServiceUnavailable, true),
        (302, RemoteUnknownHttpError, false),
    ] {
        let (failure, repeated) =
            failure(judge(NONE, false, status, r#"{"error":{"message":"No way"}}"#));
        assert_eq!((failure.fault.code, repeated), (code, again), "{status}");
        assert_eq!(failure.rule, format!("default: status {status}"));
        assert_eq!(failure.status, Some(status));
        assert_eq!(
            failure.fault.message,
            format!("Acme answered GET /v1/people with status {status}: No way")
        );
    }
}

#[test]
fn a_refused_log_in_is_about_the_credentials() {
    for status in [400, 401, 403] {
        let (failure, _) = failure(judge(NONE, true, status, r#"{"error":"invalid_client"}"#));
        assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid, "{status}");
        assert!(
            failure.fault.message.contains("the log-in GET /v1/people"),
            "{}",
            failure.fault.message
        );
    }
}

#[test]
fn good_statuses_with_other_bodies() {
    for (body, part, again) in [
        (
            "<html><head><title>Sign in</title></head></html>",
            "a web page, not JSON. It reads: Sign in",
            false,
        ),
        (r#"{"data": [1, 2"#, "ends in the middle, after 14 bytes", true),
        ("nonsense", "is not JSON", false),
    ] {
        let (failure, repeated) = failure(judge(NONE, false, 200, body));
        assert_eq!(failure.fault.code, Code::RemoteUnknownHttpError);
        assert_eq!(repeated, again, "{body}");
        assert!(failure.fault.message.contains(part), "{}", failure.fault.message);
    }
    assert!(matches!(judge(NONE, false, 200, "[]"), Verdict::Fine));
    assert!(matches!(judge(NONE, false, 204, ""), Verdict::Fine));
    assert!(matches!(judge(NONE, false, 200, "\u{feff}{}"), Verdict::Fine));
}

#[test]
fn rules_go_before_defaults_and_the_first_that_holds_decides() {
    let own = [rule("$status == 404", Some(Code::IntegrationPermissionMissing))];
    let mut spoken = rule("$status == 200 and .ok == false", Some(Code::RemoteInputInvalid));
    spoken.message = Some(Expression::compile(".why").expect("compiles"));
    spoken.hint = Some("Do it.".to_owned());
    let mut patient = rule("$status == 403", Some(Code::RemoteRateLimitExceeded));
    patient.retry = Some(true);
    let mut empty = rule("$status == 410", None);
    empty.action = Some(RuleAction::NoRecords);
    let general = [spoken, patient, rule("$status == 403", Some(Code::RemoteInputInvalid)), empty];
    let rules = [
        ("connector.yaml streams.s.errors".to_owned(), own.as_slice()),
        ("connector.yaml errors".to_owned(), general.as_slice()),
    ];
    let (first, _) = failure(judge(&rules, false, 404, "{}"));
    assert_eq!(first.rule, "connector.yaml streams.s.errors[0]");
    assert_eq!(first.fault.code, Code::IntegrationPermissionMissing);
    let (second, again) = failure(judge(&rules, false, 200, r#"{"ok": false, "why": "Because"}"#));
    assert_eq!(second.rule, "connector.yaml errors[0]");
    assert!(second.fault.message.ends_with(": Because"), "{}", second.fault.message);
    assert_eq!((second.fault.hint.as_deref(), again), (Some("Do it."), false));
    let (third, again) = failure(judge(&rules, false, 403, "[]"));
    assert_eq!((third.rule.as_str(), again, third.retry), ("connector.yaml errors[1]", true, true));
    assert!(matches!(judge(&rules, false, 410, ""), Verdict::NoRecords));
    // A condition that fails on the shape of the answer does not hold.
    assert!(matches!(judge(&rules, false, 200, "[1]"), Verdict::Fine));
}

#[test]
fn the_vendors_words_are_found() {
    for (body, expected) in [
        (json!({"message": "a"}), Some("a")),
        (json!({"Error": {"Message": "a  b\n c"}}), Some("a b c")),
        (json!({"errors": [{"title": "t", "detail": "d"}]}), Some("d")),
        (json!({"error": "invalid_grant", "error_description": "It expired"}), Some("It expired")),
        (json!(["x", "y"]), Some("x")),
        (json!("plain text"), Some("plain text")),
        (json!("<html><title>\n503 Busy </title>"), Some("503 Busy")),
        (json!("<html>"), None),
        (json!({"a": {"b": 1}}), None),
        (json!(null), None),
    ] {
        assert_eq!(vendor_message(&body).as_deref(), expected, "{body}");
    }
}

#[test]
fn messages_are_short_and_hold_no_secret() {
    let body =
        json!({"message": format!("key s3cret-key is wrong {}", "x".repeat(2000))}).to_string();
    let (failure, _) = failure(judge(NONE, false, 403, &body));
    assert!(failure.fault.message.chars().count() <= 500);
    assert!(!failure.fault.message.contains("s3cret"));
    let failure = tried(failure, 6, Some(Duration::from_secs(7)));
    assert!(failure.fault.message.chars().count() <= 500);
    assert!(failure.fault.message.ends_with(" (tried 6 times)"));
    assert_eq!(failure.fault.retry_after_seconds, Some(7));
}
