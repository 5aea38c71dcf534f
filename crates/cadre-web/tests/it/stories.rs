//! What people do in the dashboard, in a browser: a failed action is understood from its link, a set-up is
//! unlocked, a message is sent again, a key is made for one network.

use std::net::TcpListener;
use std::time::Duration;

use cadre_jobs::webhooks;
use cadre_store::{Role, SetupStatus};
use cadre_web::WebSettings;
use serde_json::json;

use crate::actions::{Tools, applications, somebody};
use crate::app::{TestApp, on_both};
use crate::browser;
use crate::looks::serve;
use crate::receiver::{Receiver, Reply};
use crate::webdriver::Browser;

/// A browser in which an admin is logged in.
async fn admin(app: &TestApp, public_url: &str) -> Browser {
    browser::Browser::with_role(app, Role::Admin).await;
    let token = app.store.login_link_create().await.expect("a link");
    let browser = Browser::start(app.state.parts.http.clone()).await;
    browser.size(1440, 900).await;
    browser.go(&format!("{public_url}/login?token={}", token.expose())).await;
    browser.wait("main").await;
    browser
}

/// The action fails; its caller has nothing but the link.
async fn a_failed_action(app: &TestApp, browser: &Browser) {
    let tools = Tools::new(app).await;
    let closed = applications(&tools.job(app, false).await);
    let answer = tools.ask(app, ("POST", &closed), "", &somebody("nobody")).await;
    let error = &answer.json["error"];
    browser.go(error["log_url"].as_str().expect("a link")).await;
    for words in [&error["code"], &error["title"], &error["message"]] {
        browser.wait_for_words(".card.bad", words.as_str().expect("words")).await;
    }
    browser.wait_for_words(".card.bad", "Next step").await;
    // What the tool said stands below.
    browser.wait("details.exchange").await;
    tools.sandbox.stop().await;
}

async fn an_unlocked_set_up(app: &TestApp, browser: &Browser, base: &str) {
    let scope = app.integration(&app.tenant.hris).await;
    let incomplete = SetupStatus::Incomplete;
    app.store.integration_setup_status_set(&scope, incomplete).await.expect("a store");
    let read = async || app.hris("/v1/hris/employees").await;
    read().await.refused("hris", "INTEGRATION.SETUP_INCOMPLETE", 503);
    browser.go(&format!("{base}/integrations/{}/issues", app.tenant.hris)).await;
    browser.click("details.menu summary").await;
    browser.click("form[action$='/unlock'] button").await;
    browser.wait_for_words("main", "Nothing is wrong").await;
    assert_eq!(read().await.status, 200);
    browser.go(&format!("{base}/audit")).await;
    browser.wait_for_words("table.list", "integration.force-unlocked").await;
}

async fn a_message_sent_again(app: &TestApp, browser: &Browser, base: &str) {
    let receiver = Receiver::start().await;
    browser.go(&format!("{base}/webhooks")).await;
    browser.fill("input[name=url]", "ftp://example.com").await;
    // The browser itself lets any URL pass; the server does not.
    browser.click("form[action$='/webhooks'] button").await;
    browser.wait_for_words("[role=alert]", "http").await;
    browser.fill("input[name=url]", &receiver.url).await;
    browser.click("form[action$='/webhooks'] button").await;
    browser.wait("#secret").await;
    let endpoints = app.store.endpoint_list(&app.tenant.scope).await.expect("a store");
    let endpoint = endpoints.iter().find(|one| one.url == receiver.url).expect("the endpoint");
    receiver.rule(|_| Some(Reply::status(500)));
    app.sync(&app.tenant.hris, &[]).await;
    webhooks::drain(&app.state.parts, "http://localhost:8080").await.expect("a store");
    let failed = receiver.take();
    assert!(!failed.is_empty(), "it was tried");
    receiver.no_rule();
    browser.go(&format!("{base}/webhooks/{}", endpoint.id)).await;
    browser.wait_for_words("table.list", "500").await;
    browser.click("table.list form[action$='/replay'] button").await;
    let mut again = Vec::new();
    for _ in 0..50 {
        webhooks::drain(&app.state.parts, "http://localhost:8080").await.expect("a store");
        again = receiver.take();
        if !again.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = again.first().expect("it came again").header("webhook-id").to_owned();
    assert!(failed.iter().any(|one| one.header("webhook-id") == id), "the same message");
}

async fn a_key_for_one_network(app: &TestApp, browser: &Browser, base: &str) {
    browser.go(&format!("{base}/keys")).await;
    browser.fill("input[name=name]", "export").await;
    browser.fill("textarea[name=addresses]", "nowhere").await;
    browser.click("form[action$='/keys'] button").await;
    browser.wait_for_words("[role=alert]", "nowhere").await;
    browser.fill("textarea[name=addresses]", "10.0.0.0/8").await;
    browser.click("form[action$='/keys'] button").await;
    browser.wait("#key").await;
    let script = "return document.querySelector('#key').textContent;";
    let key = browser.run(script, json!([])).await;
    let key = key.as_str().expect("a key").trim();
    let check =
        async |from: &str| app.request("GET", "/v1/check-api-key").key(key).from(from).send().await;
    assert_eq!(check("10.1.2.3:400").await.status, 200);
    check("192.0.2.1:400").await.refused("general", "PLATFORM.IP_NOT_WHITELISTED", 403);
}

#[tokio::test]
async fn people_find_what_is_wrong_and_put_it_right() {
    let ours = TcpListener::bind("127.0.0.1:0").expect("a port");
    let public_url = format!("http://{}", ours.local_addr().expect("an address"));
    let settings = WebSettings { public_url: public_url.clone(), ..WebSettings::default() };
    on_both(settings, async |app: TestApp| {
        serve(ours.try_clone().expect("a listener"), app.router.clone());
        let browser = admin(&app, &public_url).await;
        let base = format!("{public_url}/env/production");
        a_failed_action(&app, &browser).await;
        an_unlocked_set_up(&app, &browser, &base).await;
        a_message_sent_again(&app, &browser, &base).await;
        a_key_for_one_network(&app, &browser, &base).await;
        browser.stop().await;
    })
    .await;
}
