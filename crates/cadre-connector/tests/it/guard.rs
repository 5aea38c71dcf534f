//! Addresses that may not be asked, and redirects to them.

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use cadre_connector::{HttpRequest, HttpSend, SendError, Wire, WireOptions};

use crate::vendor::serve;

const DEADLINE: Duration = Duration::from_secs(5);

fn request(url: &str) -> HttpRequest {
    let mut request = HttpRequest::new("GET", url.parse().expect("URL"));
    request.set_header("X-Api-Key", "secret");
    request
}

#[tokio::test]
async fn private_addresses_are_refused() {
    let wire = Wire::new(WireOptions::default()).expect("client");
    for url in [
        "http://127.0.0.1:1/",
        "http://localhost:1/",
        "http://[::1]:1/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://0x7f000001:1/",
        "http://2130706433:1/",
    ] {
        let error = wire.send(request(url), DEADLINE).await.expect_err(url);
        assert!(matches!(error, SendError::Blocked(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn redirects_are_checked_and_carry_nothing_to_other_hosts() {
    async fn echo(headers: HeaderMap) -> Response {
        format!("{:?}", headers.get("x-api-key")).into_response()
    }
    let other = serve(Router::new().route("/echo", get(echo))).await;
    let there = format!("{other}/echo");
    let router = Router::new()
        .route("/here", get(|| async { Redirect::temporary("/echo") }))
        .route("/there", get(move || async move { Redirect::temporary(&there) }))
        .route("/echo", get(echo))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route(
            "/file",
            get(|| async { (StatusCode::FOUND, [("location", "file:///etc/passwd")]) }),
        );
    let base = serve(router).await;
    let wire =
        Wire::new(WireOptions { allow_private: true, ..WireOptions::default() }).expect("client");
    let get = async |path: &str| wire.send(request(&format!("{base}{path}")), DEADLINE).await;
    assert_eq!(get("/here").await.expect("followed").body, "Some(\"secret\")");
    assert_eq!(get("/there").await.expect("followed").body, "None");
    assert!(matches!(get("/loop").await, Err(SendError::Connect(_))));
    assert!(matches!(get("/file").await, Err(SendError::Blocked(_))));
    let mut post = request(&format!("{base}/here"));
    post.method = "POST".to_owned();
    assert_eq!(wire.send(post, DEADLINE).await.expect("not followed").status, 405);
}
