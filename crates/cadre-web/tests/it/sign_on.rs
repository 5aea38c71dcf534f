//! Logging in with an identity provider: one on the loopback address, as the standard describes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cadre_jobs::oidc::Provider;
use cadre_store::{NewPerson, Role};
use cadre_web::{AppState, WebSettings, router};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::{Answer, TestApp, on_both};
use crate::browser::{PASSWORD, page, set_cookie};

const SECRET: &str = "between the two of us";

/// What the provider will say, and what it was asked.
#[derive(Clone)]
struct Identity {
    url: String,
    claims: Arc<Mutex<Value>>,
    challenge: Arc<Mutex<String>>,
}

impl Identity {
    async fn start() -> Identity {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let identity = Identity { url, claims: Arc::default(), challenge: Arc::default() };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/token", post(token))
            .with_state(identity.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        identity
    }
}

async fn describe(State(identity): State<Identity>) -> Json<Value> {
    let url = &identity.url;
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
    }))
}

async fn token(
    State(identity): State<Identity>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, http::StatusCode> {
    let basic = STANDARD.encode(format!("cadre:{}", SECRET.replace(' ', "+")));
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes()));
    let right = authorization == Some(&format!("Basic {basic}"))
        && proof == *identity.challenge.lock().expect("not poisoned")
        && form["code"] == "a code"
        && form["redirect_uri"] == "http://localhost:8080/login/oidc/callback";
    if !right {
        return Err(http::StatusCode::BAD_REQUEST);
    }
    let claims = identity.claims.lock().expect("not poisoned").to_string();
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    Ok(Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": token })))
}

/// The application with the provider configured.
fn with_provider(mut app: TestApp, identity: &Identity) -> TestApp {
    let mut parts = app.state.parts.clone();
    let mut settings = (*parts.settings).clone();
    settings.identity_provider = Some(Provider {
        issuer: identity.url.clone(),
        client_id: "cadre".into(),
        client_secret: SECRET.into(),
    });
    parts.settings = Arc::new(settings);
    let web = WebSettings::default();
    app.state = AppState::new(parts, web, Arc::default()).expect("valid settings");
    app.router = router(app.state.clone());
    app
}

/// Goes to the provider and comes back; `change` is what the provider says otherwise than usual.
async fn visit(app: &TestApp, identity: &Identity, change: Value) -> (Answer, String) {
    let away = app.request("GET", "/login/oidc").send().await;
    assert_eq!(away.status, 303, "{}", away.text);
    let kept = set_cookie(&away, "cadre_visit").expect("a cookie");
    let url = url::Url::parse(away.header("location").expect("a place")).expect("a URL");
    let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert!(url.as_str().starts_with(&format!("{}/authorize?", identity.url)));
    assert_eq!(
        (asked["response_type"].as_str(), asked["code_challenge_method"].as_str()),
        ("code", "S256")
    );
    *identity.challenge.lock().expect("not poisoned") = asked["code_challenge"].clone();
    let mut claims = json!({
        "iss": identity.url, "aud": "cadre", "exp": 4_000_000_000_i64, "nonce": asked["nonce"],
        "email": "Ada@Example.com", "email_verified": true,
    });
    for (name, value) in change.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    *identity.claims.lock().expect("not poisoned") = claims;
    let state = &asked["state"];
    let back = format!("/login/oidc/callback?code=a+code&state={state}");
    let call = app.request("GET", &back).header("cookie", &format!("cadre_visit={kept}"));
    (call.send().await, back)
}

#[tokio::test]
async fn the_provider_says_who_and_the_list_says_whether() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let identity = Identity::start().await;
        let missing = app.request("GET", "/login/oidc").send().await;
        assert_eq!(missing.status, 404, "none is configured");
        let app = with_provider(app, &identity);
        let login = app.request("GET", "/login").send().await;
        assert!(login.text.contains("href=\"/login/oidc\""), "{}", login.text);

        let (nobody, _) = visit(&app, &identity, json!({})).await;
        assert_eq!(nobody.status, 401);
        assert!(nobody.text.contains("Ada@Example.com may log in"), "{}", nobody.text);
        let new = NewPerson {
            email: "ada@example.com".into(),
            name: "Ada".into(),
            role: Role::Support,
            password: PASSWORD.into(),
        };
        app.store.person_create(new).await.expect("a store").expect("somebody new");
        let (entered, back) = visit(&app, &identity, json!({})).await;
        assert_eq!(entered.header("location"), Some("/"), "{}", entered.text);
        let session = set_cookie(&entered, "cadre_session").expect("a session");
        let account = page(&app, "/account", &format!("cadre_session={session}")).await;
        assert!(account.text.contains("role support"), "{}", account.text);

        let elsewhere = app.request("GET", &back).send().await;
        assert_eq!(elsewhere.status, 401, "another browser has not begun it");
        let wrong = app.request("GET", "/login/oidc/callback?code=a+code&state=x");
        let wrong = wrong.header("cookie", "cadre_visit=y.n.v").send().await;
        assert_eq!(wrong.status, 401);
        for change in [
            json!({"email_verified": false}),
            json!({"aud": "another"}),
            json!({"iss": "https://evil.example"}),
            json!({"nonce": "another"}),
            json!({"exp": 1_000}),
        ] {
            let (refused, _) = visit(&app, &identity, change.clone()).await;
            assert_eq!(refused.status, 401, "{change}");
            assert!(set_cookie(&refused, "cadre_session").is_none(), "{change}");
        }
        let people = app.store.people().await.expect("a store");
        app.store.person_change(&people[0].id, Role::Admin, false).await.expect("a store");
        let root = NewPerson {
            email: "root@example.com".into(),
            name: "Root".into(),
            role: Role::Admin,
            password: PASSWORD.into(),
        };
        app.store.person_create(root).await.expect("a store");
        assert!(app.store.person_change(&people[0].id, Role::Support, true).await.expect("ok"));
        let (disabled, _) = visit(&app, &identity, json!({})).await;
        assert_eq!(disabled.status, 401, "who is disabled stays out");
    })
    .await;
}
