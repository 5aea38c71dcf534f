//! Streams, and what names them: paging, sub-requests, lookups, the check.

use std::collections::HashSet;

use regex::Regex;

use super::Checker;
use super::place::Place;
use crate::manifest::{Parameter, Pattern, StreamSection, TransportKind};
use crate::page::Paging;
use crate::problem::did_you_mean;

impl Checker<'_> {
    pub(super) fn stream(&mut self, name: &str, stream: &StreamSection) {
        let here = |key: &str| format!("streams/{name}/{key}");
        let parent = stream.each.is_some();
        let transport = self.manifest.transport;
        let keys = [
            ("request", stream.request.is_some(), TransportKind::Http),
            ("files", stream.files.is_some(), TransportKind::Sftp),
            ("search", stream.search.is_some(), TransportKind::Ldap),
        ];
        let has_rows = stream.each.as_ref().is_some_and(|each| each.rows.is_some());
        for (key, is_there, belongs_to) in keys {
            if is_there && belongs_to != transport {
                self.at(&here(key), format!("`{key}` does not belong to this transport"), None);
            } else if !is_there && belongs_to == transport && !has_rows {
                self.at(
                    &here(""),
                    format!("the key `{key}` is missing in the stream `{name}`"),
                    None,
                );
            }
        }
        if let Some(when) = &stream.when {
            self.expression(&here("when"), when.expr(), Place::Settings);
        }
        self.each(name, stream);
        if let Some(request) = &stream.request {
            let (path, elsewhere) = match stream.report {
                Some(_) => (Place::ReportPath, Place::ReportRequest),
                None => (Place::Path { parent }, Place::Request { parent }),
            };
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
        self.response(&here("response"), &stream.response);
        if let Some(report) = &stream.report {
            self.report(name, report, parent);
        }
        if let Some(delta) = &stream.delta {
            let (path, elsewhere) = (Place::DeltaPath, Place::DeltaRequest);
            self.request(&here("delta/request"), &delta.request, path, elsewhere);
            if let Some(mark) = &delta.mark {
                self.expression(&here("delta/mark"), mark.expr(), Place::Key);
            }
            if parent || transport != TransportKind::Http {
                let words =
                    "`delta` belongs to streams that are asked over HTTP, and not per record";
                self.at(&here("delta"), words, None);
            }
            if self.manifest.lookups.values().any(|lookup| lookup.stream == name) {
                let words =
                    "a stream that a lookup is made of is read whole: `delta` means nothing here";
                self.at(&here("delta"), words, None);
            }
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
        if let Some(rows) = &each.rows {
            self.expression(&format!("{here}/rows"), rows.expr(), Place::Each);
            if stream.request.is_some() || stream.paging.is_some() {
                let message = "with `rows` nothing is asked: leave `request` and `paging` out";
                self.at(&format!("{here}/rows"), message, None);
            }
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
            let has_rows = stream.each.as_ref().is_some_and(|each| each.rows.is_some());
            if self.manifest.transport == TransportKind::Http && !has_rows {
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
            let query = request.query.values().chain(request.headers.values()).map(Parameter::expr);
            let mut all = query
                .chain([request.path.expr()])
                .chain(request.body.iter().map(|body| body.expr()))
                .chain(request.form.iter().map(|form| form.expr()))
                .chain(request.xml.iter().chain(&request.soap).map(|text| text.expr()));
            all.any(|expr| expr.variables().contains(&"$page"))
        });
        if !param && !says_page {
            let hint = "state `param`, or use `$page` in the request".to_owned();
            self.at(&here, "the request does not say which page it asks for", Some(hint));
        }
    }

    pub(super) fn lookups(&mut self) {
        for (name, lookup) in &self.manifest.lookups {
            let here = format!("lookups/{name}/stream");
            self.known_stream(&here, &lookup.stream);
            self.expression(&format!("lookups/{name}/key"), lookup.key.expr(), Place::Key);
        }
    }

    pub(super) fn own_check(&mut self) {
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
                self.response("check/response", &check.response);
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
    pub(super) fn usage(&mut self, mapped: &[String]) {
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
