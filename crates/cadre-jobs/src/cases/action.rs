//! Cases of actions: a caller's body in, requests to the tool, and what the caller is answered.

use std::path::Path;

use cadre_connector::{Failure, HttpSend, Session};
use cadre_map::Mapping;
use cadre_model::action::{self, Answer, Checked};
use cadre_model::fault::{Code, Fault};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::compare::alike;
use super::{Yield, plain, read_json};
use crate::actions::files::Fetcher;
use crate::actions::outcome::{learned, named};
use crate::actions::prepare::{
    Prepared, not_taken, own_input, refuse, remote_fields, unknown_fields,
};
use crate::actions::{run, screening, unknown_outcome};
use crate::catalog::Entry;

/// Largest file of a case, in bytes.
const MOST_BYTES: u64 = 50 << 20;

/// `action` of a `case.yaml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionCase {
    /// Id of the action.
    operation: String,
    /// What the caller sends; `body.json` instead where that is easier to write.
    body: Option<Map<String, Value>>,
    /// `$record`, of actions whose path names one.
    #[serde(default)]
    record: Value,
    /// The screening questions of the job, as the list of jobs shows them.
    #[serde(default)]
    questions: Vec<Value>,
}

/// What an action answered.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Remote id of the record that is answered with.
    id: Option<String>,
    /// What is answered with in its place.
    answer: Value,
    warnings: Vec<String>,
}

/// `result.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    id: Option<String>,
    #[serde(default)]
    answer: Value,
    /// Each is part of one warning.
    #[serde(default)]
    warnings: Vec<String>,
}

impl ActionCase {
    /// Does what the case orders against the recorded exchanges.
    pub(super) async fn run(
        &self,
        path: &Path,
        entry: &Entry,
        session: &Session,
        maps: &[Mapping],
        http: &dyn HttpSend,
        found: &mut Yield,
    ) -> Result<(), String> {
        let action = action::action(&self.operation)
            .ok_or_else(|| format!("case.yaml: action: there is no `{}`", self.operation))?;
        let section = entry.connector.actions().get(action.id);
        let section = section.ok_or_else(|| format!("actions/{}.yaml is missing", action.id))?;
        if action.about.is_some() && !self.record["remote_id"].is_string() {
            return Err("case.yaml: action: `record.remote_id` is missing".into());
        }
        let body = match &self.body {
            Some(body) => body.clone(),
            None => read_json(path, "body.json")?.unwrap_or_default(),
        };
        let mut checked = action::check(action.body, &body);
        let wrong = std::mem::take(&mut checked.wrong);
        let prepared = match refuse(wrong) {
            Ok(()) => self.prepare(&checked, entry, action, http).await?,
            Err(fault) => Err(fault),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => {
                found.failure = Some(failure(fault, "the body"));
                return Ok(());
            }
        };
        let started = session.now().clone();
        let taken = run::steps(session, action.id, &prepared, "case", &started, None).await;
        let (saved, warnings) = match taken {
            Ok(taken) => taken,
            Err(stopped) => {
                let label = &entry.connector.manifest().label;
                found.failure = Some(why(stopped.why, label, action));
                return Ok(());
            }
        };
        let nothing = Value::Null;
        let see = run::context(&prepared, &saved, &nothing, &nothing, &started);
        let in_file = |words: String| format!("actions/{}.yaml: {words}", action.id);
        let (mapped, issues) = learned(section, session, maps, &see).map_err(in_file)?;
        for record in &mapped {
            found.records.entry(record.model.id).or_default().push(plain(record));
            found.issues.extend(record.issues.clone());
        }
        found.issues.extend(issues);
        let yields = |expression: &Option<_>| match expression {
            Some(expression) => session.evaluate(expression, &see).map_err(in_file),
            None => Ok(Value::Null),
        };
        let mut done = Done { warnings: prepared.warnings.clone(), ..Done::default() };
        done.warnings.extend(warnings);
        match action.answer {
            Answer::Nothing => {}
            Answer::Own(_) => done.answer = yields(&section.answer)?,
            Answer::Made(..) => {
                done.id = named(&yields(&section.id)?);
                done.answer = yields(&section.answer)?;
            }
            Answer::Record(_) | Answer::RecordWith(..) => done.id = named(&yields(&section.id)?),
        }
        found.done = Some(done);
        Ok(())
    }

    /// What the steps work with, or why the body is refused.
    async fn prepare(
        &self,
        checked: &Checked,
        entry: &Entry,
        action: &'static action::Action,
        http: &dyn HttpSend,
    ) -> Result<Result<Prepared, Fault>, String> {
        let manifest = entry.connector.manifest();
        let section = entry.connector.actions().get(action.id);
        let mut prepared = Prepared {
            input: checked.value.clone(),
            record: self.record.clone(),
            warnings: unknown_fields(checked).collect(),
        };
        for reference in &checked.references {
            let remote = reference.id.strip_prefix("remote:").ok_or_else(|| {
                format!("{}: in a case, ids are those of the tool: `remote:…`", reference.path)
            })?;
            if let Some(place) = prepared.input.pointer_mut(&reference.pointer) {
                *place = remote.into();
            }
        }
        let mut wrong = Vec::new();
        let questions: Vec<Value> = self.questions.iter().map(with_ids).collect();
        screening::hold(
            &questions,
            &str::to_owned,
            &checked.value,
            &mut prepared.input,
            &mut wrong,
        );
        wrong.extend(remote_fields(&mut prepared, &manifest.tool, &manifest.label, section));
        wrong.extend(own_input(action, &mut prepared, &manifest.tool, section));
        if let Err(fault) = refuse(wrong) {
            return Ok(Err(fault));
        }
        prepared.warnings.extend(not_taken(action, checked, &manifest.label, section));
        let restrictions = section.and_then(|section| section.attachments.as_ref());
        let fetcher = Fetcher { http, most_bytes: MOST_BYTES, restrictions };
        Ok(match fetcher.fetch(checked, &mut prepared.input).await {
            Ok(()) => Ok(prepared),
            Err(fault) => Err(fault),
        })
    }
}

/// A question, and its options, with ids that a case can write: `remote:` and the id in the tool.
fn with_ids(question: &Value) -> Value {
    let named = |one: &Value| {
        let mut one = one.clone();
        if let (Some(remote), None) = (one["remote_id"].as_str(), one.get("id")) {
            one["id"] = format!("remote:{remote}").into();
        }
        one
    };
    let mut question = named(question);
    if let Some(Value::Array(options)) = question.pointer_mut("/format/options") {
        *options = options.iter().map(named).collect();
    }
    question
}

fn failure(fault: Fault, rule: &str) -> Failure {
    Failure { fault, rule: rule.to_owned(), status: None, retry: false }
}

fn why(why: run::Why, label: &str, action: &action::Action) -> Failure {
    match why {
        run::Why::Failed(failure) => failure,
        run::Why::Unknown(lost) => failure(unknown_outcome(label, action, &lost), &lost.rule),
        run::Why::OutOfTime => {
            let words = "The tool was too slow.";
            failure(Fault::new(Code::PlatformTaskTimedOut, words), "the time of an action")
        }
        run::Why::Store(error) => failure(Fault::unknown(error), "the store"),
    }
}

/// Compares what was answered with `result.json`.
pub(super) fn compare(
    path: &Path,
    found: &Yield,
    differences: &mut Vec<String>,
) -> Result<(), String> {
    let expected: Option<Expected> = read_json(path, "result.json")?;
    let (expected, done) = match (expected, &found.done) {
        (Some(expected), Some(done)) => (expected, done),
        (None, Some(_)) => {
            differences.push("the action was done, but there is no result.json".into());
            return Ok(());
        }
        // The error was compared before.
        (_, None) => return Ok(()),
    };
    if expected.id != done.id {
        differences.push(format!("result: id: expected {:?}, got {:?}", expected.id, done.id));
    }
    if !alike(&expected.answer, &done.answer) {
        let (wanted, came) = (&expected.answer, &done.answer);
        differences.push(format!("result: answer: expected {wanted}, got {came}"));
    }
    let mut left: Vec<&String> = done.warnings.iter().collect();
    for part in &expected.warnings {
        match left.iter().position(|warning| warning.contains(part.as_str())) {
            Some(at) => {
                left.remove(at);
            }
            None => differences.push(format!("warning expected, but not there: {part:?}")),
        }
    }
    differences.extend(left.iter().map(|warning| format!("warning not expected: {warning:?}")));
    Ok(())
}
