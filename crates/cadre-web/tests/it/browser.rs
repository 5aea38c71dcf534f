//! A browser without a screen: it keeps its cookie, and sends forms with the token of their page.

use cadre_store::{NewPerson, Role};
use cadre_web::WebSettings;

use crate::app::{Answer, TestApp};

pub const PASSWORD: &str = "a horse, a battery, a staple";

pub async fn page(app: &TestApp, path: &str, cookie: &str) -> Answer {
    app.request("GET", path).header("cookie", cookie).header("accept", "text/html").send().await
}

/// The value of a cookie that an answer sets.
pub fn set_cookie(answer: &Answer, name: &str) -> Option<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    let all = all.filter_map(|value| value.to_str().ok());
    all.filter_map(|text| text.split(';').next()?.split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// The token of the forms of a page.
pub fn form_token(answer: &Answer) -> String {
    let (_, after) = answer.text.split_once("name=\"csrf\" value=\"").expect("a form");
    after.split('"').next().expect("a token").to_owned()
}

/// Fields as a form sends them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    text.finish()
}

pub struct Browser<'a> {
    app: &'a TestApp,
    pub cookie: String,
    pub token: String,
}

impl<'a> Browser<'a> {
    /// Somebody who came through a log-in link.
    pub async fn by_link(app: &'a TestApp) -> Browser<'a> {
        let token = app.store.login_link_create().await.expect("a link");
        let path = format!("/login?token={}&next=/", token.expose());
        let answer = app.request("GET", &path).send().await;
        Self::of(app, &answer).await
    }

    /// Somebody with this role, who logs in with a password.
    pub async fn with_role(app: &'a TestApp, role: Role) -> Browser<'a> {
        let email = format!("{role}@example.com");
        let new = NewPerson {
            email: email.clone(),
            name: role.to_string(),
            role,
            password: PASSWORD.into(),
        };
        app.store.person_create(new).await.expect("a store").expect("somebody new");
        let answer = log_in(app, &email, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        Self::of(app, &answer).await
    }

    async fn of(app: &'a TestApp, answer: &Answer) -> Browser<'a> {
        let value = set_cookie(answer, "cadre_session").expect("a session");
        let cookie = format!("cadre_session={value}");
        let home = page(app, "/account", &cookie).await;
        let token = form_token(&home);
        Browser { app, cookie, token }
    }

    pub async fn get(&self, path: &str) -> Answer {
        page(self.app, path, &self.cookie).await
    }

    /// Sends a form of a page.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.token.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(path, &encoded(&all)).await
    }

    /// Sends a form as it is.
    pub async fn post_raw(&self, path: &str, body: &str) -> Answer {
        self.app
            .request("POST", path)
            .header("cookie", &self.cookie)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .raw(body.to_owned())
            .send()
            .await
    }
}

/// Logs in with a password, as the form of the page does.
pub async fn log_in(app: &TestApp, email: &str, password: &str) -> Answer {
    let shown = app.request("GET", "/login").header("accept", "text/html").send().await;
    let guest = set_cookie(&shown, "cadre_guest").expect("a guest");
    let fields =
        [("csrf", form_token(&shown)), ("email", email.into()), ("password", password.into())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    app.request("POST", "/login")
        .header("cookie", &format!("cadre_guest={guest}"))
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .raw(encoded(&fields))
        .send()
        .await
}

/// A server that is reached over TLS.
pub fn over_tls() -> WebSettings {
    WebSettings { public_url: "https://cadre.example".into(), ..WebSettings::default() }
}
