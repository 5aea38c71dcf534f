//! Manifests, good and bad.

use serde_json::json;

use super::*;
use crate::Connector;
use crate::problem::Problem;

const GOOD: &str = r#"
tool: acmehr
label: Acme HR
categories: [HRIS]
sources:
  - https://developer.acme.example/docs
connect:
  fields:
    - name: subdomain
      label: Subdomain
      help: The first part of the address you log in at.
      pattern: ^[a-z0-9-]+$
      example: acme
    - name: api_key
      label: API key
      secret: true
    - name: region
      label: Region
      options: [eu, no]
      default: eu
      optional: true
base_url: https://\($settings.subdomain).acme.example/v1
headers:
  Accept: application/json
auth: {type: basic, username: \($secrets.api_key), password: 1234}
limits:
  requests:
    - {count: 50, per_seconds: 10}
  concurrency: 4
  headers:
    remaining: X-RateLimit-Remaining
    reset: X-RateLimit-Reset
    reset_is: epoch
check: {stream: employees}
errors:
  - when: $status == 403
    code: INTEGRATION.PERMISSION_MISSING
    message: .error.message
    hint: Grant "Employees - Read" to the API user.
  - when: $status == 404
    do: no_records
streams:
  employees:
    request:
      path: /employees
      query: {fields: full, limit: 100, since: {jq: "$settings.region"}}
    response:
      records: .data
    paging: {type: offset, param: offset, size_param: limit, size: 100, total: .total}
  absences:
    optional: true
    each: {stream: employees, when: .status != "deleted"}
    request: {path: /employees/\($parent.id)/absences}
    response: {records: .data}
    paging: {type: none}
lookups:
  regions: {stream: employees, key: .id}
"#;

fn problems(text: &str) -> Vec<Problem> {
    Connector::parse(text).err().unwrap_or_default()
}

#[test]
fn a_good_manifest_is_read() {
    let connector = Connector::parse(GOOD).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(connector.tool(), "acmehr");
    let names: Vec<&str> = connector.streams().iter().map(|stream| stream.name()).collect();
    assert_eq!(names, ["employees", "absences"]);
    assert_eq!(connector.family("employees"), ["employees", "absences"]);
    assert_eq!(connector.manifest().connect.fields[2].options, ["eu", "no"]);
}

/// What is put in place of a line of the good manifest, and what is then said, where.
#[test]
fn what_is_wrong_is_said_with_line_and_hint() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "label: Acme HR",
            "lable: Acme HR",
            "connector.yaml:3: unknown key `lable` (did you mean `label`?)",
        ),
        (
            "      path: /employees\n",
            "      pth: /employees\n",
            "connector.yaml:45: unknown key `pth` (did you mean `path`?)",
        ),
        (
            "      records: .data\n",
            "      records: .data[\n",
            "connector.yaml:48: `records`: the expression `.data[` does not compile",
        ),
        (
            "type: basic",
            "type: basik",
            "connector.yaml:25: unknown value `basik` (did you mean `basic`?)",
        ),
        (
            "type: basic",
            "type: bearer",
            "connector.yaml:25: unknown key `username` (known here: token)",
        ),
        (
            "password: 1234}",
            "pasword: x}",
            "connector.yaml:25: unknown key `pasword` (did you mean `password`?)",
        ),
        (
            ", size: 100, total: .total}",
            ", total: .total}",
            "connector.yaml:49: the key `size` is missing",
        ),
        ("size: 100,", "size: 0,", "connector.yaml:49: `size` is at least 1"),
        (
            "    paging: {type: none}\n",
            "",
            "connector.yaml:50: the stream `absences` states no paging",
        ),
        ("categories: [HRIS]", "categories: [HR]", "connector.yaml:4: unknown value `HR`"),
        (
            "INTEGRATION.PERMISSION_MISSING",
            "INTEGRATION.PERMISSION",
            "connector.yaml:37: `code`: `INTEGRATION.PERMISSION` is not a code",
        ),
        (
            "$settings.subdomain)",
            "$settings.subdomian)",
            "connector.yaml:22: `$settings.subdomian`: there is no field without secret `subdomian` (did you mean `subdomain`?)",
        ),
        (
            "\\($secrets.api_key)",
            "\\($settings.api_key)",
            "connector.yaml:25: `$settings.api_key`: there is no field without secret `api_key` (it is a secret: `$secrets.api_key`)",
        ),
        (
            "path: /employees\n",
            "path: /employees/\\($secrets.api_key)\n",
            "connector.yaml:45: `$secrets` means nothing in a path",
        ),
        (
            "path: /employees\n",
            "path: /employees/\\($parent.id)\n",
            "connector.yaml:45: `$parent` means nothing in a path",
        ),
        (
            "{stream: employees, when:",
            "{stream: employes, when:",
            "connector.yaml:52: there is no stream `employes` (did you mean `employees`?)",
        ),
        (
            "{stream: employees, when:",
            "{stream: absences, when:",
            "connector.yaml:52: the stream `absences` hangs on itself",
        ),
        ("check: {stream: employees}", "check: {}", "connector.yaml:34: `check` has exactly one"),
        (
            "do: no_records",
            "do: refresh_auth",
            "connector.yaml:41: the connector's `auth` has no log-in to repeat",
        ),
        (
            "      pattern: ^[a-z0-9-]+$",
            "      pattern: ^[a-z",
            "connector.yaml:12: not a regular expression",
        ),
        (
            "param: offset, ",
            "",
            "connector.yaml:49: the request does not say which page it asks for",
        ),
        ("count: 50", "count: 0", "connector.yaml:28: `count` and `per_seconds` are at least 1"),
        (
            "auth: {type: basic, username: \\($secrets.api_key), password: 1234}\n",
            "",
            "the key `auth` is missing",
        ),
        ("default: eu", "default: us", "connector.yaml:20: `us` is not among the options"),
        ("tool: acmehr", "tool: Acme HR", "connector.yaml:2: `Acme HR` is not a slug"),
        ("tool: acmehr", "tool: [", "connector.yaml:"),
    ];
    let mut wrong = Vec::new();
    for (good, bad, expected) in cases {
        assert!(GOOD.contains(good), "{good}");
        let said: Vec<String> =
            problems(&GOOD.replacen(good, bad, 1)).iter().map(ToString::to_string).collect();
        if !said.iter().any(|said| said.contains(expected)) {
            wrong.push(format!("{bad} -> {said:#?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Signed log-ins, steps, certificates, SOAP, reports, rows.
const MORE: &str = r#"
tool: acmehr
label: Acme HR
categories: [HRIS]
connect:
  fields:
    - {name: log_in, label: Log-in, options: [key, steps], default: key, optional: true}
    - {name: key, label: Key, secret: true, optional: true, required_when: {log_in: key}}
base_url: \($session.home // "https://acme.example")
hosts: [acme.example]
auth:
  type: by_setting
  setting: log_in
  of:
    key: {type: oauth2_jwt_bearer, token_url: "https://acme.example/token", issuer: me, private_key: \($secrets.key)}
    steps:
      type: session
      before:
        - request: {path: /one, redirects: take}
          save: '{code: .code}'
      request: {path: /two, query: {code: \($session.code)}}
      token: .token
      send_as: {header: X-Session}
client_certificate: {certificate: \($secrets.key), private_key: \($secrets.key)}
streams:
  people:
    request: {method: POST, path: /soap, soap: "<x:List xmlns:x='urn:x'/>"}
    response: {format: xml, lists: [Person], records: '[.Envelope.Body.Person[]?]'}
    paging: {type: none}
  jobs:
    each: {stream: people, rows: .jobs}
  rows:
    when: $settings.log_in == "key"
    report:
      start: {request: {method: POST, path: /reports}, save: '{id: .id}'}
      poll: {request: {path: /reports/\($report.id)}, ready: .done, every_seconds: 2}
    request: {path: /files/\($report.id)}
    response: {format: csv}
    paging: {type: none}
lookups:
  jobs: {stream: jobs, key: .id}
"#;

#[test]
fn mechanisms_that_belong_together_are_checked_together() {
    assert_eq!(problems(MORE), []);
    let cases: &[(&str, &str, &str)] = &[
        ("setting: log_in", "setting: key", "`key` is no field with `options`"),
        ("    steps:\n", "    stepz:\n", "the option `steps` has no mechanism under `of`"),
        (
            "    steps:\n",
            "    stepz:\n",
            "`stepz` is no option of `log_in` (there are: key, steps)",
        ),
        ("{log_in: key}", "{log_in: kay}", "`kay` is no option of `log_in`"),
        ("optional: true, required_when", "required_when", "a field that is always required"),
        ("issuer: me", "issuer: \\($session.x)", "`$session` means nothing in a log-in"),
        ("issuer: me", "issuer: me, lifetime_seconds: 0", "`lifetime_seconds` is from 1 to 86400"),
        ("path: /one", "path: /one/\\($session.x)", "`$session` means nothing in a log-in"),
        (
            "hosts: [acme.example]",
            "hosts: ['https://acme.example']",
            "`https://acme.example` is no host name",
        ),
        (
            "method: POST, path: /soap",
            "path: /soap",
            "SOAP requests are posted (state `method: POST`)",
        ),
        (
            "path: /soap,",
            "path: /soap, body: '{}',",
            "has one of `body`, `form`, `multipart`, `xml` and `soap`",
        ),
        ("xmlns:x='urn:x'", "xmlns:x=\\\"urn:x\\\"", "attributes stand in single quotes"),
        ("lists: [Person]", "lists: ['x:Person']", "`x:Person` is no element"),
        ("format: csv", "format: csv, lists: [a]", "`lists` names elements of XML"),
        ("rows: .jobs}", "rows: .jobs}\n    paging: {type: none}", "with `rows` nothing is asked"),
        ("$settings.log_in == \"key\"", "$now == 1", "`$now` means nothing in `when` of a stream"),
        ("every_seconds: 2", "every_seconds: 0", "`every_seconds` is at least 1"),
        ("path: /soap,", "path: /soap/\\($report.id),", "`$report` means nothing in a path"),
    ];
    let mut wrong = Vec::new();
    for (good, bad, expected) in cases {
        assert!(MORE.contains(good), "{good}");
        let said: Vec<String> =
            problems(&MORE.replacen(good, bad, 1)).iter().map(ToString::to_string).collect();
        if !said.iter().any(|said| said.contains(expected)) {
            wrong.push(format!("{bad} -> {said:#?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_field_may_be_required_by_the_value_of_another() {
    let connector = Connector::parse(MORE).expect("good");
    let accept = |input: Value| connector.manifest().accept(input.as_object().expect("an object"));
    for (input, missing) in [
        (json!({}), true),
        (json!({"log_in": "key"}), true),
        (json!({"log_in": "steps"}), false),
        (json!({"key": "k"}), false),
    ] {
        let problems = accept(input.clone()).err().unwrap_or_default();
        let said: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        let expected: &[&str] = if missing { &["Key is required."] } else { &[] };
        assert_eq!(said, expected, "{input}");
    }
}

#[test]
fn unused_streams_and_wrong_folders_are_found() {
    let mapped = ["employees".to_owned()];
    let said = load::parse(GOOD, Some("acme"), Some(&mapped)).err().unwrap_or_default();
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].contains("connector.yaml:2: the tool is `acmehr`, but the folder is `acme`"),
        "{said:#?}"
    );
    assert!(said[1].contains("connector.yaml:50: nothing uses the stream `absences`"), "{said:#?}");
}

#[test]
fn the_form_takes_what_fits() {
    let connector = Connector::parse(GOOD).expect("good");
    let accept = |input: Value| {
        let Value::Object(input) = input else { panic!("an object") };
        connector.manifest().accept(&input)
    };
    let account = accept(json!({"subdomain": " acme ", "api_key": "k\n"})).expect("accepted");
    assert_eq!(account.settings, json!({"subdomain": "acme", "region": "eu"}));
    assert_eq!(account.secrets["api_key"].expose(), "k");
    for (input, field, part) in [
        (json!({"subdomain": "acme"}), "api_key", "API key is required."),
        (json!({"subdomain": "", "api_key": "k"}), "subdomain", "required"),
        (json!({"subdomain": "a.b", "api_key": "k"}), "subdomain", "It looks like this: acme."),
        (
            json!({"subdomain": "a", "api_key": "k", "region": "us"}),
            "region",
            "must be one of: eu, no.",
        ),
        (
            json!({"subdomain": "a", "api_key": "k", "regoin": "eu"}),
            "regoin",
            "did you mean `region`?",
        ),
        (json!({"subdomain": ["a"], "api_key": "k"}), "subdomain", "must be text"),
        (json!({"subdomain": "a\nb", "api_key": "k"}), "subdomain", "right form"),
    ] {
        let problems = accept(input.clone()).expect_err("refused");
        assert!(
            problems.iter().any(|p| p.field == field && p.message.contains(part)),
            "{input}: {problems:?}"
        );
    }
}

#[test]
fn other_transports_are_read() {
    let text = r#"
tool: files
label: Files
categories: [HRIS]
connect:
  fields:
    - {name: host, label: Host}
    - {name: password, label: Password, secret: true}
transport: sftp
sftp:
  host: \($settings.host)
  username: u
  password: \($secrets.password // "")
streams:
  employees:
    files: {directory: ".", pattern: '^employees.*\.(csv|xlsx)$', pick: newest}
    response: {format: auto}
"#;
    assert_eq!(problems(text), []);
    let wrong = text.replace("files: {directory", "request: {path: /x}\n    files: {directory");
    assert!(problems(&wrong)[0].message.contains("does not belong to this transport"));
    let text = text
        .replace("transport: sftp", "transport: ldap")
        .replace(
            "sftp:\n  host: \\($settings.host)\n  username: u",
            "ldap:\n  url: ldap://\\($settings.host)\n  bind_dn: cn=a",
        )
        .replace(
            "files: {directory: \".\", pattern: '^employees.*\\.(csv|xlsx)$', pick: newest}",
            "search: {base: dc=x, filter: (a=*), attributes: ['*', entryUUID]}",
        )
        .replace("response: {format: auto}", "paging: {type: search_pages, size: 100}");
    assert_eq!(problems(&text), []);
}

#[test]
fn the_schema_knows_every_section() {
    let schema = schema();
    let text = schema.to_string();
    for word in [
        "oauth2_client_credentials",
        "page_number",
        "send_as",
        "refresh_auth",
        "additionalProperties",
        "lookups",
    ] {
        assert!(text.contains(word), "{word}");
    }
    assert!(schema["properties"]["tool"].is_object(), "{schema}");
}
