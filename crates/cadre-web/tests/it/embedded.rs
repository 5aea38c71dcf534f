//! The connect flow in a browser: inside a host page, opened by the official front-end library.

use std::net::TcpListener;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use cadre_web::WebSettings;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::app::{TestApp, on_both_with_consent};
use crate::connect::{by_token, sandbox};
use crate::webdriver::{Browser, root};

/// A product that embeds the flow.
const HOST: &str = r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>A product</title>
<body><h1>A product</h1><p id="outcome">nothing yet</p>
<script type="module">
import { showKomboConnect } from "/connect.mjs";
const say = (words) => { document.getElementById("outcome").textContent = words; };
window.connect = (link) => {
  showKomboConnect(link).then((token) => say(`token ${token}`), (error) => say(error.name));
};
document.body.dataset.ready = "yes";
</script></body></html>"#;

/// Serves a router on a listener for as long as the test runs.
fn serve(listener: TcpListener, router: Router) {
    listener.set_nonblocking(true).expect("a listener");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    tokio::spawn(async move { axum::serve(listener, router).await });
}

fn host() -> Router {
    let library = root().join("target/connect-sdk/node_modules/@kombo-api/connect/dist/index.mjs");
    let library = std::fs::read_to_string(library).expect("the library; scripts/setup installs it");
    let script = ([(CONTENT_TYPE, "text/javascript")], library);
    Router::new()
        .route("/", get(async || Html(HOST)))
        .route("/connect.mjs", get(async move || script))
}

/// A link as the API makes it.
async fn link(app: &TestApp, more: serde_json::Value) -> String {
    let mut body = json!({
        "end_user_email": "anna@acme.example", "end_user_organization_name": "Acme",
        "end_user_origin_id": "acme-1",
    });
    let given = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(given);
    let call = app.request("POST", "/v1/connect/create-link").key(&app.tenant.key);
    let answer = call.json(&body).send().await;
    answer.json["data"]["link"].as_str().expect("a link").to_owned()
}

/// What the host page heard of the flow.
async fn outcome(browser: &Browser) -> String {
    let script = "return document.getElementById('outcome').textContent;";
    browser.run(script, json!([])).await.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn the_flow_works_inside_another_site() {
    let ours = TcpListener::bind("127.0.0.1:0").expect("a port");
    let theirs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let public_url = format!("http://{}", ours.local_addr().expect("an address"));
    // Another site than ours, not just another port.
    let product = format!("http://localhost:{}/", theirs.local_addr().expect("an address").port());
    let settings = WebSettings { public_url, ..WebSettings::default() };
    on_both_with_consent(settings, async |app: TestApp| {
        serve(ours.try_clone().expect("a listener"), app.router.clone());
        serve(theirs.try_clone().expect("a listener"), host());
        let sandbox = sandbox().await;
        let browser = Browser::start(app.state.parts.http.clone()).await;
        browser.size(1440, 900).await;
        let open = async |link: &str| {
            browser.go(&product).await;
            browser.wait("body[data-ready]").await;
            browser.run("window.connect(arguments[0])", json!([link])).await;
            browser.enter(Some("iframe")).await;
        };

        // Wrong credentials, then right ones.
        open(&link(&app, json!({ "integration_category": "ATS" })).await).await;
        browser.fill("#q", "sandbox").await;
        browser.is_fine("choose").await;
        browser.picture("connect-choose-1440").await;
        browser.click("#tools a").await;
        browser.wait(".points").await;
        browser.is_fine("review").await;
        browser.picture("connect-review-1440").await;
        browser.click("main button").await;
        browser.fill("#base_url", &sandbox.base_url).await;
        browser.fill("#api_key", "wrong").await;
        browser.click("main form button").await;
        browser.wait_for_words("[role=alert]", "did not accept these details").await;
        browser.is_fine("refused").await;
        browser.picture("connect-refused-1440").await;
        browser.fill("#api_key", &sandbox.api_key).await;
        browser.click("main form button").await;
        browser.wait_for_words("h1", "Sandbox ATS is connected").await;
        browser.is_fine("done").await;
        browser.picture("connect-done-1440").await;
        browser.click("[data-activation]").await;
        browser.enter(None).await;
        browser.wait_for_words("#outcome", "token ").await;
        let said = outcome(&browser).await;
        let token = said.strip_prefix("token ").expect("a token");
        let activated = by_token(&app, &app.tenant.key, token).await;
        assert_eq!(activated.json["data"]["tool"], "sandboxats", "{}", activated.text);
        assert_eq!(activated.json["data"]["end_user_origin_id"], "acme-1");

        // Consent in a window of its own.
        open(&link(&app, json!({ "integration_tool": "sandboxconsent" })).await).await;
        browser.click("main button").await;
        browser.fill("#base_url", &sandbox.base_url).await;
        browser.click("main form button").await;
        browser.wait_for_words("h1", "Agree in").await;
        browser.is_fine("consent").await;
        browser.picture("connect-consent-1440").await;
        let before = browser.windows().await;
        browser.click("a.button").await;
        browser.wait_for_words("h1", "Waiting for your consent").await;
        browser.is_fine("waiting").await;
        let windows = browser.windows().await;
        let new = windows.iter().find(|window| !before.contains(window)).expect("a window");
        browser.switch(new).await;
        browser.click("#allow").await;
        browser.wait_for_words("h1", "Connected").await;
        browser.close_window().await;
        browser.switch(&before[0]).await;
        browser.enter(Some("iframe")).await;
        browser.wait_for_words("h1", "is connected").await;

        // Somebody changes their mind.
        open(&link(&app, json!({ "language": "de" })).await).await;
        browser.click("[data-close]").await;
        browser.enter(None).await;
        browser.wait_for_words("#outcome", "KomboConnectCancelledError").await;

        // On a phone.
        browser.size(390, 844).await;
        let phone = link(&app, json!({ "language": "de", "link_type": "MAGIC_LINK" })).await;
        for (page, css, name) in [
            ("", "#tools", "choose"),
            ("/tools/sandboxhris", ".points", "review"),
            ("/tools/sandboxhris/credentials", "#client_secret", "credentials"),
        ] {
            browser.go(&format!("{phone}{page}")).await;
            browser.wait(css).await;
            browser.is_fine(name).await;
            browser.picture(&format!("connect-{name}-390")).await;
        }
        browser.stop().await;
    })
    .await;
}
