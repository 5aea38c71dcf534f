//! Changes on order, so that the next sync sees something new.
//!
//! `POST /admin/mutate` takes one [`Change`] or a list of them, and answers with what was done.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ats::candidates::{apply, somebody, take_in};
use crate::dice::Dice;
use crate::hris;
use crate::plan::Plan;
use crate::table::{Row, merge};
use crate::tool::Tool;
use crate::world::State;

/// A change. A record that is not named is picked by the dice.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Change {
    /// People begin today.
    Hire {
        /// How many.
        #[serde(default = "one")]
        count: usize,
    },
    /// An employee leaves today.
    Leave {
        /// Id of the employee.
        #[serde(default)]
        id: Option<String>,
    },
    /// An employee takes another family name.
    Rename {
        /// Id of the employee.
        #[serde(default)]
        id: Option<String>,
    },
    /// People apply for a job.
    Apply {
        /// How many.
        #[serde(default = "one")]
        count: usize,
    },
    /// A job is closed.
    CloseJob {
        /// Id of the job.
        #[serde(default)]
        id: Option<String>,
    },
    /// Fields of a record are overwritten.
    Set {
        /// `hris` or `ats`.
        tool: String,
        /// Name of the list.
        table: String,
        /// Id of the record.
        id: String,
        /// New values by field; an object is merged into the one that is there.
        patch: Map<String, Value>,
    },
    /// A record is archived: only visible with `include_archived`.
    Archive {
        /// `hris` or `ats`.
        tool: String,
        /// Name of the list.
        table: String,
        /// Id of the record.
        id: String,
    },
    /// A record is gone without a trace.
    Delete {
        /// `hris` or `ats`.
        tool: String,
        /// Name of the list.
        table: String,
        /// Id of the record.
        id: String,
    },
    /// Any of hire, leave, rename, apply and close job.
    Random {
        /// How many.
        #[serde(default = "one")]
        count: usize,
    },
}

const fn one() -> usize {
    1
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    pub(crate) op: &'static str,
    tool: Tool,
    pub(crate) table: String,
    pub(crate) id: String,
}

impl Done {
    pub(crate) fn is_hris(&self) -> bool {
        self.tool == Tool::Hris
    }
}

/// Makes a change; `Err` says why it cannot be made.
pub(crate) fn perform(
    plan: &Plan,
    state: &mut State,
    now: Timestamp,
    change: Change,
) -> Result<Vec<Done>, String> {
    state.mutations += 1;
    let mut dice = Dice::of(plan.seed, "mutate", state.mutations);
    match change {
        Change::Hire { count } => Ok((0..count)
            .map(|_| done("hire", Tool::Hris, "employees", hris::hire(plan, &mut state.hris, now)))
            .collect()),
        Change::Leave { id } => {
            let id = or_any(id, state, Tool::Hris, "employees", &mut dice, |row| {
                row.value["employment"]["status"] == "active"
            })?;
            let today = now.to_zoned(TimeZone::UTC).date().to_string();
            let patch = json!({"employment": {"status": "left", "left_on": today}});
            set(state, Tool::Hris, "employees", &id, patch, now)?;
            Ok(vec![done("leave", Tool::Hris, "employees", id)])
        }
        Change::Rename { id } => {
            let id = or_any(id, state, Tool::Hris, "employees", &mut dice, |_| true)?;
            let family = crate::people::person(&mut dice, state.mutations).family;
            let given =
                state.hris["employees"].get(&id).map(|row| row.value["name"]["given"].clone());
            let given = given.as_ref().and_then(Value::as_str).unwrap_or_default();
            let patch = json!({"name": {"family": family, "display": format!("{given} {family}")}});
            set(state, Tool::Hris, "employees", &id, patch, now)?;
            Ok(vec![done("rename", Tool::Hris, "employees", id)])
        }
        Change::Apply { count } => {
            (0..count).map(|_| one_applies(plan, state, now, &mut dice)).collect()
        }
        Change::CloseJob { id } => {
            let id = or_any(id, state, Tool::Ats, "jobs", &mut dice, |row| {
                row.value["status"] == "open"
            })?;
            let patch = json!({"status": "closed", "closed_at": now.to_string()});
            set(state, Tool::Ats, "jobs", &id, patch, now)?;
            Ok(vec![done("close_job", Tool::Ats, "jobs", id)])
        }
        Change::Set { tool, table, id, patch } => {
            let tool = tool_named(&tool)?;
            set(state, tool, &table, &id, Value::Object(patch), now)?;
            Ok(vec![done("set", tool, &table, id)])
        }
        Change::Archive { tool, table, id } => {
            let tool = tool_named(&tool)?;
            let known = state
                .tables(tool)
                .get_mut(table.as_str())
                .is_some_and(|rows| rows.archive(&id, now));
            known
                .then(|| vec![done("archive", tool, &table, id.clone())])
                .ok_or_else(|| unknown(&table, &id))
        }
        Change::Delete { tool, table, id } => {
            let tool = tool_named(&tool)?;
            let known =
                state.tables(tool).get_mut(table.as_str()).is_some_and(|rows| rows.delete(&id));
            known
                .then(|| vec![done("delete", tool, &table, id.clone())])
                .ok_or_else(|| unknown(&table, &id))
        }
        Change::Random { count } => {
            let mut all = Vec::new();
            for _ in 0..count {
                let change = any(&mut dice);
                // Nobody left to leave, no job left to close: then there is nothing to change.
                all.extend(perform(plan, state, now, change).unwrap_or_default());
            }
            Ok(all)
        }
    }
}

fn any(dice: &mut Dice) -> Change {
    match dice.below(10) {
        0..3 => Change::Hire { count: 1 },
        3..5 => Change::Leave { id: None },
        5..8 => Change::Rename { id: None },
        8 => Change::Apply { count: 1 },
        _ => Change::CloseJob { id: None },
    }
}

fn one_applies(
    plan: &Plan,
    state: &mut State,
    now: Timestamp,
    dice: &mut Dice,
) -> Result<Done, String> {
    let job = or_any(None, state, Tool::Ats, "jobs", dice, |row| row.value["status"] == "open")?;
    let place = state.ats.get("candidates").map_or(0, crate::table::Table::len);
    let body = somebody(plan.seed, place, &job);
    let candidate = take_in(&mut state.ats, &body["candidate"], now);
    let application = apply(&mut state.ats, &candidate, &job, Vec::new(), now);
    Ok(done("apply", Tool::Ats, "applications", crate::table::text(&application["id"])))
}

fn done(op: &'static str, tool: Tool, table: &str, id: String) -> Done {
    Done { op, tool, table: table.to_owned(), id }
}

fn tool_named(name: &str) -> Result<Tool, String> {
    match name {
        "hris" => Ok(Tool::Hris),
        "ats" => Ok(Tool::Ats),
        "lms" => Ok(Tool::Lms),
        other => Err(format!("there is no tool `{other}`: it is `hris`, `ats` or `lms`")),
    }
}

fn unknown(table: &str, id: &str) -> String {
    format!("there is no record `{id}` in `{table}`")
}

/// The record that was named, or any that fits.
fn or_any(
    id: Option<String>,
    state: &mut State,
    tool: Tool,
    table: &str,
    dice: &mut Dice,
    fits: impl Fn(&Row) -> bool,
) -> Result<String, String> {
    if let Some(id) = id {
        return Ok(id);
    }
    let rows = state.tables(tool).get(table).map(|table| {
        table
            .rows()
            .filter(|row| !row.archived && fits(row))
            .map(|row| row.key.clone())
            .collect::<Vec<_>>()
    });
    match rows {
        Some(rows) if !rows.is_empty() => Ok(dice.pick(&rows).clone()),
        _ => Err(format!("nothing in `{table}` can be changed that way")),
    }
}

fn set(
    state: &mut State,
    tool: Tool,
    table: &str,
    id: &str,
    patch: Value,
    now: Timestamp,
) -> Result<(), String> {
    let rows =
        state.tables(tool).get_mut(table).ok_or_else(|| format!("there is no list `{table}`"))?;
    let known = rows.change(id, now, |object| {
        if let Value::Object(patch) = patch {
            merge(object, patch);
        }
    });
    if known { Ok(()) } else { Err(unknown(table, id)) }
}
