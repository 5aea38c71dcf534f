//! Reports that a tool prepares.

use super::Checker;
use super::place::Place;
use crate::manifest::{Report, TransportKind};

impl Checker<'_> {
    pub(super) fn report(&mut self, stream: &str, report: &Report, parent: bool) {
        let here = |key: &str| format!("streams/{stream}/report/{key}");
        if self.manifest.transport != TransportKind::Http || parent {
            let message =
                "a report belongs to streams that are asked over HTTP, and not per record";
            self.at(&here(""), message, None);
        }
        let (path, elsewhere) = (Place::Path { parent: false }, Place::Request { parent: false });
        self.request(&here("start/request"), &report.start.request, path, elsewhere);
        self.response(&here("start/response"), &report.start.response);
        self.expression(&here("start/save"), report.start.save.expr(), Place::ReportAnswer);
        let Some(poll) = &report.poll else { return };
        let (path, elsewhere) = (Place::ReportPath, Place::ReportRequest);
        self.request(&here("poll/request"), &poll.request, path, elsewhere);
        self.response(&here("poll/response"), &poll.response);
        let looks = [("ready", Some(&poll.ready)), ("failed", poll.failed.as_ref())];
        for (key, expression) in looks.into_iter().chain([("save", poll.save.as_ref())]) {
            if let Some(expression) = expression {
                self.expression(
                    &here(&format!("poll/{key}")),
                    expression.expr(),
                    Place::ReportAnswer,
                );
            }
        }
        if poll.every_seconds == 0 || poll.at_most_seconds < poll.every_seconds {
            let message = "`every_seconds` is at least 1, and `at_most_seconds` no less";
            self.at(&here("poll/every_seconds"), message, None);
        }
    }
}
