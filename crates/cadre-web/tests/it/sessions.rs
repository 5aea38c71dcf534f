//! Who gets into the dashboard, and what each may do there.

use cadre_model::ids::random_id;
use cadre_store::{NewPerson, Role, SetupStatus};
use cadre_web::WebSettings;
use cadre_web::console::routes;
use jiff::SignedDuration;

use crate::app::{TestApp, on_both};
use crate::browser::{Browser, PASSWORD, encoded, form_token, log_in, over_tls, page, set_cookie};

#[tokio::test]
async fn the_first_link_makes_the_admin() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let token = app.store.login_link_create().await.expect("a link");
        let path = format!("/login?token={}", token.expose());
        let answer = app.request("GET", &path).send().await;
        assert_eq!(answer.header("location"), Some("/welcome"));
        let session = set_cookie(&answer, "cadre_session").expect("a session");
        let cookie = format!("cadre_session={session}");
        let welcome = page(&app, "/welcome", &cookie).await;
        let csrf = form_token(&welcome);
        let send = async |password: &str, again: &str| {
            let fields = [
                ("csrf", csrf.as_str()),
                ("name", "Ada"),
                ("email", "Ada@Example.com"),
                ("password", password),
                ("again", again),
            ];
            let call = app.request("POST", "/welcome").header("cookie", &cookie);
            let call = call.header("content-type", "application/x-www-form-urlencoded");
            call.raw(encoded(&fields)).send().await
        };
        assert_eq!(send("short", "short").await.status, 422);
        assert_eq!(send(PASSWORD, "another one").await.status, 422);
        let made = send(PASSWORD, PASSWORD).await;
        assert_eq!(made.status, 303, "{}", made.text);
        let own = set_cookie(&made, "cadre_session").expect("a session");
        assert_ne!(own, session, "a session of their own");
        assert_eq!(page(&app, "/", &cookie).await.status, 401, "the link's session has ended");
        let cookie = format!("cadre_session={own}");
        let people = page(&app, "/people", &cookie).await;
        assert!(people.text.contains("ada@example.com"), "{}", people.text);
        assert_eq!(page(&app, "/welcome", &cookie).await.status, 303, "it is over");
        assert_eq!(log_in(&app, "ada@example.com", PASSWORD).await.status, 303);
    })
    .await;
}

#[tokio::test]
async fn a_session_cannot_be_put_into_a_browser_beforehand() {
    on_both(WebSettings::default(), async |app: TestApp| {
        Browser::with_role(&app, Role::Support).await;
        let shown = app.request("GET", "/login").send().await;
        let guest = set_cookie(&shown, "cadre_guest").expect("a guest");
        let planted = "x".repeat(44);
        let email = "support@example.com";
        let fields = encoded(&[
            ("csrf", &form_token(&shown)),
            ("email", email),
            ("password", PASSWORD),
            ("next", "/env/production/logs"),
        ]);
        let call = app
            .request("POST", "/login")
            .header("cookie", &format!("cadre_session={planted}; cadre_guest={guest}"))
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = call.raw(fields.clone()).send().await;
        assert_eq!(answer.header("location"), Some("/env/production/logs"));
        let given = set_cookie(&answer, "cadre_session").expect("a session");
        assert_ne!(given, planted);
        let stolen = page(&app, "/", &format!("cadre_session={planted}")).await;
        assert_eq!(stolen.status, 401);
        // A form that another site filled in has no guest's cookie, or not its token.
        for cookie in ["cadre_guest=other", ""] {
            let call = app.request("POST", "/login").header("cookie", cookie);
            let call = call.header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(call.raw(fields.clone()).send().await.status, 403);
        }
    })
    .await;
}

#[tokio::test]
async fn cookies_are_for_this_server_alone() {
    on_both(WebSettings::default(), async |app: TestApp| {
        Browser::with_role(&app, Role::Admin).await;
        let answer = log_in(&app, "admin@example.com", PASSWORD).await;
        let cookie = answer.header("set-cookie").expect("a cookie");
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "it could not be sent without TLS: {cookie}");
    })
    .await;
    on_both(over_tls(), async |app: TestApp| {
        let token = app.store.login_link_create().await.expect("a link");
        let path = format!("/login?token={}", token.expose());
        let answer = app.request("GET", &path).send().await;
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.starts_with("__Host-cadre_session="), "{cookie}");
        for flag in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(flag) && !cookie.contains("Domain"), "{cookie}");
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_passwords_make_one_wait() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let admin = Browser::with_role(&app, Role::Admin).await;
        let email = "admin@example.com";
        assert_eq!(log_in(&app, "nobody@example.com", PASSWORD).await.status, 401);
        for _ in 0..5 {
            assert_eq!(log_in(&app, email, "a wrong password").await.status, 401);
        }
        let locked = log_in(&app, email, PASSWORD).await;
        assert_eq!(locked.status, 429, "{}", locked.text);
        assert!(!locked.text.contains(PASSWORD));
        app.clock.advance(SignedDuration::from_secs(31));
        assert_eq!(log_in(&app, email, PASSWORD).await.status, 303);
        assert_eq!(admin.get("/").await.status, 200, "who is in stays in");
        app.clock.advance(SignedDuration::from_hours(13));
        assert_eq!(admin.get("/").await.status, 401, "a session ends");
    })
    .await;
}

#[tokio::test]
async fn no_act_without_the_token_of_a_form() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::by_link(&app).await;
        let other = Browser::by_link(&app).await;
        for route in routes().iter().filter(|route| route.method == "POST") {
            let path = filled(route.path, &app.tenant.hris);
            for body in [String::new(), encoded(&[("csrf", &other.token)]), "csrf=%zz".to_owned()] {
                let answer = browser.post_raw(&path, &body).await;
                assert_eq!(answer.status, 403, "{path}: {}", answer.text);
                assert!(answer.text.contains("Nothing was changed"), "{path}");
            }
            let json = app
                .request("POST", &path)
                .header("cookie", &browser.cookie)
                .header("content-type", "text/plain")
                .raw(encoded(&[("csrf", &browser.token)]));
            assert_eq!(json.send().await.status, 403, "{path}");
            let elsewhere = app
                .request("POST", &path)
                .header("cookie", &browser.cookie)
                .header("sec-fetch-site", "cross-site")
                .header("content-type", "application/x-www-form-urlencoded")
                .raw(encoded(&[("csrf", &browser.token)]));
            assert_eq!(elsewhere.send().await.status, 403, "{path}");
        }
        assert_eq!(browser.post_raw("/logout", "").await.status, 403);
        assert_eq!(browser.get("/").await.status, 200, "nobody was logged out");
    })
    .await;
}

#[tokio::test]
async fn a_role_may_what_stands_beside_the_path() {
    on_both(WebSettings::default(), async |app: TestApp| {
        for role in Role::ALL {
            let browser = Browser::with_role(&app, role).await;
            for route in routes().iter().filter(|route| role < route.needs) {
                let path = filled(route.path, &app.tenant.hris);
                let answer = match route.method {
                    "GET" => browser.get(&path).await,
                    _ => browser.post(&path, &[]).await,
                };
                assert_eq!(answer.status, 403, "{role}: {path}");
                assert!(answer.text.contains("Your role does not include this"), "{path}");
            }
            for route in routes().iter().filter(|route| role >= route.needs) {
                if route.method == "GET" {
                    let path = filled(route.path, &app.tenant.hris);
                    assert_ne!(browser.get(&path).await.status, 403, "{role}: {path}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_of_another_environment_is_there() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::by_link(&app).await;
        // The environment is named, the integration is another one's.
        for route in routes().iter().filter(|route| route.path.contains("{integration}")) {
            let path = filled(route.path, &app.other.hris);
            let answer = match route.method {
                "GET" => browser.get(&path).await,
                _ => browser.post(&path, &[("confirm", &app.other.hris)]).await,
            };
            assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        }
        let theirs = app.integration(&app.other.hris).await;
        let there =
            app.store.integration_get(&theirs).await.expect("a store").expect("it is there");
        assert!(there.deleted_at.is_none() && there.setup_status == SetupStatus::Completed);
        for path in
            ["/env/nowhere", "/env/nowhere/integrations", "/env/production/coverage/nothing"]
        {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
        let keys = app.store.api_key_list(&app.other.scope).await.expect("a store");
        let path = format!("/env/production/keys/{}/revoke", keys[0].id);
        assert_eq!(browser.post(&path, &[]).await.status, 404);
        let log = app.request("GET", "/v1/hris/employees?page_size=0").key(&app.other.key);
        let log = log.integration(&app.other.hris).send().await;
        let url = log.json["error"]["log_url"].as_str().expect("a log");
        let id = url.rsplit('/').next().expect("an id");
        assert_eq!(browser.get(&format!("/env/production/logs/{id}")).await.status, 404);
        assert_eq!(browser.get(&format!("/env/development/logs/{id}")).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn people_come_and_go() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let admin = Browser::with_role(&app, Role::Admin).await;
        let new = [
            ("name", "Grace"),
            ("email", "grace@example.com"),
            ("role", "support"),
            ("password", PASSWORD),
        ];
        assert_eq!(admin.post("/people", &new).await.status, 303);
        assert_eq!(admin.post("/people", &new).await.status, 422, "there is one of that address");
        let people = app.store.people().await.expect("a store");
        let grace = people.iter().find(|one| one.name == "Grace").expect("somebody");
        let own = people.iter().find(|one| one.role == Role::Admin).expect("somebody");
        assert_eq!(log_in(&app, "grace@example.com", PASSWORD).await.status, 303);
        let off = [("role", "support"), ("disabled", "yes")];
        assert_eq!(admin.post(&format!("/people/{}", grace.id), &off).await.status, 303);
        assert_eq!(log_in(&app, "grace@example.com", PASSWORD).await.status, 401);
        let last = admin.post(&format!("/people/{}", own.id), &[("role", "read-only")]).await;
        assert_eq!(last.status, 422, "the last admin stays one");
        let audit = admin.get("/env/production/audit?of=installation").await;
        for words in ["person.added", "person.changed", "grace@example.com", "log-in"] {
            assert!(audit.text.contains(words), "{words}: {}", audit.text);
        }
        assert!(!audit.text.contains(PASSWORD));
        // A new password ends every session, but for the one that it was changed in.
        let change =
            [("old", PASSWORD), ("password", "quite another one"), ("again", "quite another one")];
        let wrong = [("old", "guessed wrongly"), change[1], change[2]];
        assert_eq!(admin.post("/account/password", &wrong).await.status, 422);
        let changed = admin.post("/account/password", &change).await;
        assert_eq!(changed.status, 303, "{}", changed.text);
        assert_eq!(admin.get("/").await.status, 401);
        let session = set_cookie(&changed, "cadre_session").expect("a session");
        let home = page(&app, "/", &format!("cadre_session={session}")).await;
        assert_eq!(home.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_person_is_out_at_once() {
    on_both(WebSettings::default(), async |app: TestApp| {
        let browser = Browser::with_role(&app, Role::Developer).await;
        let new = NewPerson {
            email: "root@example.com".into(),
            name: "Root".into(),
            role: Role::Admin,
            password: PASSWORD.into(),
        };
        app.store.person_create(new).await.expect("a store");
        let people = app.store.people().await.expect("a store");
        let id = &people.iter().find(|one| one.role == Role::Developer).expect("one").id;
        assert_eq!(browser.get("/").await.status, 200);
        assert!(app.store.person_change(id, Role::Developer, true).await.expect("a store"));
        assert_eq!(browser.get("/").await.status, 401);
    })
    .await;
}

fn filled(path: &str, integration: &str) -> String {
    path.replace("{env}", "production")
        .replace("{integration}", integration)
        .replace("{model}", "hris_employees")
        .replace("{tool}", "sandboxhris")
        .replace("{interaction}", &random_id())
        .replace("{person}", &random_id())
        .replace("{record}", &random_id())
        .replace("{issue}", &random_id())
        .replace("{run}", &random_id())
        .replace("{endpoint}", &random_id())
        .replace("{key}", &random_id())
        .replace("{posting}", &random_id())
        .replace("{application}", &random_id())
}
