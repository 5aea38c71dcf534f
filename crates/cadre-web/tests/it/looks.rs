//! Pages in a browser: the steps of the set-up from wrong credentials to the end, and every page of the
//! dashboard, accessible at both sizes and in both colours.

use std::net::TcpListener;

use axum::Router;
use cadre_jobs::worker::drain;
use cadre_store::{NewCustomField, Role};
use cadre_web::WebSettings;
use jiff::SignedDuration;
use serde_json::json;

use crate::app::{TestApp, on_both};
use crate::browser;
use crate::connect::sandbox;
use crate::webdriver::Browser;

pub fn serve(listener: TcpListener, router: Router) {
    listener.set_nonblocking(true).expect("a listener");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// The page at both sizes and in both colours.
async fn look(flaws: &mut Vec<String>, browser: &Browser, name: &str) {
    for (width, height) in [(390, 844), (1440, 900)] {
        browser.size(width, height).await;
        for scheme in ["dark", "light"] {
            browser.colours(scheme).await;
            flaws.extend(browser.flaws(&format!("{name}, {width}, {scheme}")).await);
            browser.picture(&format!("{name}-{width}-{scheme}")).await;
        }
    }
}

async fn link(app: &TestApp, path: &str, body: serde_json::Value) -> String {
    let answer = app.request("POST", path).key(&app.tenant.key).json(&body).send().await;
    answer.json["data"]["link"].as_str().expect("a link").to_owned()
}

#[tokio::test]
async fn set_up_and_dashboard_are_fine_to_look_at() {
    let ours = TcpListener::bind("127.0.0.1:0").expect("a port");
    let public_url = format!("http://{}", ours.local_addr().expect("an address"));
    let settings = WebSettings { public_url: public_url.clone(), ..WebSettings::default() };
    on_both(settings, async |app: TestApp| {
        serve(ours.try_clone().expect("a listener"), app.router.clone());
        let sandbox = sandbox().await;
        for (key, label) in [("shirt", "Size of shirts"), ("badge", "Number of the badge")] {
            let new = NewCustomField {
                model: "hris_employees".into(),
                key: key.into(),
                label: Some(label.into()),
                ..NewCustomField::default()
            };
            app.store.custom_field_create(&app.tenant.scope, new).await.expect("a store");
        }
        let mut flaws = Vec::new();
        let browser = Browser::start(app.state.parts.http.clone()).await;
        browser.size(1440, 900).await;
        let body = json!({
            "end_user_email": "anna@acme.example", "end_user_organization_name": "Acme",
            "integration_tool": "sandboxhris", "link_type": "MAGIC_LINK",
            "enable_filtering": true, "enable_field_mapping": true,
        });
        let flow = link(&app, "/v1/connect/create-link", body).await;
        browser.go(&format!("{flow}/tools/sandboxhris/credentials")).await;
        browser.fill("#base_url", &sandbox.base_url).await;
        browser.fill("#client_id", &sandbox.client_id).await;
        browser.fill("#client_secret", "wrong").await;
        browser.click("main form button").await;
        browser.wait_for_words("[role=alert]", "did not accept these details").await;
        browser.fill("#client_secret", &sandbox.client_secret).await;
        browser.click("main form button").await;
        browser.wait_for_words("h1", "Looking at what there is to choose from").await;
        look(&mut flaws, &browser, "setup-wait").await;
        app.clock.advance(SignedDuration::from_mins(1));
        drain(&app.state.parts).await.expect("it was looked at");
        browser.wait_for_words("h1", "Which fields of").await;
        look(&mut flaws, &browser, "setup-fields").await;
        browser.click("main form button").await;
        browser.wait_for_words("h1", "Which employees may be read").await;
        browser.click(".choices input[type=checkbox]").await;
        look(&mut flaws, &browser, "setup-filters").await;
        browser.click("main form button").await;
        browser.wait_for_words("h1", "is connected").await;
        look(&mut flaws, &browser, "setup-done").await;
        app.clock.advance(SignedDuration::from_mins(1));
        drain(&app.state.parts).await.expect("a sync");

        browser::Browser::with_role(&app, Role::Admin).await;
        let token = app.store.login_link_create().await.expect("a link");
        browser.go(&format!("{public_url}/login?token={}", token.expose())).await;
        browser.wait("main").await;
        let all = app.store.integration_list(&app.tenant.scope).await.expect("a store");
        let id = &all.iter().find(|one| one.setup.filtering).expect("one").id;
        let of = format!("/integrations/{id}");
        for (name, path) in [
            ("overview", String::new()),
            ("links", "/links".to_owned()),
            ("scopes", "/scopes".to_owned()),
            ("keys", "/keys".to_owned()),
            ("logs", "/logs".to_owned()),
            ("webhooks", "/webhooks".to_owned()),
            ("coverage", "/coverage".to_owned()),
            ("tool", "/coverage/sandboxhris".to_owned()),
            ("environments", "/environments".to_owned()),
            ("audit", "/audit".to_owned()),
            ("integrations", "/integrations".to_owned()),
            ("integration", of.clone()),
            ("syncs", format!("{of}/syncs")),
            ("issues", format!("{of}/issues")),
            ("scope", format!("{of}/scope")),
            ("data", format!("{of}/data")),
            ("records", format!("{of}/data/hris_employees")),
            ("settings", format!("{of}/settings")),
            ("mapping", format!("{of}/mapping")),
            ("actions", format!("{of}/actions")),
            ("action", format!("{of}/actions/hris_create_absence")),
        ] {
            browser.go(&format!("{public_url}/env/production{path}")).await;
            browser.wait("main").await;
            look(&mut flaws, &browser, &format!("dashboard-{name}")).await;
        }
        for path in ["/people", "/account"] {
            browser.go(&format!("{public_url}{path}")).await;
            browser.wait("main").await;
            look(&mut flaws, &browser, &format!("dashboard{}", path.replace('/', "-"))).await;
        }
        browser.go(&format!("{public_url}/env/production{of}/scope")).await;
        browser.go(&format!("{public_url}/env/production/scopes")).await;
        browser.click("table.list a").await;
        browser.wait("details.line").await;
        look(&mut flaws, &browser, "dashboard-scope-config").await;
        browser.stop().await;
        assert_eq!(flaws, Vec::<String>::new());
    })
    .await;
}
