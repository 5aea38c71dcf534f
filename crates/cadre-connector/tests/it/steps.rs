//! Log-ins of several steps, and those that are signed with the customer's key.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cadre_connector::Session;
use cadre_model::fault::Code;
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::vendor::{Setup, ids, pages, serve, setup, with_account};

type Fields = IndexMap<String, String>;

fn streams() -> String {
    "streams:\n  people:\n    request: {path: /people}\n    response: {records: .data}\n    paging: {type: none}\n"
        .to_owned()
}

/// `openssl` in a folder; what it printed.
fn openssl(folder: &std::path::Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output();
    let output = output.expect("openssl runs; it is in the package openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A new private key, and its public half in a file beside it.
fn key(folder: &std::path::Path) -> String {
    openssl(folder, &["genpkey", "-algorithm", "RSA", "-out", "key.pem"]);
    openssl(folder, &["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
    std::fs::read_to_string(folder.join("key.pem")).expect("a key")
}

/// Whether a signature is the key's, by another's arithmetic.
fn verifies(folder: &std::path::Path, message: &[u8], signature: &[u8]) {
    std::fs::write(folder.join("message"), message).expect("written");
    std::fs::write(folder.join("signature"), signature).expect("written");
    openssl(
        folder,
        &["dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "message"],
    );
}

#[tokio::test]
async fn each_step_uses_what_the_one_before_it_gave() {
    async fn authorize(Query(query): Query<Fields>) -> impl IntoResponse {
        let ok = query.get("password").is_some_and(|password| password == "s3cret-key");
        let to = if ok {
            "https://elsewhere.example/back?code=a%3Ab&x=1"
        } else {
            "https://elsewhere.example/?error=1"
        };
        (StatusCode::FOUND, [(header::LOCATION, to)])
    }
    async fn token(Form(form): Form<Fields>) -> Json<Value> {
        assert_eq!(form["code"], "a:b");
        Json(json!({"access_token": "access"}))
    }
    async fn log_in(Query(query): Query<Fields>, headers: HeaderMap) -> Json<Value> {
        assert_eq!(query["token"], "access");
        let host = headers["host"].to_str().expect("text");
        Json(json!({"id": "session-1", "home": format!("http://{host}/corp7")}))
    }
    async fn people(headers: HeaderMap) -> Json<Value> {
        assert_eq!(headers["x-session"], "session-1");
        Json(json!({"data": [{"id": 1}]}))
    }
    let router = Router::new()
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/login", get(log_in))
        .route("/corp7/people", get(people));
    let auth = r#"auth:
  type: session
  before:
    - request: {path: /authorize, query: {password: \($secrets.key)}, redirects: take}
      save: '{code: ($headers.location | capture("[?&]code=(?<code>[^&]+)").code | @urid)}'
    - request: {method: POST, path: /token, form: '{code: $session.code}'}
      save: '{access: .access_token}'
  request: {path: /login, query: {token: \($session.access)}}
  token: '{token: .id, home: .home}'
  send_as: {header: X-Session}
"#;
    // The address that the log-in named goes over the one of the manifest.
    let manifest = format!("base_url: \\($session.home // $settings.base)\n{auth}{}", streams());
    let working = setup(router.clone(), &manifest).await;
    let found = pages(&mut working.session.read("people", None)).await;
    assert_eq!(ids(&found), ["1"]);
    let shown =
        serde_json::to_string(&*working.seen.exchanges.lock().expect("lock")).expect("json");
    assert!(!shown.contains("s3cret-key") && !shown.contains("\"access\""), "{shown}");

    let base = serve(router).await;
    let refused = with_account(&base, &manifest, "wrong", |_| {});
    let failure = refused.session.check().await.expect_err("a wrong password");
    assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid);
    assert!(failure.rule.contains("auth.before[0].save"), "{failure:?}");
}

/// A server that hands out a token for a grant, and keeps what it was sent.
async fn granting(auth: &str, key: &str) -> (Setup, Arc<Mutex<Fields>>) {
    let kept: Arc<Mutex<Fields>> = Arc::default();
    async fn token(
        State(kept): State<Arc<Mutex<Fields>>>,
        Form(form): Form<Fields>,
    ) -> Json<Value> {
        *kept.lock().expect("lock") = form;
        Json(json!({"access_token": "granted", "expires_in": 600}))
    }
    async fn people(headers: HeaderMap) -> Json<Value> {
        assert_eq!(headers["authorization"], "Bearer granted");
        Json(json!({"data": [{"id": 1}]}))
    }
    let router = Router::new().route("/token", post(token)).route("/people", get(people));
    let base = serve(router.with_state(kept.clone())).await;
    let setup = with_account(&base, &format!("{auth}{}", streams()), key, |_| {});
    (setup, kept)
}

async fn read(session: &Session) {
    let found = pages(&mut session.read("people", None)).await;
    assert_eq!(ids(&found), ["1"]);
}

#[tokio::test]
async fn a_jwt_is_signed_with_the_private_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let auth = r"auth:
  type: oauth2_jwt_bearer
  token_url: \($settings.base)/token
  issuer: client-1
  subject: me@acme
  audience: them
  key_id: k1
  private_key: \($secrets.key)
  claims: {scope: read, empty: ''}
";
    let (setup, kept) = granting(auth, &key(folder.path())).await;
    read(&setup.session).await;
    let form = kept.lock().expect("lock").clone();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form["assertion"].split('.').collect();
    let part = |at: usize| URL_SAFE_NO_PAD.decode(parts[at]).expect("base64");
    let value = |at: usize| serde_json::from_slice::<Value>(&part(at)).expect("JSON");
    assert_eq!(value(0), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    let claims = value(1);
    assert_eq!(claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat"), 300);
    let mut rest = claims.as_object().expect("claims").clone();
    rest.retain(|name, _| name != "exp" && name != "iat");
    let expected = json!({"iss": "client-1", "sub": "me@acme", "aud": "them", "scope": "read"});
    assert_eq!(Value::Object(rest), expected);
    verifies(folder.path(), format!("{}.{}", parts[0], parts[1]).as_bytes(), &part(2));
    let shown = serde_json::to_string(&*setup.seen.exchanges.lock().expect("lock")).expect("json");
    assert!(!shown.contains(parts[2]), "{shown}");
}

#[tokio::test]
async fn an_assertion_is_signed_over_its_canonical_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let auth = r"auth:
  type: oauth2_saml_bearer
  token_url: \($settings.base)/token
  issuer: cadre & co
  subject: <api>
  audience: www.example.com
  private_key: \($secrets.key)
  attributes: {api_key: k}
  extra: {company_id: acme, client_id: k}
";
    let (setup, kept) = granting(auth, &key(folder.path())).await;
    read(&setup.session).await;
    let form = kept.lock().expect("lock").clone();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:saml2-bearer");
    assert_eq!((form["company_id"].as_str(), form["client_id"].as_str()), ("acme", "k"));
    let text =
        String::from_utf8(STANDARD.decode(&form["assertion"]).expect("base64")).expect("text");
    assert!(text.contains("<saml2:Issuer>cadre &amp; co</saml2:Issuer>"), "{text}");
    assert!(text.contains(">&lt;api&gt;</saml2:NameID>"), "{text}");
    let between = |from: &str, to: &str| {
        let start = text.find(from).expect("there") + from.len();
        &text[start..start + text[start..].find(to).expect("there")]
    };
    // As the standards have it: the digest is over the assertion without its signature, the signature over
    // `SignedInfo` with the namespace that it uses.
    let start = text.find("<ds:Signature ").expect("signed");
    let end = text.find("</ds:Signature>").expect("signed") + "</ds:Signature>".len();
    std::fs::write(folder.path().join("rest"), format!("{}{}", &text[..start], &text[end..]))
        .expect("written");
    let digest = openssl(folder.path(), &["dgst", "-sha256", "-binary", "rest"]);
    assert_eq!(STANDARD.encode(digest), between("<ds:DigestValue>", "</ds:DigestValue>"));
    let namespace = "<ds:SignedInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">";
    let info =
        format!("{namespace}{}</ds:SignedInfo>", between("<ds:SignedInfo>", "</ds:SignedInfo>"));
    let value =
        STANDARD.decode(between("<ds:SignatureValue>", "</ds:SignatureValue>")).expect("base64");
    verifies(folder.path(), info.as_bytes(), &value);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_anything_is_asked() {
    let auth = r"auth:
  type: oauth2_jwt_bearer
  token_url: \($settings.base)/token
  issuer: a
  private_key: \($secrets.key)
";
    let (setup, kept) = granting(auth, "no key at all").await;
    let failure = setup.session.check().await.expect_err("no key");
    assert!(failure.fault.message.contains("private key cannot be used"), "{failure:?}");
    assert!(kept.lock().expect("lock").is_empty());
}

#[tokio::test]
async fn hosts_that_are_not_named_are_not_asked() {
    let manifest = format!(
        "hosts: [acme.example]\nauth: {{type: bearer, token: \\($secrets.key)}}\n{}",
        streams()
    );
    let setup = setup(Router::new(), &manifest).await;
    let failure = setup.session.check().await.expect_err("another host");
    assert!(failure.fault.message.contains("127.0.0.1 is none of acme.example"), "{failure:?}");
    assert_eq!(setup.seen.lines(), Vec::<String>::new());
}
