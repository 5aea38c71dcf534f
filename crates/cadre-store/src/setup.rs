//! What an end customer has to do after signing in, and what they chose.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqlx::Row;

use crate::connect_links;
use crate::integrations::{Integration, SetupStatus, read_in};
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::IntegrationScope;

/// Values that employees must have one of, by what they are values of. What has no value limits nothing.
pub type EmployeeFilter = BTreeMap<String, Vec<String>>;

/// The steps of one integration's set-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether the end customer chooses which employees are read.
    pub filtering: bool,
    /// What they chose; none until they have confirmed it.
    pub filter: Option<EmployeeFilter>,
    /// Whether the end customer says which of their fields fill the custom fields.
    pub field_mapping: bool,
    /// Whether they have said it.
    pub fields_mapped: bool,
    /// Steps of the tool's own that must be done.
    pub required: BTreeSet<String>,
    /// Steps of the tool's own that were done.
    pub done: BTreeSet<String>,
    /// When it was last looked at what there is to choose from.
    pub looked_at: Option<i64>,
}

impl Setup {
    /// Whether a step is left that must be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        (self.filtering && self.filter.is_none())
            || (self.field_mapping && !self.fields_mapped)
            || !self.required.is_subset(&self.done)
    }

    /// The filter that is in force.
    #[must_use]
    pub fn in_force(&self) -> Option<&EmployeeFilter> {
        self.filter.as_ref().filter(|_| self.filtering)
    }

    /// Whether the two lead to the same records.
    #[must_use]
    pub fn reads_as(&self, other: &Setup) -> bool {
        self.is_open() == other.is_open() && self.in_force() == other.in_force()
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "filtering": self.filtering,
            "filter": self.filter,
            "field_mapping": self.field_mapping,
            "fields_mapped": self.fields_mapped,
            "required": self.required,
            "done": self.done,
            "looked_at": self.looked_at,
        })
    }

    pub(crate) fn of_json(value: &Value) -> Self {
        let flag = |name: &str| value[name].as_bool().unwrap_or_default();
        let texts = |list: &Value| -> Vec<String> {
            let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        let filter = value["filter"].as_object();
        Self {
            filtering: flag("filtering"),
            filter: filter.map(|of| of.iter().map(|(k, v)| (k.clone(), texts(v))).collect()),
            field_mapping: flag("field_mapping"),
            fields_mapped: flag("fields_mapped"),
            required: texts(&value["required"]).into_iter().collect(),
            done: texts(&value["done"]).into_iter().collect(),
            looked_at: value["looked_at"].as_i64(),
        }
    }
}

/// A value that employees can be chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterChoice {
    /// What it is a value of.
    pub field: String,
    /// The value; empty for employees that have none.
    pub value: String,
    /// What people call it.
    pub label: String,
    /// How many employees have it.
    pub employees: u64,
}

impl Store {
    /// Changes the set-up of an integration, and with it where the set-up stands: with open steps it is
    /// incomplete, and once they are done a sync must follow. Another filter makes the data out of date.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_setup_change(
        &self,
        scope: &IntegrationScope,
        change: impl FnOnce(&mut Setup),
    ) -> Result<Option<Integration>, Error> {
        let (mut tx, before) = self.begin_change(scope).await?;
        let Some(mut integration) = read_in(&mut tx, scope.environment_id(), scope.id()).await?
        else {
            return Ok(None);
        };
        let was = integration.setup.clone();
        change(&mut integration.setup);
        let now = self.now();
        if integration.setup.is_open() {
            integration.setup_status = SetupStatus::Incomplete;
        } else if integration.setup_status == SetupStatus::Incomplete {
            integration.setup_status = SetupStatus::FinalSyncPending;
        }
        let others = !integration.setup.reads_as(&was);
        if others {
            integration.data_expired_at = Some(now);
            integration.drop_accepted = true;
        }
        sqlx::query(
            "UPDATE integrations SET setup = $3, setup_status = $4,
                 data_expired_at = CASE WHEN $5 = 1 THEN $6 ELSE data_expired_at END,
                 drop_accepted = CASE WHEN $5 = 1 THEN 1 ELSE drop_accepted END
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(integration.setup.to_json().to_string())
        .bind(integration.setup_status.as_str())
        .bind(i64::from(others))
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("change the set-up of an integration")?;
        self.commit_change(tx, scope, before).await?;
        Ok(Some(integration))
    }

    /// Notes that everything a set-up link asks for was done.
    ///
    /// # Errors
    ///
    /// [`Error::LinkUsed`], and when the database fails.
    pub async fn setup_link_complete(
        &self,
        scope: &IntegrationScope,
        link_id: &str,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let link = (scope.environment_id(), link_id);
        connect_links::complete(&mut tx, link, scope.id(), &json!({}), self.now()).await?;
        tx.commit().await.attempt("use a set-up link")
    }

    /// Replaces what employees can be chosen by.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn filter_choices_set(
        &self,
        scope: &IntegrationScope,
        choices: &[FilterChoice],
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM filter_choices WHERE integration_id = $1")
            .bind(scope.id())
            .execute(&mut *tx)
            .await
            .attempt("replace the choices of a filter")?;
        for choice in choices {
            sqlx::query(
                "INSERT INTO filter_choices (integration_id, field, value, label, employees)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(scope.id())
            .bind(&choice.field)
            .bind(storable(&choice.value))
            .bind(storable(&choice.label))
            .bind(i64::try_from(choice.employees).unwrap_or(i64::MAX))
            .execute(&mut *tx)
            .await
            .attempt("keep the choices of a filter")?;
        }
        tx.commit().await.attempt("keep the choices of a filter")
    }

    /// What employees can be chosen by, each field by its labels.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn filter_choices(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Vec<FilterChoice>, Error> {
        let rows = sqlx::query(
            "SELECT field, value, label, employees FROM filter_choices
             WHERE integration_id = $1 ORDER BY field, label, value",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("read the choices of a filter")?;
        let choice = |row: &sqlx::any::AnyRow| FilterChoice {
            field: row.get(0),
            value: row.get(1),
            label: row.get(2),
            employees: u64::try_from(row.get::<i64, _>(3)).unwrap_or_default(),
        };
        Ok(rows.iter().map(choice).collect())
    }
}
