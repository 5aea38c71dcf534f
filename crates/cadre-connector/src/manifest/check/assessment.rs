//! Whether what a tool asks of us holds together: the section `assessment`.

use super::place::Place;
use crate::manifest::{AssessmentCall, Proof};

impl super::Checker<'_> {
    pub(super) fn assessment(&mut self) {
        let manifest = self.manifest;
        let Some(section) = &manifest.assessment else { return };
        if let Proof::Hmac { signed: Some(signed), .. } = &section.proof {
            self.expression("assessment/proof/signed", signed.expr(), Place::Message);
        }
        for (name, request) in &section.requests {
            let here = format!("assessment/requests/{name}");
            let expressions = [
                ("order", &request.order, Place::Message),
                ("order_id", &request.order_id, Place::Message),
                ("answer", &request.answer, Place::Message),
                ("rejected", &request.rejected, Place::Message),
            ];
            for (key, expression, place) in expressions {
                if let Some(expression) = expression {
                    self.expression(&format!("{here}/{key}"), expression.expr(), place);
                }
            }
            let missing = match request.does {
                AssessmentCall::Order if request.order.is_none() => Some("order"),
                AssessmentCall::Status if request.order_id.is_none() => Some("order_id"),
                _ => None,
            };
            if let Some(key) = missing {
                self.at(&here, format!("this request needs `{key}`"), None);
            }
        }
    }
}
