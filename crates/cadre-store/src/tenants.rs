//! Environments, and the scopes that every query about a customer's data starts from.

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;

stored_words! {
    /// What an environment is for.
    pub enum EnvironmentKind {
        /// Customers' integrations.
        Production = "production",
        /// The integrator's own trials.
        Development = "development",
    }
}

/// The tenant boundary.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its id.
    pub id: String,
    /// Its short name.
    pub slug: String,
    /// What it is for.
    pub kind: EnvironmentKind,
}

/// Proof that the holder may see one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentScope {
    id: String,
    slug: String,
    kind: EnvironmentKind,
}

impl EnvironmentScope {
    pub(crate) fn of(environment: Environment) -> Self {
        Self { id: environment.id, slug: environment.slug, kind: environment.kind }
    }

    /// The environment's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The environment's short name.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// What the environment is for.
    #[must_use]
    pub fn kind(&self) -> EnvironmentKind {
        self.kind
    }
}

/// Proof that the holder may see one integration.
#[derive(Debug, Clone)]
pub struct IntegrationScope {
    environment_id: String,
    id: String,
}

impl IntegrationScope {
    pub(crate) fn of(environment_id: String, id: String) -> Self {
        Self { environment_id, id }
    }

    /// The environment's id.
    #[must_use]
    pub fn environment_id(&self) -> &str {
        &self.environment_id
    }

    /// The integration's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Store {
    /// Makes an environment.
    ///
    /// # Errors
    ///
    /// When the database fails, or the short name is taken.
    pub async fn environment_create(
        &self,
        slug: &str,
        kind: EnvironmentKind,
    ) -> Result<Environment, Error> {
        let environment = Environment { id: random_id(), slug: slug.to_owned(), kind };
        sqlx::query(
            "INSERT INTO environments (id, slug, kind, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(&environment.id)
        .bind(slug)
        .bind(kind.as_str())
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("make an environment")?;
        Ok(environment)
    }

    /// Every environment, production first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn environments(&self) -> Result<Vec<Environment>, Error> {
        let rows = sqlx::query(
            "SELECT id, slug, kind FROM environments ORDER BY kind DESC, created_at, id",
        )
        .fetch_all(self.read())
        .await
        .attempt("list the environments")?;
        rows.iter().map(|row| environment(row, "id")).collect()
    }

    /// Says from which addresses and networks the keys of an environment may be used; none: from all.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn environment_allow_list_set(
        &self,
        scope: &EnvironmentScope,
        allow_list: &[String],
    ) -> Result<(), Error> {
        sqlx::query("UPDATE environments SET allow_list = $2 WHERE id = $1")
            .bind(scope.id())
            .bind(serde_json::json!(allow_list).to_string())
            .execute(self.write())
            .await
            .attempt("restrict an environment")?;
        Ok(())
    }

    /// The scopes of every environment, production first, for people who may see them all.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_scopes(&self) -> Result<Vec<EnvironmentScope>, Error> {
        Ok(self.environments().await?.into_iter().map(EnvironmentScope::of).collect())
    }

    /// The scope of an environment, for jobs and the command line: nobody proved anything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_scope(
        &self,
        environment_id: &str,
    ) -> Result<Option<EnvironmentScope>, Error> {
        let row = sqlx::query("SELECT id, slug, kind FROM environments WHERE id = $1")
            .bind(environment_id)
            .fetch_optional(self.read())
            .await
            .attempt("read an environment")?;
        Ok(row.as_ref().map(|row| environment(row, "id")).transpose()?.map(EnvironmentScope::of))
    }

    /// The scope of an integration of the environment. `None`: there is none of that id here.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_scope(
        &self,
        scope: &EnvironmentScope,
        integration_id: &str,
    ) -> Result<Option<IntegrationScope>, Error> {
        let found = sqlx::query(
            "SELECT 1 FROM integrations WHERE id = $1 AND environment_id = $2 AND deleted_at IS NULL",
        )
        .bind(storable(integration_id))
        .bind(scope.id())
        .fetch_optional(self.read())
        .await
        .attempt("look for an integration")?;
        Ok(found.map(|_| IntegrationScope::of(scope.id.clone(), integration_id.to_owned())))
    }

    /// The scope of an integration, for jobs and the command line: nobody proved anything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_integration_scope(
        &self,
        integration_id: &str,
    ) -> Result<Option<IntegrationScope>, Error> {
        let row = sqlx::query("SELECT environment_id FROM integrations WHERE id = $1")
            .bind(storable(integration_id))
            .fetch_optional(self.read())
            .await
            .attempt("look for an integration")?;
        Ok(row.map(|row| IntegrationScope::of(row.get(0), integration_id.to_owned())))
    }
}

pub(crate) fn environment(row: &AnyRow, id: &str) -> Result<Environment, Error> {
    let kind: String = row.get("kind");
    Ok(Environment { id: row.get(id), slug: row.get("slug"), kind: EnvironmentKind::read(&kind)? })
}
