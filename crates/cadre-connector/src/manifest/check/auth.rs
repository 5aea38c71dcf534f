//! How requests prove who sends them: what belongs to a mechanism, and to a choice of several.

use super::Checker;
use super::place::Place;
use crate::auth::{self, Auth, BySetting, SendAs, SessionLogIn};
use crate::manifest::{ErrorRule, TransportKind};

impl Checker<'_> {
    pub(super) fn auth(&mut self) {
        let manifest = self.manifest;
        if let Some(auth) = &manifest.auth {
            self.mechanism("auth", auth);
        }
        let Some(certificate) = &manifest.client_certificate else { return };
        if manifest.transport != TransportKind::Http {
            let message = "`client_certificate` does not belong to this transport";
            self.at("client_certificate", message, None);
        }
        for (path, expr) in certificate.expressions() {
            self.expression(path, expr, Place::LogIn);
        }
    }

    pub(super) fn hosts(&mut self) {
        for (at, host) in self.manifest.hosts.iter().enumerate() {
            let plain = |letter: char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter)
            };
            if host.is_empty() || !host.chars().all(plain) || host.starts_with('.') {
                let hint =
                    Some("a name such as acme.example; hosts below it are meant too".to_owned());
                self.at(&format!("hosts/{at}"), format!("`{host}` is no host name"), hint);
            }
        }
    }

    fn mechanism(&mut self, path: &str, auth: &Auth) {
        // With steps before it, what they saved may be used by the log-in.
        let stepwise = matches!(auth, Auth::Session(session) if !session.before.is_empty());
        for (key, expr, place) in auth.expressions() {
            let place = match place {
                auth::Place::LogIn => Place::LogIn,
                auth::Place::Answer if stepwise => Place::LogInStepAnswer,
                auth::Place::Answer => Place::LogInAnswer,
                auth::Place::Signature => Place::Signature,
            };
            self.expression(&format!("{path}/{key}"), expr, place);
        }
        let (send_as, errors): (&Option<SendAs>, &[ErrorRule]) = match auth {
            Auth::OAuth2ClientCredentials(oauth) => (&oauth.send_as, &oauth.errors),
            Auth::OAuth2AuthorizationCode(oauth) => (&oauth.send_as, &oauth.errors),
            Auth::OAuth2JwtBearer(oauth) => {
                self.lifetime(path, oauth.lifetime_seconds);
                (&oauth.send_as, &oauth.errors)
            }
            Auth::OAuth2SamlBearer(oauth) => {
                self.lifetime(path, oauth.lifetime_seconds);
                (&oauth.send_as, &oauth.errors)
            }
            Auth::Session(session) => {
                self.session(path, session);
                (&session.send_as, &session.errors)
            }
            Auth::BySetting(choice) => return self.choice(path, choice),
            Auth::None(_)
            | Auth::Basic(_)
            | Auth::Header(_)
            | Auth::Query(_)
            | Auth::Bearer(_)
            | Auth::WsSecurity(_) => return,
        };
        if send_as.as_ref().is_some_and(|send_as| send_as.places() != 1) {
            let message = "`send_as` names exactly one of `header`, `query` and `cookie`";
            self.at(&format!("{path}/send_as"), message, None);
        }
        self.log_in_rules(&format!("{path}/errors"), errors);
    }

    fn log_in_rules(&mut self, path: &str, errors: &[ErrorRule]) {
        if errors.iter().any(|rule| rule.action.is_some()) {
            self.at(path, "a rule on a log-in has a `code`, and no `do`", None);
        }
        self.rules(path, errors, Place::LogInAnswer);
    }

    fn lifetime(&mut self, path: &str, seconds: i64) {
        if !(1..=86_400).contains(&seconds) {
            let message = "`lifetime_seconds` is from 1 to 86400";
            self.at(&format!("{path}/lifetime_seconds"), message, None);
        }
    }

    fn session(&mut self, path: &str, session: &SessionLogIn) {
        let place = if session.before.is_empty() { Place::LogIn } else { Place::Signature };
        self.request(&format!("{path}/request"), &session.request, place, place);
        for (at, step) in session.before.iter().enumerate() {
            let here = |key: &str| format!("{path}/before/{at}/{key}");
            let place = if at == 0 { Place::LogIn } else { Place::Signature };
            self.request(&here("request"), &step.request, place, place);
            self.log_in_rules(&here("errors"), &step.errors);
        }
    }

    fn choice(&mut self, path: &str, choice: &BySetting) {
        let field = self.manifest.connect.fields.iter().find(|field| field.name == choice.setting);
        let here = format!("{path}/setting");
        let Some(field) = field.filter(|field| !field.secret && !field.options.is_empty()) else {
            let message = format!("`{}` is no field with `options`", choice.setting);
            return self.at(&here, message, None);
        };
        let missing = field.options.iter().filter(|option| !choice.of.contains_key(*option));
        for option in missing.cloned().collect::<Vec<_>>() {
            self.at(&here, format!("the option `{option}` has no mechanism under `of`"), None);
        }
        for (option, auth) in &choice.of {
            let path = format!("{path}/of/{option}");
            if !field.options.contains(option) {
                let hint = Some(format!("there are: {}", field.options.join(", ")));
                self.at(&path, format!("`{option}` is no option of `{}`", choice.setting), hint);
            }
            match auth {
                Auth::BySetting(_) => self.at(&path, "a choice holds no other choice", None),
                // Whether consent is asked for must be known before the form is filled in.
                Auth::OAuth2AuthorizationCode(_) => {
                    self.at(&path, "consent is no option of a choice", None);
                }
                _ => self.mechanism(&path, auth),
            }
        }
    }
}
