//! Log-ins: in time, by one at a time, repeated once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use cadre_model::fault::Code;
use serde_json::{Value, json};

use crate::vendor::{ids, pages, setup};

/// Hands out tokens, of which only the newest works, each for so many uses.
struct Door {
    issued: AtomicU64,
    used: AtomicU64,
    uses: u64,
}

impl Door {
    fn new(uses: u64) -> Arc<Door> {
        Arc::new(Door { issued: AtomicU64::new(0), used: AtomicU64::new(0), uses })
    }

    async fn issue(&self) -> String {
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.used.store(0, Ordering::SeqCst);
        format!("token-{}", self.issued.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn lets_in(&self, shown: Option<&str>) -> bool {
        let newest = format!("token-{}", self.issued.load(Ordering::SeqCst));
        shown.is_some_and(|shown| shown.contains(&newest))
            && self.used.fetch_add(1, Ordering::SeqCst) < self.uses
    }
}

fn people(router: Router<Arc<Door>>, door: Arc<Door>) -> Router {
    async fn list(State(door): State<Arc<Door>>, request: Request) -> Response {
        let shown = ["authorization", "x-session", "cookie"]
            .iter()
            .find_map(|name| request.headers().get(*name));
        if !door.lets_in(shown.and_then(|value| value.to_str().ok())) {
            return (StatusCode::UNAUTHORIZED, Json(json!({"message": "token expired"})))
                .into_response();
        }
        let query = request.uri().query().unwrap_or_default();
        let offset: u64 =
            query.split_once("offset=").and_then(|(_, text)| text.parse().ok()).unwrap_or(0);
        let data: Vec<Value> = (offset..offset + 2).map(|id| json!({"id": id})).collect();
        Json(json!({"data": data, "total": 12})).into_response()
    }
    router.route("/people", get(list)).with_state(door)
}

const STREAM: &str = "streams:
  people:
    request: {path: /people}
    response: {records: .data}
    paging: {type: offset, param: offset, size: 2, total: .total}
";

const OAUTH: &str = "auth:
  type: oauth2_client_credentials
  token_url: \\($settings.base)/token
  client_id: me
  client_secret: \\($secrets.key)
  scope: read
";

fn expected() -> Vec<String> {
    (0..12).map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn client_credentials_log_in_once_for_many_requests() {
    async fn token(
        State(door): State<Arc<Door>>,
        Form(form): Form<Vec<(String, String)>>,
    ) -> Json<Value> {
        let sent: Vec<&str> = form.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(sent, ["client_credentials", "me", "s3cret-key", "read"]);
        Json(json!({"access_token": door.issue().await, "expires_in": 3600}))
    }
    let door = Door::new(100);
    let setup = setup(
        people(Router::new().route("/token", post(token)), door.clone()),
        &format!("{OAUTH}{STREAM}"),
    )
    .await;
    let mut first = setup.session.read("people", None);
    let mut second = setup.session.read("people", None);
    let (first, second) = tokio::join!(pages(&mut first), pages(&mut second));
    assert_eq!((ids(&first), ids(&second)), (expected(), expected()));
    assert_eq!(door.issued.load(Ordering::SeqCst), 1);
    let shown = serde_json::to_string(&*setup.seen.exchanges.lock().expect("lock")).expect("json");
    assert!(!shown.contains("s3cret-key") && !shown.contains("token-1"), "{shown}");
}

#[tokio::test]
async fn an_ended_log_in_is_renewed_and_the_request_repeated() {
    async fn token(State(door): State<Arc<Door>>) -> Json<Value> {
        Json(json!({"access_token": door.issue().await}))
    }
    let door = Door::new(4);
    let setup = setup(
        people(Router::new().route("/token", post(token)), door.clone()),
        &format!("{OAUTH}{STREAM}"),
    )
    .await;
    let all = pages(&mut setup.session.read("people", None)).await;
    assert_eq!(ids(&all), expected());
    assert!(door.issued.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_log_in_that_does_not_help_is_tried_once() {
    async fn token(State(door): State<Arc<Door>>) -> Json<Value> {
        Json(json!({"access_token": door.issue().await}))
    }
    let door = Door::new(0);
    let setup = setup(
        people(Router::new().route("/token", post(token)), door.clone()),
        &format!("{OAUTH}{STREAM}"),
    )
    .await;
    let failure = setup.session.check().await.expect_err("refused");
    assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid);
    assert_eq!(
        (failure.rule.as_str(), door.issued.load(Ordering::SeqCst)),
        ("default: status 401", 2)
    );
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    async fn token(State(door): State<Arc<Door>>) -> Response {
        door.issue().await;
        (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_client"}))).into_response()
    }
    let door = Door::new(0);
    let setup = setup(
        people(Router::new().route("/token", post(token)), door.clone()),
        &format!("{OAUTH}{STREAM}"),
    )
    .await;
    let (mut a, mut b) = (setup.session.read("people", None), setup.session.read("people", None));
    let (a, b) = tokio::join!(a.next(), b.next());
    for failure in [a, b] {
        let failure = failure.expect("an end").expect_err("refused");
        assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid);
        assert!(failure.fault.message.contains("invalid_client"), "{}", failure.fault.message);
    }
    assert_eq!(door.issued.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn tokens_are_replaced_before_they_end() {
    async fn token(State(door): State<Arc<Door>>) -> Json<Value> {
        Json(json!({"access_token": door.issue().await, "expires_in": "1"}))
    }
    let door = Door::new(100);
    let setup = setup(
        people(Router::new().route("/token", post(token)), door.clone()),
        &format!("{OAUTH}{STREAM}"),
    )
    .await;
    setup.session.check().await.expect("good");
    setup.session.check().await.expect("good");
    assert_eq!(door.issued.load(Ordering::SeqCst), 1);
    tokio::time::sleep(Duration::from_millis(950)).await;
    setup.session.check().await.expect("good");
    assert_eq!(door.issued.load(Ordering::SeqCst), 2);
    assert!(
        setup.seen.lines().iter().all(|line| !line.ends_with("401")),
        "{:?}",
        setup.seen.lines()
    );
}

#[tokio::test]
async fn sessions_log_in_in_every_form() {
    async fn log_in(State(door): State<Arc<Door>>, Json(body): Json<Value>) -> Json<Value> {
        if body["password"] != "s3cret-key" {
            return Json(json!({"result": false}));
        }
        Json(json!({"result": {"token": door.issue().await, "uid": 7}}))
    }
    let log_in_at = |password: &str, send_as: &str| {
        format!(
            "auth:\n  type: session\n  request: {{method: POST, path: /login, body: '{{password: {password}}}'}}\n  \
             token: .result\n{send_as}{STREAM}"
        )
    };
    for send_as in [
        "  send_as: {header: X-Session, value: Token \\($session.token)}\n",
        "  send_as: {header: X-Session}\n",
        "  send_as: {cookie: sid}\n",
    ] {
        let door = Door::new(100);
        let router = people(Router::new().route("/login", post(log_in)), door);
        let setup = setup(router, &log_in_at("$secrets.key", send_as)).await;
        assert_eq!(
            ids(&pages(&mut setup.session.read("people", None)).await),
            expected(),
            "{send_as}"
        );
    }
    let router = people(Router::new().route("/login", post(log_in)), Door::new(100));
    let setup = setup(router, &log_in_at("\"wrong\"", "  send_as: {cookie: sid}\n")).await;
    let failure = setup.session.check().await.expect_err("no token");
    assert_eq!(failure.rule, "connector.yaml auth.token");
    assert_eq!(failure.fault.code, Code::IntegrationAuthenticationInvalid);
}

#[tokio::test]
async fn keys_are_sent_where_they_belong() {
    async fn echo(headers: HeaderMap, request: Request) -> Json<Value> {
        let header =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Json(
            json!([{"id": 1, "authorization": header("authorization"), "x": header("x-key"), "query": request.uri().query(),
            "agent": header("user-agent")}]),
        )
    }
    for (auth, key, expected) in [
        (
            "{type: basic, username: \\($secrets.key), password: x}",
            "authorization",
            "Basic czNjcmV0LWtleTp4",
        ),
        ("{type: bearer, token: \\($secrets.key)}", "authorization", "Bearer s3cret-key"),
        ("{type: header, name: X-Key, value: key=\\($secrets.key)}", "x", "key=s3cret-key"),
        ("{type: query, name: api, value: \\($secrets.key)}", "query", "a=1&api=s3cret-key"),
    ] {
        let manifest = format!(
            "auth: {auth}\nstreams: {{people: {{request: {{path: /people, query: {{a: 1}}}}, paging: {{type: none}}}}}}\n"
        );
        let setup = setup(Router::new().route("/people", get(echo)), &manifest).await;
        let all = pages(&mut setup.session.read("people", None)).await;
        let record = &all[0].records[0].value;
        assert_eq!(record[key], expected, "{auth}");
        assert_eq!(record["agent"], concat!("Cadre/", env!("CARGO_PKG_VERSION")));
        let shown =
            serde_json::to_string(&*setup.seen.exchanges.lock().expect("lock")).expect("json");
        assert!(!shown.contains("s3cret-key") && !shown.contains("czNjcmV0"), "{shown}");
    }
}
