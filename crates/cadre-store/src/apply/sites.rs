//! Career sites: whose postings they are.

use cadre_model::ids::{random_id, record_id};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::records::sql::array;
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::EnvironmentScope;

/// A career site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareerSite {
    /// Its id.
    pub id: String,
    /// What it is called; several may be called the same.
    pub label: String,
}

/// A part of a list that is in the order of ids.
#[derive(Debug, Clone, Default)]
pub struct SiteQuery {
    /// Only those after this id.
    pub after_id: Option<String>,
    /// Only these; not empty.
    pub ids: Option<Vec<String>>,
    /// Most of them.
    pub limit: u32,
}

/// The id of the career site that a feed means by a label.
#[must_use]
pub fn site_of_feed(environment_id: &str, feed_id: &str, label: &str) -> String {
    record_id(environment_id, "career_sites", &format!("{feed_id}\n{label}"))
}

/// A list that narrows another as one value; the empty one does not narrow.
pub(super) fn wanted(values: Option<&Vec<String>>) -> String {
    array(values.into_iter().flatten())
}

impl Store {
    /// Makes a career site. Another one with the same label stays another one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn career_site_create(
        &self,
        scope: &EnvironmentScope,
        label: &str,
    ) -> Result<CareerSite, Error> {
        let site = CareerSite { id: random_id(), label: storable(label) };
        sqlx::query(
            "INSERT INTO career_sites (environment_id, id, label, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(scope.id())
        .bind(&site.id)
        .bind(&site.label)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("make a career site")?;
        Ok(site)
    }

    /// A career site of the environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn career_site_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<CareerSite>, Error> {
        let row =
            sqlx::query("SELECT id, label FROM career_sites WHERE environment_id = $1 AND id = $2")
                .bind(scope.id())
                .bind(storable(id))
                .fetch_optional(self.read())
                .await
                .attempt("read a career site")?;
        Ok(row.as_ref().map(site))
    }

    /// Career sites of the environment, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn career_site_list(
        &self,
        scope: &EnvironmentScope,
        query: &SiteQuery,
    ) -> Result<Vec<CareerSite>, Error> {
        let among = self.backend().among("id", "$3");
        let sql = format!(
            "SELECT id, label FROM career_sites WHERE environment_id = $1 AND id > $2
             AND ($3 = '[]' OR {among}) ORDER BY id LIMIT $4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(query.after_id.as_deref().unwrap_or_default())
            .bind(wanted(query.ids.as_ref()))
            .bind(i64::from(query.limit))
            .fetch_all(self.read())
            .await
            .attempt("list the career sites")?;
        Ok(rows.iter().map(site).collect())
    }
}

fn site(row: &AnyRow) -> CareerSite {
    CareerSite { id: row.get("id"), label: row.get("label") }
}
