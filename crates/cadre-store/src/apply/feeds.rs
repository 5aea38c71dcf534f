//! Job feeds: sources of postings.

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::sites::{SiteQuery, wanted};
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::EnvironmentScope;

/// A job feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFeed {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub label: String,
}

impl Store {
    /// Makes a job feed.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_feed_create(
        &self,
        scope: &EnvironmentScope,
        label: &str,
    ) -> Result<JobFeed, Error> {
        let feed = JobFeed { id: random_id(), label: storable(label) };
        sqlx::query(
            "INSERT INTO job_feeds (environment_id, id, label, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(scope.id())
        .bind(&feed.id)
        .bind(&feed.label)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("make a job feed")?;
        Ok(feed)
    }

    /// A job feed of the environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_feed_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<JobFeed>, Error> {
        let row =
            sqlx::query("SELECT id, label FROM job_feeds WHERE environment_id = $1 AND id = $2")
                .bind(scope.id())
                .bind(storable(id))
                .fetch_optional(self.read())
                .await
                .attempt("read a job feed")?;
        Ok(row.as_ref().map(feed))
    }

    /// Job feeds of the environment, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn job_feed_list(
        &self,
        scope: &EnvironmentScope,
        query: &SiteQuery,
    ) -> Result<Vec<JobFeed>, Error> {
        let among = self.backend().among("id", "$3");
        let sql = format!(
            "SELECT id, label FROM job_feeds WHERE environment_id = $1 AND id > $2
             AND ($3 = '[]' OR {among}) ORDER BY id LIMIT $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(query.after_id.as_deref().unwrap_or_default())
            .bind(wanted(query.ids.as_ref()))
            .bind(i64::from(query.limit))
            .fetch_all(self.read())
            .await
            .attempt("list the job feeds")?;
        Ok(rows.iter().map(feed).collect())
    }
}

fn feed(row: &AnyRow) -> JobFeed {
    JobFeed { id: row.get("id"), label: row.get("label") }
}
