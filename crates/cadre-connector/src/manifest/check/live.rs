//! What is asked at the moment of a call: live reads, and APIs that callers talk to themselves.

use cadre_model::live::LIVE_READS;

use super::Checker;
use super::place::Place;
use crate::manifest::TransportKind;
use crate::page::Paging;
use crate::problem::did_you_mean;

impl Checker<'_> {
    pub(super) fn live(&mut self) {
        let manifest = self.manifest;
        for (operation, live) in &manifest.live {
            let here = |key: &str| format!("live/{operation}/{key}");
            if !LIVE_READS.iter().any(|known| known.id == operation) {
                let known: Vec<&str> = LIVE_READS.iter().map(|known| known.id).collect();
                let hint = match did_you_mean(operation, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are: {}", known.join(", ")),
                };
                self.at(&here(""), format!("`{operation}` is no live read"), Some(hint));
            }
            if manifest.transport != TransportKind::Http {
                self.at(&here(""), "live reads are made over HTTP only", None);
            }
            self.request(&here("request"), &live.request, Place::LivePath, Place::LiveRequest);
            if let Some(records) = &live.response.records {
                self.expression(&here("response/records"), records.expr(), Place::LiveAnswer);
            }
            if let Some(paging) = &live.paging {
                for (key, expression) in paging.expressions() {
                    let path = here(&format!("paging/{key}"));
                    self.expression(&path, expression.expr(), Place::LiveAnswer);
                }
                if matches!(paging, Paging::SearchPages(_)) {
                    let message = "this paging does not belong to this transport";
                    self.at(&here("paging"), message, None);
                }
            }
            self.rules(&here("errors"), &live.errors, Place::LiveAnswer);
        }
    }

    pub(super) fn passthrough(&mut self) {
        let manifest = self.manifest;
        for (api, section) in &manifest.passthrough {
            let path = format!("passthrough/{api}/base_url");
            if manifest.transport != TransportKind::Http {
                self.at(&path, "callers are passed through over HTTP only", None);
            }
            let place = Place::Path { parent: false };
            self.expression(&path, section.base_url.expr(), place);
            let source = section.base_url.expr().source();
            if !["https://", "http://", "\\("].iter().any(|start| source.starts_with(start)) {
                self.at(&path, "`base_url` does not begin with https://", None);
            }
        }
    }
}
