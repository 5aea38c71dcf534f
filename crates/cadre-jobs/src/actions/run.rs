//! Taking the steps of an action, each stored before the next one begins.

use std::collections::HashMap;

use cadre_connector::{Failure, Session, StepContext, Taken};
use cadre_model::fault::{Code, Fault};
use cadre_store::{ActionRun, StepRow, StepState, Store};
use serde_json::{Map, Value};

use super::prepare::Prepared;

/// Most items of one step.
const MOST_ITEMS: usize = 200;

/// Where the steps of a run are kept.
pub(crate) struct Journal<'a> {
    pub(crate) store: &'a Store,
    pub(crate) run: &'a ActionRun,
}

/// Why an action stopped.
pub(crate) enum Why {
    /// A step surely had no effect.
    Failed(Failure),
    /// Nobody knows whether a step had its effect.
    Unknown(Failure),
    /// The time was over.
    OutOfTime,
    /// The store failed.
    Store(cadre_store::Error),
}

/// An action that stopped, and what it had done before.
pub(crate) struct Stopped {
    pub(crate) why: Why,
    /// Names of the steps that were done.
    pub(crate) done: Vec<String>,
}

/// The steps that were stored, by name and item.
type Known = HashMap<(String, i64), StepRow>;

/// One step, for one item.
struct Turn<'a> {
    name: &'a str,
    item: i64,
}

/// Takes every step; what they saved, by name, and what failed without being missed.
pub(crate) async fn steps(
    session: &Session,
    action: &str,
    prepared: &Prepared,
    run_id: &str,
    started: &Value,
    journal: Option<&Journal<'_>>,
) -> Result<(Value, Vec<String>), Stopped> {
    let mut so_far = SoFar::default();
    let taken = take_all(session, action, prepared, run_id, started, journal, &mut so_far).await;
    match taken {
        Ok(saved) => Ok((saved, so_far.warnings)),
        Err(why) => Err(Stopped { why, done: so_far.done }),
    }
}

/// What has happened so far.
#[derive(Default)]
struct SoFar {
    done: Vec<String>,
    warnings: Vec<String>,
}

async fn take_all(
    session: &Session,
    action: &str,
    prepared: &Prepared,
    run_id: &str,
    started: &Value,
    journal: Option<&Journal<'_>>,
    so_far: &mut SoFar,
) -> Result<Value, Why> {
    let connector = session.connector().clone();
    let Some(section) = connector.actions().get(action) else { return Ok(Value::Null) };
    let mut known = Known::new();
    if let Some(journal) = journal {
        let rows = journal.store.action_steps(journal.run).await.map_err(Why::Store)?;
        known.extend(rows.into_iter().map(|row| ((row.step.clone(), row.item), row)));
    }
    let mut saved = Value::Object(Map::new());
    for (name, step) in &section.steps {
        let once = Value::Null;
        let context = context(prepared, &saved, &Value::Null, &once, started);
        let wanted = step.when.as_ref().map(|when| session.evaluate(when, &context));
        let wanted = wanted.transpose().map_err(|words| broken(action, name, "when", &words))?;
        if matches!(wanted, Some(Value::Null | Value::Bool(false))) {
            saved[name] = Value::Null;
            continue;
        }
        let items = match &step.each {
            None => vec![Value::Null],
            Some(each) => match session.evaluate(each, &context) {
                Ok(Value::Array(items)) if items.len() <= MOST_ITEMS => items,
                Ok(_) => return Err(broken(action, name, "each", "expected a list")),
                Err(words) => return Err(broken(action, name, "each", &words)),
            },
        };
        let mut results = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let at = i64::try_from(at).unwrap_or(i64::MAX);
            let turn = Turn { name, item: at };
            let once = Value::from(format!("{run_id}-{name}-{at}"));
            let context = StepContext { item, once: &once, ..context };
            let before = known.get(&(name.clone(), at));
            let result = take(session, action, &turn, &context, before, journal).await;
            match result {
                Ok(value) => results.push(value),
                Err(Why::Failed(failure)) if step.may_fail => {
                    so_far.warnings.push(failure.fault.message.clone());
                    skip(journal, &turn).await?;
                }
                Err(why) => return Err(why),
            }
        }
        if !results.is_empty() {
            so_far.done.push(name.clone());
        }
        saved[name] = match step.each {
            Some(_) => Value::Array(results),
            None => results.pop().unwrap_or_default(),
        };
    }
    Ok(saved)
}

/// What the expressions of an action see.
pub(crate) fn context<'a>(
    prepared: &'a Prepared,
    saved: &'a Value,
    item: &'a Value,
    once: &'a Value,
    started: &'a Value,
) -> StepContext<'a> {
    StepContext {
        input: &prepared.input,
        record: &prepared.record,
        steps: saved,
        item,
        once,
        started,
    }
}

async fn take(
    session: &Session,
    action: &str,
    turn: &Turn<'_>,
    context: &StepContext<'_>,
    before: Option<&StepRow>,
    journal: Option<&Journal<'_>>,
) -> Result<Value, Why> {
    let begun = match before {
        Some(row) if row.state == StepState::Begun => true,
        Some(row) => return Ok(row.result.clone()),
        None => false,
    };
    // Reads leave a trace too: what was there before a write tells, after a restart, what the write made.
    if let (Some(journal), false) = (journal, begun) {
        let row = turn.row(StepState::Begun, Value::Null);
        journal.store.action_step_write(journal.run, &row).await.map_err(Why::Store)?;
    }
    match session.take_step(action, turn.name, context, begun).await {
        Taken::Done { value, .. } => {
            if let Some(journal) = journal {
                let row = turn.row(StepState::Done, value.clone());
                journal.store.action_step_write(journal.run, &row).await.map_err(Why::Store)?;
            }
            Ok(value)
        }
        Taken::Refused(failure) => {
            undo(journal, turn).await;
            Err(Why::Failed(failure))
        }
        Taken::Unknown(failure) => Err(Why::Unknown(failure)),
        Taken::OutOfTime { unknown } => {
            if !unknown {
                undo(journal, turn).await;
            }
            Err(Why::OutOfTime)
        }
    }
}

/// Takes back that a step was begun. Where that fails, a repetition looks at the tool first.
async fn undo(journal: Option<&Journal<'_>>, turn: &Turn<'_>) {
    let Some(journal) = journal else { return };
    let undone = journal.store.action_step_undo(journal.run, turn.name, turn.item).await;
    if let Err(error) = undone {
        tracing::warn!(action.run = %journal.run.id, %error, "a step was not taken back");
    }
}

async fn skip(journal: Option<&Journal<'_>>, turn: &Turn<'_>) -> Result<(), Why> {
    let Some(journal) = journal else { return Ok(()) };
    let row = turn.row(StepState::Skipped, Value::Null);
    journal.store.action_step_write(journal.run, &row).await.map_err(Why::Store)
}

impl Turn<'_> {
    fn row(&self, state: StepState, result: Value) -> StepRow {
        StepRow { step: self.name.to_owned(), item: self.item, state, result }
    }
}

/// An expression of the connector that does not work is the operator's to mend.
fn broken(action: &str, step: &str, key: &str, words: &str) -> Why {
    let place = format!("actions/{action}.yaml steps.{step}.{key}");
    let fault = Fault::new(
        Code::PlatformUnknownError,
        "The connector cannot do this with what was sent; the log of this interaction says why.",
    )
    .context(format!("{place}: {words}"));
    Why::Failed(Failure { fault, rule: place, status: None, retry: false })
}
