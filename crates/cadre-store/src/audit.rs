//! What people did in the dashboard, and who looked at whose data. Rows are added, never changed.

use cadre_model::ids::random_id;
use sqlx::Row;

use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::EnvironmentScope;

/// Something that a person did.
#[derive(Debug, Clone, Default)]
pub struct Act {
    /// Who: an address, or words for whoever came through a log-in link.
    pub actor: String,
    /// What, as `integration.paused`.
    pub act: String,
    /// To what: an id or a name.
    pub subject: String,
    /// More, in words; no secrets and no personal data.
    pub detail: String,
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Its id.
    pub id: String,
    /// When.
    pub at: i64,
    /// What was done.
    pub act: Act,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only of this person.
    pub actor: Option<String>,
    /// Only acts whose names begin so.
    pub act: Option<String>,
    /// Only about this.
    pub subject: Option<String>,
    /// Only those before this moment.
    pub before: Option<i64>,
    /// Most of them.
    pub limit: u32,
}

impl Store {
    /// Notes what a person did in an environment, or with the installation as a whole.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audit_write(
        &self,
        scope: Option<&EnvironmentScope>,
        act: &Act,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO audit (environment_id, id, at, actor, act, subject, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(scope.map_or("", EnvironmentScope::id))
        .bind(random_id())
        .bind(self.now())
        .bind(storable(&act.actor))
        .bind(&act.act)
        .bind(storable(&act.subject))
        .bind(storable(&act.detail))
        .execute(self.write())
        .await
        .attempt("write to the audit log")?;
        Ok(())
    }

    /// Entries of an environment, or of the installation as a whole, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn audit_list(
        &self,
        scope: Option<&EnvironmentScope>,
        filter: &AuditFilter,
    ) -> Result<Vec<AuditEntry>, Error> {
        let rows = sqlx::query(
            "SELECT id, at, actor, act, subject, detail FROM audit
             WHERE environment_id = $1 AND ($2 = '' OR actor = $2)
             AND ($3 = '' OR substr(act, 1, length($3)) = $3) AND ($4 = '' OR subject = $4) AND at < $5
             ORDER BY at DESC, id LIMIT $6",
        )
        .bind(scope.map_or("", EnvironmentScope::id))
        .bind(storable(filter.actor.as_deref().unwrap_or_default()))
        .bind(storable(filter.act.as_deref().unwrap_or_default()))
        .bind(storable(filter.subject.as_deref().unwrap_or_default()))
        .bind(filter.before.unwrap_or(i64::MAX))
        .bind(i64::from(filter.limit))
        .fetch_all(self.write())
        .await
        .attempt("read the audit log")?;
        let entry = |row| AuditEntry {
            id: Row::get(row, "id"),
            at: Row::get(row, "at"),
            act: Act {
                actor: Row::get(row, "actor"),
                act: Row::get(row, "act"),
                subject: Row::get(row, "subject"),
                detail: Row::get(row, "detail"),
            },
        };
        Ok(rows.iter().map(entry).collect())
    }
}
