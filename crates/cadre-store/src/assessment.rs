//! Assessments: what can be ordered in a customer's tool, and what was ordered.

use cadre_model::ids::random_id;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::events::{EventType, NewEvent, append};
use crate::records::sql::array;
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::IntegrationScope;

stored_words! {
    /// How an order stands, as callers know it.
    pub enum OrderStatus {
        /// The candidate has not finished.
        Open = "OPEN",
        /// There is a result.
        Completed = "COMPLETED",
        /// It was called off.
        Cancelled = "CANCELLED",
        /// The receiver did not take it.
        Rejected = "REJECTED",
    }
}

/// Something that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The id that callers gave it.
    pub id: String,
    /// Its kind: `SKILLS_TEST`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// When it last changed.
    pub updated_at: i64,
}

/// An order that is to be stored.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// What is ordered.
    pub package_id: String,
    /// Whether the candidate waits for it.
    pub inline: bool,
    /// Candidate, application and job, as callers see them.
    pub body: Value,
    /// What the tool said beside it.
    pub context: Value,
}

/// An order.
#[derive(Debug, Clone)]
pub struct AssessmentOrder {
    /// Its id.
    pub id: String,
    /// What is ordered.
    pub package_id: String,
    /// How it stands.
    pub status: OrderStatus,
    /// Whether the candidate waits for it.
    pub inline: bool,
    /// Candidate, application and job.
    pub body: Value,
    /// What the tool said beside it.
    pub context: Value,
    /// Where the candidate is sent.
    pub assessment_url: Option<String>,
    /// Why it was rejected.
    pub rejection: Option<String>,
    /// When a receiver first answered.
    pub answered_at: Option<i64>,
    /// The result.
    pub result: Option<Value>,
    /// When the tool had the result.
    pub handed_over_at: Option<i64>,
    /// When it came.
    pub created_at: i64,
}

impl AssessmentOrder {
    /// Whether a result may be stored: it is open, or its result has not reached the tool yet.
    #[must_use]
    pub fn takes_result(&self) -> bool {
        let waits = self.result.is_some() && self.handed_over_at.is_none();
        self.status == OrderStatus::Open || (waits && self.status != OrderStatus::Rejected)
    }

    /// The order as callers see it.
    #[must_use]
    pub fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id, "package_id": self.package_id, "status": self.status.as_str(),
        });
        for part in ["candidate", "application", "job"] {
            shown[part] = self.body[part].clone();
        }
        shown
    }
}

/// Which orders are wanted.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Only those with a greater id.
    pub after_id: String,
    /// Only these.
    pub ids: Option<Vec<String>>,
    /// Only those that stand so.
    pub statuses: Option<Vec<String>>,
    /// Only those that came after this moment.
    pub created_after: Option<i64>,
    /// Most of them.
    pub limit: u32,
}

const COLUMNS: &str =
    "id, package_id, status, inline, created_at, body, context, assessment_url, rejection,
     answered_at, result, handed_over_at";

impl Store {
    /// Makes these the packages of an integration; others are deleted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_packages_set(
        &self,
        scope: &IntegrationScope,
        packages: &[Package],
    ) -> Result<(), Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let kept = array(packages.iter().map(|package| &package.id));
        let among = self.backend().among("id", "$2");
        let sql = format!(
            "UPDATE assessment_packages SET deleted_at = $3 WHERE integration_id = $1 AND deleted_at IS NULL
             AND NOT ({among})"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(kept)
            .bind(now)
            .execute(&mut *tx)
            .await
            .attempt("delete packages")?;
        for (place, package) in packages.iter().enumerate() {
            sqlx::query(
                "INSERT INTO assessment_packages
                     (integration_id, id, type, name, description, place, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (integration_id, id) DO UPDATE SET
                     updated_at = CASE WHEN assessment_packages.type = $3 AND assessment_packages.name = $4
                         AND assessment_packages.description = $5 AND assessment_packages.deleted_at IS NULL
                         THEN assessment_packages.updated_at ELSE $7 END,
                     type = $3, name = $4, description = $5, place = $6, deleted_at = NULL",
            )
            .bind(scope.id())
            .bind(storable(&package.id))
            .bind(&package.kind)
            .bind(storable(&package.name))
            .bind(storable(&package.description))
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .bind(now)
            .execute(&mut *tx)
            .await
            .attempt("store a package")?;
        }
        tx.commit().await.attempt("store packages")
    }

    /// The packages of an integration, in the order in which they were given.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_packages(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Vec<Package>, Error> {
        let rows = sqlx::query(
            "SELECT id, type, name, description, updated_at FROM assessment_packages
             WHERE integration_id = $1 AND deleted_at IS NULL ORDER BY place, id",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("read packages")?;
        let package = |row: &AnyRow| Package {
            id: row.get("id"),
            kind: row.get("type"),
            name: row.get("name"),
            description: row.get("description"),
            updated_at: row.get("updated_at"),
        };
        Ok(rows.iter().map(package).collect())
    }

    /// Stores an order and tells callers of it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_order_create(
        &self,
        scope: &IntegrationScope,
        new: &NewOrder,
    ) -> Result<AssessmentOrder, Error> {
        let (id, now) = (random_id(), self.now());
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO assessment_orders
                 (integration_id, id, package_id, status, inline, created_at, updated_at, body, context)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(storable(&new.package_id))
        .bind(OrderStatus::Open.as_str())
        .bind(i64::from(new.inline))
        .bind(now)
        .bind(storable(&new.body.to_string()))
        .bind(storable(&new.context.to_string()))
        .execute(&mut *tx)
        .await
        .attempt("store an order")?;
        let event_type = match new.inline {
            true => EventType::InlineAssessmentOrderReceived,
            false => EventType::AssessmentOrderReceived,
        };
        let mut payload = json!({
            "id": id, "package_id": new.package_id, "status": OrderStatus::Open.as_str(),
            "integration_id": scope.id(),
        });
        for part in ["candidate", "application", "job"] {
            payload[part] = new.body[part].clone();
        }
        let event = NewEvent {
            event_type,
            integration_id: Some(scope.id().to_owned()),
            subject: Some(format!("order:{id}")),
            payload,
        };
        append(&mut tx, scope.environment_id(), &[event], now).await?;
        tx.commit().await.attempt("store an order")?;
        Ok(AssessmentOrder {
            id,
            package_id: new.package_id.clone(),
            status: OrderStatus::Open,
            inline: new.inline,
            body: new.body.clone(),
            context: new.context.clone(),
            assessment_url: None,
            rejection: None,
            answered_at: None,
            result: None,
            handed_over_at: None,
            created_at: now,
        })
    }

    /// One order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_order(
        &self,
        scope: &IntegrationScope,
        id: &str,
    ) -> Result<Option<AssessmentOrder>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM assessment_orders WHERE integration_id = $1 AND id = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .fetch_optional(self.read())
            .await
            .attempt("read an order")?;
        row.as_ref().map(order).transpose()
    }

    /// Orders by their id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_orders(
        &self,
        scope: &IntegrationScope,
        filter: &OrderFilter,
    ) -> Result<Vec<AssessmentOrder>, Error> {
        let backend = self.backend();
        let (by_id, by_status) = (backend.among("id", "$3"), backend.among("status", "$5"));
        let sql = format!(
            "SELECT {COLUMNS} FROM assessment_orders WHERE integration_id = $1 AND id > $2
             AND ($4 = 0 OR {by_id}) AND ($6 = 0 OR {by_status}) AND created_at > $7 ORDER BY id LIMIT $8"
        );
        let list = |wanted: &Option<Vec<String>>| array(wanted.iter().flatten());
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(&filter.after_id))
            .bind(list(&filter.ids))
            .bind(i64::from(filter.ids.is_some()))
            .bind(list(&filter.statuses))
            .bind(i64::from(filter.statuses.is_some()))
            .bind(filter.created_after.unwrap_or(-1))
            .bind(i64::from(filter.limit))
            .fetch_all(self.read())
            .await
            .attempt("read orders")?;
        rows.iter().map(order).collect()
    }

    /// Notes what a receiver answered: `rejection` says why it does not take the order, `url` where the
    /// candidate is sent. Only an open order is rejected.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_order_answered(
        &self,
        scope: &IntegrationScope,
        id: &str,
        rejection: Option<&str>,
        url: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE assessment_orders SET answered_at = COALESCE(answered_at, $3), updated_at = $3,
                 status = CASE WHEN $4 <> '' AND status = 'OPEN' THEN 'REJECTED' ELSE status END,
                 rejection = CASE WHEN $4 <> '' AND status = 'OPEN' THEN $4 ELSE rejection END,
                 assessment_url = CASE WHEN $5 <> '' THEN $5 ELSE assessment_url END
             WHERE integration_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(self.now())
        .bind(storable(rejection.unwrap_or_default()))
        .bind(storable(url.unwrap_or_default()))
        .execute(self.write())
        .await
        .attempt("note the answer to an order")?;
        Ok(())
    }

    /// Stores the result of an order that takes one; whether it did.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_order_result(
        &self,
        scope: &IntegrationScope,
        id: &str,
        status: OrderStatus,
        result: &Value,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE assessment_orders SET status = $3, result = $4, handed_over_at = NULL, updated_at = $5
             WHERE integration_id = $1 AND id = $2 AND status <> 'REJECTED'
             AND (status = 'OPEN' OR (result IS NOT NULL AND handed_over_at IS NULL))",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(status.as_str())
        .bind(storable(&result.to_string()))
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("store a result")?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that the tool has the result.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_order_handed_over(
        &self,
        scope: &IntegrationScope,
        id: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE assessment_orders SET handed_over_at = $3 WHERE integration_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("note that a result was handed over")?;
        Ok(())
    }

    /// Removes every package and order of an integration.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn assessment_reset(&self, scope: &IntegrationScope) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for table in ["assessment_packages", "assessment_orders"] {
            let sql = format!("DELETE FROM {table} WHERE integration_id = $1");
            let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(scope.id());
            query.execute(&mut *tx).await.attempt("reset assessments")?;
        }
        tx.commit().await.attempt("reset assessments")
    }
}

fn order(row: &AnyRow) -> Result<AssessmentOrder, Error> {
    let json = |name: &str| -> Result<Value, Error> {
        let text: String = row.get(name);
        serde_json::from_str(&text).map_err(|_| Error::damaged("an order", &text))
    };
    let result: Option<String> = row.get("result");
    Ok(AssessmentOrder {
        id: row.get("id"),
        package_id: row.get("package_id"),
        status: OrderStatus::read(row.get("status"))?,
        inline: row.get::<i64, _>("inline") != 0,
        body: json("body")?,
        context: json("context")?,
        assessment_url: row.get("assessment_url"),
        rejection: row.get("rejection"),
        answered_at: row.get("answered_at"),
        result: result.and_then(|text| serde_json::from_str(&text).ok()),
        handed_over_at: row.get("handed_over_at"),
        created_at: row.get("created_at"),
    })
}
