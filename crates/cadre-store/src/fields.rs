//! Fields beyond the unified model: what an environment wants, what a tool has, and which of it fills which.

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::{EnvironmentScope, IntegrationScope};

stored_words! {
    /// Where a tool's field comes from.
    pub enum FieldKind {
        /// Every account of the tool has it.
        Default = "DEFAULT",
        /// The account's owner made it.
        Custom = "CUSTOM",
    }
}

/// A raw field that an integration's tool was seen to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationField {
    /// Its id.
    pub id: String,
    /// The model in whose raw values it stands.
    pub model: String,
    /// Its path in the raw value: `address.city`.
    pub key: String,
    /// Where it comes from.
    pub kind: FieldKind,
    /// What people call it, where the tool says so.
    pub label: Option<String>,
    /// Whether records show it in `integration_fields`.
    pub passed: bool,
}

/// A field that an environment wants beyond the unified model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Its id.
    pub id: String,
    /// The model whose records show it.
    pub model: String,
    /// Its key in `custom_fields`.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Keys of integration fields that fill it where nobody said which; the first that is there.
    pub aliases: Vec<String>,
}

/// A custom field to be made.
#[derive(Debug, Clone, Default)]
pub struct NewCustomField {
    /// The model whose records show it.
    pub model: String,
    /// Its key in `custom_fields`.
    pub key: String,
    /// What people call it.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Keys of integration fields that fill it where nobody said which.
    pub aliases: Vec<String>,
}

/// A custom field and what fills it for one integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcedField {
    /// The custom field.
    pub field: CustomField,
    /// The integration field that fills it.
    pub source: Option<IntegrationField>,
}

const FIELD: &str = "id, model, key, kind, label, passed";

impl Store {
    /// Makes a custom field; `None` when the model has one with this key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn custom_field_create(
        &self,
        scope: &EnvironmentScope,
        new: NewCustomField,
    ) -> Result<Option<CustomField>, Error> {
        let id = random_id();
        let done = sqlx::query(
            "INSERT INTO custom_fields (environment_id, id, model, key, label, description, aliases, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (environment_id, model, key) DO NOTHING",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(&new.model)
        .bind(storable(&new.key))
        .bind(storable_or_null(new.label.as_deref()))
        .bind(storable_or_null(new.description.as_deref()))
        .bind(serde_json::json!(new.aliases).to_string())
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("make a custom field")?;
        let NewCustomField { model, key, label, description, aliases } = new;
        let field = CustomField { id, model, key, label, description, aliases };
        Ok((done.rows_affected() > 0).then_some(field))
    }

    /// The custom fields of an environment, by model and key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn custom_fields(&self, scope: &EnvironmentScope) -> Result<Vec<CustomField>, Error> {
        self.custom_fields_in(scope.id()).await
    }

    async fn custom_fields_in(&self, environment_id: &str) -> Result<Vec<CustomField>, Error> {
        let rows = sqlx::query(
            "SELECT id, model, key, label, description, aliases FROM custom_fields
             WHERE environment_id = $1 ORDER BY model, key",
        )
        .bind(environment_id)
        .fetch_all(self.write())
        .await
        .attempt("list custom fields")?;
        rows.iter()
            .map(|row| {
                let aliases: String = row.get("aliases");
                Ok(CustomField {
                    id: row.get("id"),
                    model: row.get("model"),
                    key: row.get("key"),
                    label: row.get("label"),
                    description: row.get("description"),
                    aliases: serde_json::from_str(&aliases)
                        .map_err(|_| Error::damaged("a custom field", &aliases))?,
                })
            })
            .collect()
    }

    /// Removes a custom field; false if there is none with this id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn custom_field_delete(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM custom_fields WHERE environment_id = $1 AND id = $2")
            .bind(scope.id())
            .bind(storable(id))
            .execute(self.write())
            .await
            .attempt("remove a custom field")?;
        Ok(done.rows_affected() > 0)
    }

    /// The custom fields as one integration fills them, by id. What nobody decided is decided by aliases,
    /// which are compared without regard to case.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn custom_fields_of(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Vec<SourcedField>, Error> {
        let mut wanted = self.custom_fields_in(scope.environment_id()).await?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        wanted.sort_by(|a, b| a.id.cmp(&b.id));
        let rows = sqlx::query(
            "SELECT custom_field_id, integration_field_id FROM custom_field_sources
             WHERE integration_id = $1",
        )
        .bind(scope.id())
        .fetch_all(self.write())
        .await
        .attempt("list the sources of custom fields")?;
        let decided: std::collections::HashMap<String, Option<String>> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let known = self.integration_fields(scope).await?;
        let sourced = wanted.into_iter().map(|field| {
            let source = match decided.get(&field.id) {
                Some(id) => known.iter().find(|one| Some(&one.id) == id.as_ref()),
                None => field.aliases.iter().find_map(|alias| {
                    let named = |one: &&IntegrationField| {
                        one.model == field.model && one.key.eq_ignore_ascii_case(alias)
                    };
                    known.iter().find(named)
                }),
            };
            let source = source.filter(|one| one.model == field.model).cloned();
            SourcedField { field, source }
        });
        Ok(sourced.collect())
    }

    /// Says which integration field fills a custom field; `None`: nothing does.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn custom_field_source_set(
        &self,
        scope: &IntegrationScope,
        custom_field_id: &str,
        integration_field_id: Option<&str>,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO custom_field_sources (integration_id, custom_field_id, integration_field_id)
             VALUES ($1, $2, $3)
             ON CONFLICT (integration_id, custom_field_id) DO UPDATE SET
                 integration_field_id = excluded.integration_field_id",
        )
        .bind(scope.id())
        .bind(storable(custom_field_id))
        .bind(storable_or_null(integration_field_id))
        .execute(self.write())
        .await
        .attempt("set the source of a custom field")?;
        Ok(())
    }

    /// Every raw field that is known of an integration, by id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_fields(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Vec<IntegrationField>, Error> {
        self.integration_fields_after(scope, "", u32::MAX).await
    }

    /// The raw fields after an id, by id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_fields_after(
        &self,
        scope: &IntegrationScope,
        after: &str,
        limit: u32,
    ) -> Result<Vec<IntegrationField>, Error> {
        let sql = format!(
            "SELECT {FIELD} FROM integration_fields WHERE integration_id = $1 AND id > $2
             ORDER BY id LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(after))
            .bind(i64::from(limit))
            .fetch_all(self.write())
            .await
            .attempt("list integration fields")?;
        rows.iter().map(field).collect()
    }

    /// Keeps raw fields that were seen; those that are known stay as they are.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_fields_learn(
        &self,
        scope: &IntegrationScope,
        fields: &[IntegrationField],
    ) -> Result<(), Error> {
        if fields.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let mut tx = self.begin().await?;
        for field in fields {
            sqlx::query(
                "INSERT INTO integration_fields (integration_id, id, model, key, kind, label, passed, first_seen_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (integration_id, id) DO NOTHING",
            )
            .bind(scope.id())
            .bind(&field.id)
            .bind(&field.model)
            .bind(storable(&field.key))
            .bind(field.kind.as_str())
            .bind(storable_or_null(field.label.as_deref()))
            .bind(i64::from(field.passed))
            .bind(now)
            .execute(&mut *tx)
            .await
            .attempt("keep an integration field")?;
        }
        tx.commit().await.attempt("keep integration fields")
    }

    /// Says whether records show an integration field; the field as it is now, if there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_field_pass(
        &self,
        scope: &IntegrationScope,
        id: &str,
        passed: bool,
    ) -> Result<Option<IntegrationField>, Error> {
        let sql = format!(
            "UPDATE integration_fields SET passed = $3 WHERE integration_id = $1 AND id = $2
             RETURNING {FIELD}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .bind(i64::from(passed))
            .fetch_optional(self.write())
            .await
            .attempt("change an integration field")?;
        row.as_ref().map(field).transpose()
    }
}

fn field(row: &AnyRow) -> Result<IntegrationField, Error> {
    let kind: String = row.get("kind");
    Ok(IntegrationField {
        id: row.get("id"),
        model: row.get("model"),
        key: row.get("key"),
        kind: FieldKind::read(&kind)?,
        label: row.get("label"),
        passed: row.get::<i64, _>("passed") != 0,
    })
}
