//! What the types of the manifest cannot say: names that must exist, variables that a place offers,
//! keys that belong together.

mod action;
mod assessment;
mod auth;
mod connect;
mod hooks;
mod live;
mod place;
mod report;
mod request;
mod streams;

use std::sync::LazyLock;

use cadre_jq::Expr;
use regex::Regex;

pub(super) use self::action::action;
use self::place::Place;
use super::located::Node;
use super::{ErrorRule, FILE, Manifest, RuleAction, TransportKind};
use crate::auth::Auth;
use crate::problem::{Problem, did_you_mean};

/// Looks at a whole manifest.
pub(super) fn check(
    manifest: &Manifest,
    root: &Node,
    folder: Option<&str>,
    mapped: Option<&[String]>,
) -> Vec<Problem> {
    let mut checker = Checker { file: FILE, manifest, root, problems: Vec::new() };
    checker.identity(folder);
    checker.form();
    checker.limits();
    checker.sections();
    checker.auth();
    checker.hosts();
    checker.rules("errors", &manifest.errors, Place::Rule { parent: true });
    for (name, stream) in &manifest.streams {
        checker.stream(name, stream);
    }
    checker.live();
    checker.passthrough();
    checker.hooks();
    checker.assessment();
    checker.inbound();
    checker.lookups();
    checker.own_check();
    if let Some(mapped) = mapped {
        checker.usage(mapped);
    }
    checker.problems.sort_by_key(|problem| problem.line);
    checker.problems
}

struct Checker<'a> {
    file: &'a str,
    manifest: &'a Manifest,
    root: &'a Node,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    /// Notes a problem; the path's steps are parted by `/`.
    fn at(&mut self, path: &str, message: impl Into<String>, hint: Option<String>) {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let problem = Problem::new(self.file, message).line(self.root.line_at(&steps)).hint(hint);
        self.problems.push(problem);
    }

    fn expression(&mut self, path: &str, expr: &Expr, place: Place) {
        let offered = place.offers();
        for variable in expr.variables() {
            if !offered.contains(&variable) {
                let message = format!("`{variable}` means nothing in {}", place.name());
                self.at(path, message, Some(format!("offered here: {}", offered.join(", "))));
            }
        }
        self.names_in(path, expr.source());
    }

    /// Settings, secrets and lookups that an expression names must be there.
    fn names_in(&mut self, path: &str, source: &str) {
        static NAMED: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"\$(settings|secrets|lookup)\.([A-Za-z_][A-Za-z0-9_]*)")
                .expect("a constant pattern")
        });
        let manifest = self.manifest;
        let steps = manifest.setup.iter().flat_map(|step| &step.fields);
        let fields: Vec<_> = manifest.connect.fields.iter().chain(steps).collect();
        let mut found = Vec::new();
        for capture in NAMED.captures_iter(source) {
            let (group, name) = (&capture[1], &capture[2]);
            // What the tool proves itself with when it orders; it may want to see it again.
            if group == "secrets" && name == "hook" && self.manifest.assessment.is_some() {
                continue;
            }
            let (known, what): (Vec<&str>, _) = match group {
                "lookup" => (self.manifest.lookups.keys().map(String::as_str).collect(), "lookup"),
                "secrets" => (
                    fields.iter().filter(|f| f.secret).map(|f| f.name.as_str()).collect(),
                    "secret field",
                ),
                _ => (
                    fields.iter().filter(|f| !f.secret).map(|f| f.name.as_str()).collect(),
                    "field without secret",
                ),
            };
            if known.contains(&name) {
                continue;
            }
            let elsewhere = fields.iter().any(|field| field.name == name) && group != "lookup";
            let hint = match did_you_mean(name, known.iter().copied()) {
                _ if elsewhere && group == "secrets" => {
                    Some(format!("it is no secret: `$settings.{name}`"))
                }
                _ if elsewhere => Some(format!("it is a secret: `$secrets.{name}`")),
                Some(meant) => Some(format!("did you mean `{meant}`?")),
                None if known.is_empty() => None,
                None => Some(format!("there are: {}", known.join(", "))),
            };
            found.push((format!("`${group}.{name}`: there is no {what} `{name}`"), hint));
        }
        for (message, hint) in found {
            self.at(path, message, hint);
        }
    }

    fn identity(&mut self, folder: Option<&str>) {
        static SLUG: LazyLock<Regex> =
            LazyLock::new(|| Regex::new("^[a-z0-9][a-z0-9_-]*$").expect("a constant pattern"));
        let tool = &self.manifest.tool;
        if !SLUG.is_match(tool) {
            self.at(
                "tool",
                format!("`{tool}` is not a slug"),
                Some("lower-case letters, digits, - and _".into()),
            );
        }
        if let Some(folder) = folder
            && folder != tool
        {
            self.at("tool", format!("the tool is `{tool}`, but the folder is `{folder}`"), None);
        }
        if self.manifest.label.trim().is_empty() {
            self.at("label", "the label is empty", None);
        }
        if self.manifest.categories.is_empty() {
            self.at(
                "categories",
                "no category is stated",
                Some("HRIS, ATS, LMS or ASSESSMENT".into()),
            );
        }
        if self.manifest.streams.is_empty() {
            self.at("streams", "there is no stream", None);
        }
    }

    fn limits(&mut self) {
        let limits = &self.manifest.limits;
        for (at, window) in limits.requests.iter().enumerate() {
            if window.count == 0 || window.per_seconds == 0 {
                self.at(
                    &format!("limits/requests/{at}"),
                    "`count` and `per_seconds` are at least 1",
                    None,
                );
            }
        }
        if !(1..=64).contains(&limits.concurrency) {
            self.at("limits/concurrency", "`concurrency` is from 1 to 64", None);
        }
        if !(1..=600).contains(&limits.timeout_seconds) {
            self.at("limits/timeout_seconds", "`timeout_seconds` is from 1 to 600", None);
        }
        if limits.headers.reset.is_some() && limits.headers.remaining.is_none() {
            self.at(
                "limits/headers/reset",
                "`reset` is only looked at together with `remaining`",
                None,
            );
        }
    }

    /// The sections that belong to the transport.
    fn sections(&mut self) {
        let transport = self.manifest.transport;
        let server = Place::Server;
        let (http, sftp, ldap) = (TransportKind::Http, TransportKind::Sftp, TransportKind::Ldap);
        let there = [
            ("base_url", self.manifest.base_url.is_some(), http, false),
            ("auth", self.manifest.auth.is_some(), http, true),
            ("sftp", self.manifest.sftp.is_some(), sftp, true),
            ("ldap", self.manifest.ldap.is_some(), ldap, true),
        ];
        for (key, is_there, belongs_to, needed) in there {
            if is_there && belongs_to != transport {
                self.at(key, format!("`{key}` does not belong to this transport"), None);
            } else if !is_there && needed && belongs_to == transport {
                let hint = (key == "auth")
                    .then(|| "state `auth: {type: none}` when there is none".to_owned());
                self.at("", format!("the key `{key}` is missing"), hint);
            }
        }
        if let Some(base_url) = &self.manifest.base_url {
            self.expression("base_url", base_url.expr(), Place::Request { parent: false });
            let source = base_url.expr().source();
            if !["https://", "http://", "\\("].iter().any(|start| source.starts_with(start)) {
                self.at("base_url", "`base_url` does not begin with https://", None);
            }
        }
        for (name, parameter) in &self.manifest.headers {
            self.expression(
                &format!("headers/{name}"),
                parameter.expr(),
                Place::Request { parent: true },
            );
        }
        let mut parts = Vec::new();
        if let Some(section) = &self.manifest.sftp {
            parts.extend([
                ("sftp/host", Some(&section.host)),
                ("sftp/username", Some(&section.username)),
            ]);
            parts.extend([
                ("sftp/port", section.port.as_ref()),
                ("sftp/password", section.password.as_ref()),
            ]);
            parts.push(("sftp/private_key", section.private_key.as_ref()));
            parts.push(("sftp/host_key", section.host_key.as_ref()));
        }
        if let Some(section) = &self.manifest.ldap {
            parts.extend([
                ("ldap/url", Some(&section.url)),
                ("ldap/bind_dn", section.bind_dn.as_ref()),
            ]);
            parts.extend([
                ("ldap/password", section.password.as_ref()),
                ("ldap/starttls", section.starttls.as_ref()),
            ]);
            parts.push(("ldap/ca_certificates", section.ca_certificates.as_ref()));
        }
        for (path, template) in parts {
            if let Some(template) = template {
                self.expression(path, template.expr(), server);
            }
        }
    }

    fn rules(&mut self, path: &str, rules: &[ErrorRule], place: Place) {
        let logs_in = self.manifest.auth.as_ref().is_some_and(Auth::logs_in);
        for (at, rule) in rules.iter().enumerate() {
            let here = |key: &str| format!("{path}/{at}/{key}");
            self.expression(&here("when"), rule.when.expr(), place);
            if let Some(message) = &rule.message {
                self.expression(&here("message"), message.expr(), place);
            }
            if rule.code.is_none() && rule.action.is_none() {
                self.at(&here("when"), "the rule has neither `code` nor `do`", None);
            }
            if rule.action == Some(RuleAction::RefreshAuth) && !logs_in {
                let hint = "only the oauth2 mechanisms and session do".to_owned();
                self.at(&here("do"), "the connector's `auth` has no log-in to repeat", Some(hint));
            }
        }
    }
}
