//! Reports: started, waited for, and then fetched by the stream's own request.

use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::fault::Code;
use serde_json::{Map, Value};

use crate::classify::Failure;
use crate::manifest::{self, Expression, Poll, Request, Response};
use crate::request;
use crate::send::{Answer, Call};
use crate::session::Inner;

/// A request for a report, and where it stands in the stream's section.
struct Asked<'a> {
    at: usize,
    key: &'static str,
    request: &'a Request,
    response: &'a Response,
}

impl Inner {
    /// `$report` of a stream: prepared by the tool at its first request, once for a session.
    pub(super) async fn prepared(&self, at: usize) -> Result<Value, Failure> {
        let Some(report) = &self.connector.all()[at].section.report else { return Ok(Value::Null) };
        let mut reports = self.reports.lock().await;
        if let Some(known) = reports.get(&at) {
            return Ok(known.clone());
        }
        let (request, response) = (&report.start.request, &report.start.response);
        let asked = Asked { at, key: "report.start", request, response };
        let mut known = Value::Object(Map::new());
        let answer = self.ask_for_report(&asked, &known).await?;
        self.keep(&asked, &report.start.save, &answer, &mut known)?;
        if let Some(poll) = &report.poll {
            self.wait_for_report(at, poll, &mut known).await?;
        }
        reports.insert(at, known.clone());
        Ok(known)
    }

    async fn wait_for_report(
        &self,
        at: usize,
        poll: &Poll,
        known: &mut Value,
    ) -> Result<(), Failure> {
        let (request, response) = (&poll.request, &poll.response);
        let asked = Asked { at, key: "report.poll", request, response };
        let pause = Duration::from_secs(poll.every_seconds);
        let mut waited = Duration::ZERO;
        loop {
            let answer = self.ask_for_report(&asked, known).await?;
            let about = known.clone();
            let vars = self.vars().with("$report", &about);
            let vars = vars.with("$status", &answer.status).with("$headers", &answer.headers);
            if poll.failed.as_ref().is_some_and(|failed| failed.holds(&answer.body, &vars)) {
                return Err(self.no_report(at, "failed", "the tool says that it failed"));
            }
            if poll.ready.holds(&answer.body, &vars) {
                return match &poll.save {
                    Some(save) => self.keep(&asked, save, &answer, known),
                    None => Ok(()),
                };
            }
            waited += pause;
            if waited.as_secs() > poll.at_most_seconds {
                let why = format!("it was not ready after {} s", poll.at_most_seconds);
                return Err(self.no_report(at, "at_most_seconds", &why));
            }
            self.io.observer.wait("the tool prepares a report", crate::pace::milliseconds(pause));
            self.pace.sleep(pause).await;
        }
    }

    async fn ask_for_report(&self, asked: &Asked<'_>, known: &Value) -> Result<Answer, Failure> {
        let stream = &self.connector.all()[asked.at];
        let manifest = self.connector.manifest();
        let build = |vars: &Vars<'_>| request::build(manifest, asked.request, None, vars);
        let place = format!("{} {}.errors", manifest::FILE, stream.place());
        let call = Call {
            rules: vec![(place, stream.section.errors.as_slice())],
            format: asked.response.format,
            lists: &asked.response.lists,
            report: known,
            ..Call::new(stream.name(), &build)
        };
        self.call(&call).await
    }

    /// Takes what is kept of an answer into `$report`.
    fn keep(
        &self,
        asked: &Asked<'_>,
        save: &Expression,
        answer: &Answer,
        known: &mut Value,
    ) -> Result<(), Failure> {
        let about = known.clone();
        let vars = self.vars().with("$report", &about);
        let vars = vars.with("$status", &answer.status).with("$headers", &answer.headers);
        match (save.value(&answer.body, &vars), known) {
            (Ok(Value::Object(saved)), Value::Object(known))
                if saved.values().all(|value| !value.is_null()) =>
            {
                known.extend(saved);
                Ok(())
            }
            _ => {
                let why = format!("the answer has nothing at `{}`", save.expr().source());
                Err(self.no_report(asked.at, &format!("{}.save", asked.key), &why))
            }
        }
    }

    fn no_report(&self, at: usize, key: &str, why: &str) -> Failure {
        let stream = &self.connector.all()[at];
        let label = &self.connector.manifest().label;
        let message = format!("{label} prepared no report for `{}`: {why}.", stream.name());
        let key = key.trim_start_matches("report.");
        let rule = format!("{} {}.report.{key}", manifest::FILE, stream.place());
        Failure::new(Code::RemoteUnknownHttpError, rule, self.redactor().text(&message))
    }
}
