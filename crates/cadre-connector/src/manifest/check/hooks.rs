//! What a tool tells by itself, and how one record is asked for.

use super::Checker;
use super::place::Place;
use crate::manifest::{Aside, Inbound, Proof, TransportKind};
use crate::problem::did_you_mean;

impl Checker<'_> {
    pub(super) fn hooks(&mut self) {
        let manifest = self.manifest;
        for (name, stream) in &manifest.streams {
            if let Some(one) = &stream.one {
                self.aside(&format!("streams/{name}/one"), one);
            }
        }
        let Some(hooks) = &manifest.webhooks else { return };
        if let Proof::Hmac { signed: Some(signed), .. } = &hooks.proof {
            self.expression("webhooks/proof/signed", signed.expr(), Place::Message);
        }
        if let Some(subscribe) = &hooks.subscribe {
            self.aside("webhooks/subscribe", subscribe);
        }
        if let Some(unsubscribe) = &hooks.unsubscribe {
            self.aside("webhooks/unsubscribe", unsubscribe);
        }
        if let Some(handshake) = &hooks.handshake {
            for (key, expression) in [("when", &handshake.when), ("answer", &handshake.answer)] {
                let path = format!("webhooks/handshake/{key}");
                self.expression(&path, expression.expr(), Place::Message);
            }
        }
        if let Some(messages) = &hooks.messages {
            self.expression("webhooks/messages", messages.expr(), Place::Message);
        }
        for (at, event) in hooks.events.iter().enumerate() {
            let here = |key: &str| format!("webhooks/events/{at}/{key}");
            for (key, expression) in [("when", &event.when), ("id", &event.id)] {
                if let Some(expression) = expression {
                    self.expression(&here(key), expression.expr(), Place::Message);
                }
            }
            let Some(stream) = manifest.streams.get(&event.stream) else {
                let known = manifest.streams.keys().map(String::as_str);
                let hint = did_you_mean(&event.stream, known);
                let hint = hint.map(|meant| format!("did you mean `{meant}`?"));
                self.at(&here("stream"), format!("there is no stream `{}`", event.stream), hint);
                continue;
            };
            if event.id.is_some() && stream.one.is_none() {
                let hint =
                    "say under `one` how a record is asked for, or leave `id` out".to_owned();
                let message = format!("the stream `{}` has no `one`", event.stream);
                self.at(&here("id"), message, Some(hint));
            }
        }
    }

    /// Who pushes has streams that ask for what was pushed.
    pub(super) fn inbound(&mut self) {
        let manifest = self.manifest;
        let Some(Inbound::Scim { users, groups }) = &manifest.inbound else { return };
        if manifest.transport != TransportKind::Http {
            self.at("inbound", "what was pushed is asked for over HTTP only", None);
        }
        for (key, pushed) in [("users", users), ("groups", groups)] {
            if !manifest.streams.contains_key(&pushed.stream) {
                let message = format!("there is no stream `{}`", pushed.stream);
                self.at(&format!("inbound/{key}/stream"), message, None);
            }
        }
    }

    fn aside(&mut self, path: &str, aside: &Aside) {
        if self.manifest.transport != TransportKind::Http {
            self.at(path, "this is asked over HTTP only", None);
        }
        let request = format!("{path}/request");
        self.request(&request, &aside.request, Place::LivePath, Place::LiveRequest);
        if let Some(records) = &aside.response.records {
            self.expression(&format!("{path}/response/records"), records.expr(), Place::LiveAnswer);
        }
        self.rules(&format!("{path}/errors"), &aside.errors, Place::LiveAnswer);
    }
}
