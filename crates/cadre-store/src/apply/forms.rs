//! Application forms, each version of them once.

use sqlx::Row;

use crate::store::{Attempt, Error, Store, Tx, storable};
use crate::tenants::EnvironmentScope;

/// A form of a posting.
#[derive(Debug, Clone)]
pub struct PostingForm {
    /// Its id: a digest of what it holds.
    pub id: String,
    /// The form, as JSON text.
    pub body: String,
    /// When it was seen first.
    pub created_at: i64,
}

/// Stores a form, or notes that it was seen again.
pub(super) async fn keep(
    tx: &mut Tx,
    environment_id: &str,
    posting_id: &str,
    (id, body): (&str, &str),
    now: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO posting_forms (environment_id, posting_id, id, body, created_at, used_at)
         VALUES ($1, $2, $3, $4, $5, $5)
         ON CONFLICT (environment_id, posting_id, id) DO UPDATE SET used_at = $5",
    )
    .bind(environment_id)
    .bind(posting_id)
    .bind(id)
    .bind(storable(body))
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("store a form")?;
    Ok(())
}

impl Store {
    /// A form of a posting.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_form(
        &self,
        scope: &EnvironmentScope,
        posting_id: &str,
        id: &str,
    ) -> Result<Option<PostingForm>, Error> {
        let row = sqlx::query(
            "SELECT id, body, created_at FROM posting_forms
             WHERE environment_id = $1 AND posting_id = $2 AND id = $3",
        )
        .bind(scope.id())
        .bind(storable(posting_id))
        .bind(storable(id))
        .fetch_optional(self.write())
        .await
        .attempt("read a form")?;
        Ok(row.map(|row| PostingForm {
            id: row.get("id"),
            body: row.get("body"),
            created_at: row.get("created_at"),
        }))
    }

    /// Notes that a form is handed out, so that it is kept for whoever applies with it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_form_handed_out(
        &self,
        scope: &EnvironmentScope,
        posting_id: &str,
        id: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE posting_forms SET used_at = $4 WHERE environment_id = $1 AND posting_id = $2 AND id = $3",
        )
        .bind(scope.id())
        .bind(posting_id)
        .bind(id)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("note that a form is used")?;
        Ok(())
    }

    /// Removes forms that no posting shows, nobody was handed since a moment, and no application waits for.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn posting_forms_prune(&self, before: i64) -> Result<u64, Error> {
        let done = sqlx::query(
            "DELETE FROM posting_forms WHERE used_at < $1
             AND NOT EXISTS (SELECT 1 FROM job_postings p WHERE p.environment_id = posting_forms.environment_id
                 AND p.id = posting_forms.posting_id AND p.form_id = posting_forms.id)
             AND NOT EXISTS (SELECT 1 FROM posting_applications a
                 WHERE a.environment_id = posting_forms.environment_id
                 AND a.posting_id = posting_forms.posting_id AND a.status = 'PENDING')",
        )
        .bind(before)
        .execute(self.write())
        .await
        .attempt("remove old forms")?;
        Ok(done.rows_affected())
    }
}
