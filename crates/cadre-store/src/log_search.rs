//! Looking through the log: every filter is led by an index, however long the log is.

use sqlx::any::AnyRow;

use crate::interactions::{COLUMNS, Interaction, InteractionKind, interaction};
use crate::records::Bound;
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::EnvironmentScope;

/// Which interactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Only of this kind.
    pub kind: Option<InteractionKind>,
    /// Only about this integration.
    pub integration_id: Option<String>,
    /// Only with this code.
    pub code: Option<String>,
    /// Only those that failed, or only those that did not.
    pub failed: Option<bool>,
    /// Only those that began at this moment or later.
    pub from: Option<i64>,
    /// Only those that began before this moment.
    pub until: Option<i64>,
    /// Only those that come after this place, which is the last one of the page before.
    pub after: Option<LogPlace>,
    /// Most of them.
    pub limit: u32,
}

/// A place in the log, which lists the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// When the interaction began.
    pub started_at: i64,
    /// Its id.
    pub id: String,
}

/// A statement that grows, with the values it binds.
struct Query {
    sql: String,
    values: Vec<Bound>,
}

impl Query {
    fn and(&mut self, condition: &str, value: Bound) {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replace('?', &place));
    }
}

impl Store {
    /// Interactions of an environment, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn log_search(
        &self,
        scope: &EnvironmentScope,
        filter: &LogFilter,
    ) -> Result<Vec<Interaction>, Error> {
        let mut query = Query {
            sql: format!("SELECT {COLUMNS} FROM interactions WHERE environment_id = $1"),
            values: vec![Bound::Text(scope.id().to_owned())],
        };
        if let Some(kind) = filter.kind {
            query.and("kind = ?", Bound::Text(kind.as_str().to_owned()));
        }
        if let Some(id) = &filter.integration_id {
            query.and("integration_id = ?", Bound::Text(storable(id)));
        }
        if let Some(code) = &filter.code {
            query.and("code = ?", Bound::Text(storable(code)));
        }
        match filter.failed {
            Some(true) => query.sql.push_str(" AND code IS NOT NULL"),
            Some(false) => query.sql.push_str(" AND code IS NULL"),
            None => {}
        }
        if let Some(from) = filter.from {
            query.and("started_at >= ?", Bound::Number(from));
        }
        if let Some(until) = filter.until {
            query.and("started_at < ?", Bound::Number(until));
        }
        if let Some(after) = &filter.after {
            query.and("started_at <= ?", Bound::Number(after.started_at));
            query.values.push(Bound::Number(after.started_at));
            let place = query.values.len();
            let condition = format!("(started_at < ${place} OR id > ?)");
            query.and(&condition, Bound::Text(storable(&after.id)));
        }
        query.values.push(Bound::Number(i64::from(filter.limit)));
        let place = query.values.len();
        query.sql.push_str(&format!(" ORDER BY started_at DESC, id LIMIT ${place}"));
        let mut statement = sqlx::query(sqlx::AssertSqlSafe(query.sql));
        for value in query.values {
            statement = match value {
                Bound::Text(text) => statement.bind(text),
                Bound::Number(number) => statement.bind(number),
            };
        }
        let rows: Vec<AnyRow> =
            statement.fetch_all(self.read()).await.attempt("look through the log")?;
        rows.iter().map(interaction).collect()
    }
}
