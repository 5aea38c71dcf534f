//! What the types of the manifest cannot say: names that must exist, variables that a place offers,
//! keys that belong together.

use std::collections::HashSet;
use std::sync::LazyLock;

use cadre_jq::Expr;
use regex::Regex;

use super::located::Node;
use super::{
    ErrorRule, FILE, Manifest, Pattern, Request, RuleAction, StreamSection, TransportKind, form,
};
use crate::auth::{self, Auth};
use crate::page::Paging;
use crate::problem::{Problem, did_you_mean};

/// Looks at a whole manifest.
pub(super) fn check(
    manifest: &Manifest,
    root: &Node,
    folder: Option<&str>,
    mapped: Option<&[String]>,
) -> Vec<Problem> {
    let mut checker = Checker { manifest, root, problems: Vec::new() };
    checker.identity(folder);
    checker.form();
    checker.limits();
    checker.sections();
    checker.auth();
    checker.rules("errors", &manifest.errors, Place::Rule { parent: true });
    for (name, stream) in &manifest.streams {
        checker.stream(name, stream);
    }
    checker.lookups();
    checker.own_check();
    if let Some(mapped) = mapped {
        checker.usage(mapped);
    }
    checker.problems.sort_by_key(|problem| problem.line);
    checker.problems
}

/// Where an expression stands: decides which variables mean something there.
#[derive(Clone, Copy)]
enum Place {
    /// A path: no secrets, because paths are shown.
    Path { parent: bool },
    /// Another part of a request.
    Request { parent: bool },
    /// Something looked up in an answer.
    Answer { parent: bool },
    /// The condition or message of a rule.
    Rule { parent: bool },
    /// Which records of a parent stream are asked for.
    Each,
    /// The key of a lookup.
    Key,
    /// A log-in, or a signature without one.
    LogIn,
    /// The answer of a log-in.
    LogInAnswer,
    /// A signature after a log-in.
    Signature,
    /// A server other than HTTP.
    Server,
}

impl Place {
    fn offers(self) -> Vec<&'static str> {
        let (mut variables, parent) = match self {
            Place::Path { parent } => {
                (vec!["$settings", "$session", "$page", "$lookup", "$now"], parent)
            }
            Place::Request { parent } => {
                (vec!["$settings", "$secrets", "$session", "$page", "$lookup", "$now"], parent)
            }
            Place::Answer { parent } | Place::Rule { parent } => (
                vec!["$settings", "$session", "$status", "$headers", "$page", "$lookup", "$now"],
                parent,
            ),
            Place::Each => (vec!["$settings", "$lookup", "$now"], false),
            Place::Key => (vec!["$settings", "$now"], false),
            Place::LogIn => (vec!["$settings", "$secrets", "$now"], false),
            Place::LogInAnswer => (vec!["$settings", "$status", "$headers", "$now"], false),
            Place::Signature => (vec!["$settings", "$secrets", "$session", "$now"], false),
            Place::Server => (vec!["$settings", "$secrets", "$lookup", "$now"], false),
        };
        if parent {
            variables.push("$parent");
        }
        variables
    }

    fn name(self) -> &'static str {
        match self {
            Place::Path { .. } => "a path",
            Place::Request { .. } => "a request",
            Place::Answer { .. } => "an answer",
            Place::Rule { .. } => "an error rule",
            Place::Each => "`each`",
            Place::Key => "the key of a lookup",
            Place::LogIn => "a log-in",
            Place::LogInAnswer => "the answer of a log-in",
            Place::Signature => "the signature of a request",
            Place::Server => "this section",
        }
    }
}

struct Checker<'a> {
    manifest: &'a Manifest,
    root: &'a Node,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    /// Notes a problem; the path's steps are parted by `/`.
    fn at(&mut self, path: &str, message: impl Into<String>, hint: Option<String>) {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let problem = Problem::new(FILE, message).line(self.root.line_at(&steps)).hint(hint);
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
        let fields = &self.manifest.connect.fields;
        let mut found = Vec::new();
        for capture in NAMED.captures_iter(source) {
            let (group, name) = (&capture[1], &capture[2]);
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

    fn form(&mut self) {
        static NAME: LazyLock<Regex> =
            LazyLock::new(|| Regex::new("^[a-z][a-z0-9_]*$").expect("a constant pattern"));
        let mut seen = HashSet::new();
        for (at, field) in self.manifest.connect.fields.iter().enumerate() {
            let here = |key: &str| format!("connect/fields/{at}/{key}");
            let name = &field.name;
            if !NAME.is_match(name) {
                self.at(
                    &here("name"),
                    format!("`{name}` is not a name: lower-case letters, digits, _"),
                    None,
                );
            }
            if !seen.insert(name) {
                self.at(&here("name"), format!("there are two fields `{name}`"), None);
            }
            if let Some(pattern) = &field.pattern
                && let Err(error) = form::whole(pattern)
            {
                let error = error.to_string();
                let error = error.lines().last().unwrap_or_default().to_owned();
                self.at(&here("pattern"), format!("not a regular expression: {error}"), None);
            }
            for (key, value) in [("default", &field.default), ("example", &field.example)] {
                let Some(value) = value else { continue };
                if !field.options.is_empty() && !field.options.contains(value) {
                    self.at(&here(key), format!("`{value}` is not among the options"), None);
                }
                let pattern = field.pattern.as_ref().and_then(|pattern| form::whole(pattern).ok());
                if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
                    self.at(&here(key), format!("`{value}` does not match the pattern"), None);
                }
            }
            if field.secret && field.default.is_some() {
                self.at(&here("default"), "a secret has no default", None);
            }
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

    fn auth(&mut self) {
        let manifest = self.manifest;
        let Some(auth) = &manifest.auth else { return };
        for (key, expr, place) in auth.expressions() {
            let place = match place {
                auth::Place::LogIn => Place::LogIn,
                auth::Place::Answer => Place::LogInAnswer,
                auth::Place::Signature => Place::Signature,
            };
            self.expression(&format!("auth/{key}"), expr, place);
        }
        let (send_as, errors) = match auth {
            Auth::OAuth2ClientCredentials(oauth) => (&oauth.send_as, &oauth.errors),
            Auth::Session(session) => (&session.send_as, &session.errors),
            Auth::None(_) | Auth::Basic(_) | Auth::Header(_) | Auth::Query(_) | Auth::Bearer(_) => {
                return;
            }
        };
        if send_as.as_ref().is_some_and(|send_as| send_as.places() != 1) {
            self.at(
                "auth/send_as",
                "`send_as` names exactly one of `header`, `query` and `cookie`",
                None,
            );
        }
        if errors.iter().any(|rule| rule.action.is_some()) {
            self.at("auth/errors", "a rule on a log-in has a `code`, and no `do`", None);
        }
        self.rules("auth/errors", errors, Place::LogInAnswer);
        if let Auth::Session(session) = auth {
            self.request("auth/request", &session.request, Place::LogIn, Place::LogIn);
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
                let hint = "only oauth2_client_credentials and session do".to_owned();
                self.at(&here("do"), "the connector's `auth` has no log-in to repeat", Some(hint));
            }
        }
    }

    fn request(&mut self, path: &str, request: &Request, in_path: Place, elsewhere: Place) {
        self.expression(&format!("{path}/path"), request.path.expr(), in_path);
        let source = request.path.expr().source();
        if self.manifest.base_url.is_none() && !source.starts_with("http") {
            self.at(
                &format!("{path}/path"),
                "the path is relative, but there is no `base_url`",
                None,
            );
        }
        for (name, parameter) in &request.query {
            self.expression(&format!("{path}/query/{name}"), parameter.expr(), elsewhere);
        }
        for (name, parameter) in &request.headers {
            self.expression(&format!("{path}/headers/{name}"), parameter.expr(), elsewhere);
        }
        if let Some(body) = &request.body {
            self.expression(&format!("{path}/body"), body.expr(), elsewhere);
        }
    }

    fn stream(&mut self, name: &str, stream: &StreamSection) {
        let here = |key: &str| format!("streams/{name}/{key}");
        let parent = stream.each.is_some();
        let transport = self.manifest.transport;
        let keys = [
            ("request", stream.request.is_some(), TransportKind::Http),
            ("files", stream.files.is_some(), TransportKind::Sftp),
            ("search", stream.search.is_some(), TransportKind::Ldap),
        ];
        for (key, is_there, belongs_to) in keys {
            if is_there && belongs_to != transport {
                self.at(&here(key), format!("`{key}` does not belong to this transport"), None);
            } else if !is_there && belongs_to == transport {
                self.at(
                    &here(""),
                    format!("the key `{key}` is missing in the stream `{name}`"),
                    None,
                );
            }
        }
        self.each(name, stream);
        if let Some(request) = &stream.request {
            let (path, elsewhere) = (Place::Path { parent }, Place::Request { parent });
            self.request(&here("request"), request, path, elsewhere);
        }
        if let Some(files) = &stream.files {
            match &files.pattern {
                Pattern::Plain(text) if Regex::new(text).is_err() => {
                    self.at(&here("files/pattern"), "not a regular expression", None);
                }
                Pattern::Plain(_) => {}
                Pattern::Expression(jq) => {
                    self.expression(&here("files/pattern"), jq.expr(), Place::Server)
                }
            }
            if let Some(directory) = &files.directory {
                self.expression(&here("files/directory"), directory.expr(), Place::Server);
            }
        }
        if let Some(search) = &stream.search {
            self.expression(&here("search/base"), search.base.expr(), Place::Server);
            self.expression(&here("search/filter"), search.filter.expr(), Place::Server);
        }
        if let Some(records) = &stream.response.records {
            self.expression(&here("response/records"), records.expr(), Place::Answer { parent });
        }
        self.paging(name, stream);
        self.rules(&here("errors"), &stream.errors, Place::Rule { parent });
    }

    fn each(&mut self, name: &str, stream: &StreamSection) {
        let Some(each) = &stream.each else { return };
        let here = format!("streams/{name}/each");
        if self.manifest.transport != TransportKind::Http {
            self.at(&here, "sub-requests are made over HTTP only", None);
        }
        self.known_stream(&format!("{here}/stream"), &each.stream);
        if let Some(when) = &each.when {
            self.expression(&format!("{here}/when"), when.expr(), Place::Each);
        }
        let mut up = Some(each.stream.as_str());
        let mut steps = 0;
        while let Some(parent) = up {
            steps += 1;
            if parent == name || steps > self.manifest.streams.len() {
                self.at(&here, format!("the stream `{name}` hangs on itself"), None);
                return;
            }
            let above = self.manifest.streams.get(parent).and_then(|stream| stream.each.as_ref());
            up = above.map(|each| each.stream.as_str());
        }
    }

    fn paging(&mut self, name: &str, stream: &StreamSection) {
        let here = format!("streams/{name}/paging");
        let parent = stream.each.is_some();
        let Some(paging) = &stream.paging else {
            if self.manifest.transport == TransportKind::Http {
                let hint = "state `paging: {type: none}` when there is one page".to_owned();
                self.at(
                    &format!("streams/{name}"),
                    format!("the stream `{name}` states no paging"),
                    Some(hint),
                );
            }
            return;
        };
        for (key, expression) in paging.expressions() {
            self.expression(&format!("{here}/{key}"), expression.expr(), Place::Answer { parent });
        }
        let fits = match paging {
            Paging::SearchPages(_) => self.manifest.transport == TransportKind::Ldap,
            Paging::None(_) => true,
            Paging::LinkHeader(_)
            | Paging::NextUrl(_)
            | Paging::Cursor(_)
            | Paging::Offset(_)
            | Paging::PageNumber(_) => self.manifest.transport == TransportKind::Http,
        };
        if !fits {
            self.at(&here, "this paging does not belong to this transport", None);
        }
        let (param, size) = match paging {
            Paging::Cursor(scheme) => (scheme.param.is_some(), None),
            Paging::Offset(scheme) => (scheme.param.is_some(), Some(scheme.size)),
            Paging::PageNumber(scheme) => (scheme.param.is_some(), Some(scheme.size)),
            Paging::SearchPages(scheme) => (true, Some(scheme.size)),
            Paging::None(_) | Paging::LinkHeader(_) | Paging::NextUrl(_) => (true, None),
        };
        if size == Some(0) {
            self.at(&format!("{here}/size"), "`size` is at least 1", None);
        }
        if paging.max_pages() == 0 {
            self.at(&format!("{here}/max_pages"), "`max_pages` is at least 1", None);
        }
        let says_page = stream.request.as_ref().is_some_and(|request| {
            let query =
                request.query.values().chain(request.headers.values()).map(super::Parameter::expr);
            let mut all = query
                .chain([request.path.expr()])
                .chain(request.body.iter().map(|body| body.expr()));
            all.any(|expr| expr.variables().contains(&"$page"))
        });
        if !param && !says_page {
            let hint = "state `param`, or use `$page` in the request".to_owned();
            self.at(&here, "the request does not say which page it asks for", Some(hint));
        }
    }

    fn lookups(&mut self) {
        for (name, lookup) in &self.manifest.lookups {
            let here = format!("lookups/{name}/stream");
            self.known_stream(&here, &lookup.stream);
            if self.manifest.streams.get(&lookup.stream).is_some_and(|stream| stream.each.is_some())
            {
                self.at(
                    &here,
                    format!("the stream `{}` consists of sub-requests", lookup.stream),
                    None,
                );
            }
            self.expression(&format!("lookups/{name}/key"), lookup.key.expr(), Place::Key);
        }
    }

    fn own_check(&mut self) {
        let manifest = self.manifest;
        let Some(check) = &manifest.check else { return };
        match (&check.stream, &check.request) {
            (Some(stream), None) => {
                self.known_stream("check/stream", stream);
                if manifest.streams.get(stream).is_some_and(|stream| stream.each.is_some()) {
                    self.at(
                        "check/stream",
                        format!("the stream `{stream}` consists of sub-requests"),
                        None,
                    );
                }
            }
            (None, Some(request)) => {
                if manifest.transport != TransportKind::Http {
                    self.at("check/request", "`request` does not belong to this transport", None);
                }
                let (path, elsewhere) =
                    (Place::Path { parent: false }, Place::Request { parent: false });
                self.request("check/request", request, path, elsewhere);
            }
            (Some(_), Some(_)) | (None, None) => {
                self.at("check", "`check` has exactly one of `stream` and `request`", None);
            }
        }
    }

    fn known_stream(&mut self, path: &str, name: &str) {
        if self.manifest.streams.contains_key(name) {
            return;
        }
        let known = self.manifest.streams.keys().map(String::as_str);
        let hint = did_you_mean(name, known).map(|meant| format!("did you mean `{meant}`?"));
        self.at(path, format!("there is no stream `{name}`"), hint);
    }

    /// A stream that nothing reads from costs requests for nothing.
    fn usage(&mut self, mapped: &[String]) {
        let manifest = self.manifest;
        let lookups = manifest.lookups.values().map(|lookup| lookup.stream.as_str());
        let parents = manifest
            .streams
            .values()
            .filter_map(|stream| Some(stream.each.as_ref()?.stream.as_str()));
        let checked = manifest.check.iter().filter_map(|check| check.stream.as_deref());
        let used: HashSet<&str> = mapped
            .iter()
            .map(String::as_str)
            .chain(lookups)
            .chain(parents)
            .chain(checked)
            .collect();
        for name in manifest.streams.keys().filter(|name| !used.contains(name.as_str())) {
            let hint = "a mapping reads from it with `from`".to_owned();
            self.at(
                &format!("streams/{name}"),
                format!("nothing uses the stream `{name}`"),
                Some(hint),
            );
        }
    }
}
