//! Seeded drifts: a field of the made-up tool vanishes, or gets another name, type or words. Caught is one
//! whose field is held in the first run that meets it, with no value lost for whoever reads.

use std::collections::BTreeMap;

use cadre_jobs::{enqueue_sync, worker};
use cadre_store::{IntegrationIssueKind, RunKind, RunTrigger};
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use crate::soak::{Outcome, Soak};

/// Fields of people: where they stand in the tool, and which field they fill. The last ones are words of a
/// list.
const PLACES: &[(&str, &str)] = &[
    ("contact.work_email", "work_email"),
    ("contact.mobile", "mobile_phone_number"),
    ("personal.national_id", "ssn"),
    ("personal.tax_number", "tax_id"),
    ("personal.nationality", "nationality"),
    ("personal.birth_date", "date_of_birth"),
    ("name.given", "first_name"),
    ("name.family", "last_name"),
    ("name.display", "display_full_name"),
    ("position_title", "job_title"),
    ("personnel_number", "employee_number"),
    ("employment.hired_on", "start_date"),
    ("employment.weekly_hours", "weekly_hours"),
    ("manager.id", "manager_id"),
    ("personal.gender", "gender"),
    ("personal.marital_status", "marital_status"),
    ("employment.status", "employment_status"),
    ("employment.kind", "employment_type"),
];

/// How many of them are words.
const WORDS: usize = 4;

/// What drifts found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Drifts {
    /// Drifts that were made.
    pub made: u64,
    /// Those that were held in the first run, without a value lost.
    pub caught: u64,
    /// Values that a reader would have missed, in all of them.
    pub lost: u64,
    /// Drifts whose issue was still open after the tool was itself again.
    pub not_healed: u64,
    /// Fields that were held although they had not drifted.
    pub false_alarms: u64,
    /// Those that were not caught.
    pub missed: Vec<String>,
}

impl Drifts {
    /// What two harnesses found.
    #[must_use]
    pub fn and(mut self, other: Drifts) -> Drifts {
        self.made += other.made;
        self.caught += other.caught;
        self.lost += other.lost;
        self.not_healed += other.not_healed;
        self.false_alarms += other.false_alarms;
        self.missed.extend(other.missed);
        self
    }
}

impl Soak {
    /// Makes so many drifts, one after the other, each undone before the next.
    ///
    /// # Errors
    ///
    /// When the harness itself fails.
    pub async fn drifts(&mut self, count: u64) -> Outcome<Drifts> {
        let mut found = Drifts::default();
        if count == 0 {
            return Ok(found);
        }
        self.sync_whole().await?;
        for _ in 0..count {
            let (path, field) = *PLACES.choose(&mut self.dice).ok_or("no places")?;
            let is_word = PLACES[PLACES.len() - WORDS..].iter().any(|(known, _)| *known == path);
            let ways: &[&str] = match is_word {
                true => &["lose", "rename", "retype", "reword"],
                false => &["lose", "rename", "retype"],
            };
            let how = *ways.choose(&mut self.dice).ok_or("no ways")?;
            let before = self.values(field).await?;
            let order = json!({ "table": "employees", "path": path, "how": how });
            self.admin(reqwest::Method::POST, "drifts", &order).await?;
            self.sync_whole().await?;
            let after = self.values(field).await?;
            let lost = before.iter().filter(|(id, value)| after.get(*id) != Some(value)).count();
            let held = self.held().await?;
            let subject = format!("hris_employees.{field}");
            found.made += 1;
            found.lost += lost as u64;
            found.false_alarms += held.iter().filter(|other| **other != subject).count() as u64;
            if lost == 0 && held.contains(&subject) {
                found.caught += 1;
            } else {
                found.missed.push(format!("{how} {path}: {lost} of {} lost", before.len()));
            }
            self.admin(reqwest::Method::DELETE, "drifts", &Value::Null).await?;
            self.sync_whole().await?;
            found.not_healed += u64::from(!self.held().await?.is_empty());
        }
        Ok(found)
    }

    /// Lets a field run dry so slowly that no single run shows it: ten people lose their address at work
    /// before each sync. After how many of those an issue says so; `None`: after none of `most`.
    ///
    /// # Errors
    ///
    /// When the harness itself fails.
    pub async fn leak(&mut self, most: usize) -> Outcome<Option<usize>> {
        for _ in 0..6 {
            self.sync_whole().await?;
        }
        for run in 1..=most {
            let records = self.shown("hris_employees", false).await?;
            let full = records.iter().filter(|record| !record["work_email"].is_null());
            let gone: Vec<Value> = full
                .take(10)
                .map(|record| {
                    json!({"op": "set", "tool": "hris", "table": "employees",
                           "id": record["remote_id"], "patch": {"contact": {"work_email": null}}})
                })
                .collect();
            self.admin(reqwest::Method::POST, "mutate", &Value::Array(gone)).await?;
            self.sync_whole().await?;
            if self.held().await? == ["hris_employees.work_email"] {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    async fn sync_whole(&mut self) -> Outcome<()> {
        let trigger = RunTrigger::ForceSync;
        let asked = enqueue_sync(&self.parts.store, &self.scope, RunKind::Full, trigger).await;
        asked.map_err(|fault| fault.message)?;
        worker::drain(&self.parts).await?;
        Ok(())
    }

    /// The values of a field that callers see, by id.
    async fn values(&self, field: &str) -> Outcome<BTreeMap<String, Value>> {
        let records = self.shown("hris_employees", false).await?;
        let values = records.into_iter().filter(|record| !record[field].is_null());
        Ok(values
            .map(|record| {
                (record["id"].as_str().unwrap_or_default().to_owned(), record[field].clone())
            })
            .collect())
    }

    /// The fields that are held.
    async fn held(&self) -> Outcome<Vec<String>> {
        let issues = self.parts.store.integration_issues(&self.scope, 1_000).await?;
        let open = issues.into_iter().filter(|issue| {
            issue.resolved_at.is_none() && issue.kind == IntegrationIssueKind::FieldDegraded
        });
        Ok(open.map(|issue| issue.subject).collect())
    }
}
