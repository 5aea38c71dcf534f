//! Scope configurations: which models, fields and actions may be used.

use cadre_model::ids::random_id;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::integrations::Integration;
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// What a scope configuration says of a model, field or action.
    pub enum Setting {
        /// Always used.
        Enabled = "ENABLED",
        /// Never read or stored.
        Disabled = "DISABLED",
        /// Used unless the end customer opts out.
        Optional = "OPTIONAL",
    }
}

/// A scope configuration. What it does not name is enabled.
#[derive(Debug, Clone)]
pub struct ScopeConfig {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether new integrations get it.
    pub is_default: bool,
    /// `{"models": {"hris_employees": {"setting": "ENABLED", "fields": {"ssn": "DISABLED"}}}, "actions": {…}}`.
    pub settings: Value,
    /// What the end customer of one integration opted out of: models, `model.field`s and actions.
    pub opted_out: Vec<String>,
}

impl ScopeConfig {
    /// What it says of a model.
    #[must_use]
    pub fn model(&self, model: &str) -> Setting {
        word(&self.settings["models"][model]["setting"])
    }

    /// What it says of a field or relation of a model.
    #[must_use]
    pub fn field(&self, model: &str, field: &str) -> Setting {
        word(&self.settings["models"][model]["fields"][field])
    }

    /// What it says of an action.
    #[must_use]
    pub fn action(&self, action: &str) -> Setting {
        word(&self.settings["actions"][action])
    }

    /// Whether a model is read and stored.
    #[must_use]
    pub fn model_enabled(&self, model: &str) -> bool {
        self.uses(self.model(model), model)
    }

    /// Whether a field of a model is read and stored.
    #[must_use]
    pub fn field_enabled(&self, model: &str, field: &str) -> bool {
        match self.field(model, field) {
            Setting::Enabled => true,
            Setting::Disabled => false,
            Setting::Optional => !self.is_opted_out(&format!("{model}.{field}")),
        }
    }

    /// Whether it says nothing of the single fields of a model, so that all of them are read and stored.
    #[must_use]
    pub fn leaves_fields(&self, model: &str) -> bool {
        match &self.settings["models"][model]["fields"] {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        }
    }

    /// Whether an action may be done.
    #[must_use]
    pub fn action_enabled(&self, action: &str) -> bool {
        self.uses(self.action(action), action)
    }

    /// Whether the end customer opted out of a model, a `model.field` or an action.
    #[must_use]
    pub fn is_opted_out(&self, id: &str) -> bool {
        self.opted_out.iter().any(|out| out == id)
    }

    fn uses(&self, setting: Setting, id: &str) -> bool {
        match setting {
            Setting::Enabled => true,
            Setting::Disabled => false,
            Setting::Optional => !self.is_opted_out(id),
        }
    }

    /// Whether records of a model show their raw values. These may show what other settings hide, so
    /// that they must be asked for.
    #[must_use]
    pub fn remote_data_enabled(&self, model: &str) -> bool {
        let setting = &self.settings["models"][model]["fields"]["remote_data"];
        setting.as_str().is_some() && word(setting) != Setting::Disabled
    }
}

fn word(value: &Value) -> Setting {
    value.as_str().and_then(|word| Setting::read(word).ok()).unwrap_or(Setting::Enabled)
}

impl Store {
    /// The default scope configuration of an environment, made on first use.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_default(
        &self,
        scope: &EnvironmentScope,
    ) -> Result<ScopeConfig, Error> {
        let row = sqlx::query(
            "SELECT id, name, is_default, settings FROM scope_configs
             WHERE environment_id = $1 AND is_default = 1 ORDER BY id LIMIT 1",
        )
        .bind(scope.id())
        .fetch_optional(self.read())
        .await
        .attempt("read a scope configuration")?;
        match row {
            Some(row) => scope_config(&row),
            None => self.scope_config_create(scope, Some("Default"), true, json!({})).await,
        }
    }

    /// Makes a scope configuration.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_create(
        &self,
        scope: &EnvironmentScope,
        name: Option<&str>,
        is_default: bool,
        settings: Value,
    ) -> Result<ScopeConfig, Error> {
        let config = ScopeConfig {
            id: random_id(),
            name: name.map(str::to_owned),
            is_default,
            settings,
            opted_out: Vec::new(),
        };
        sqlx::query(
            "INSERT INTO scope_configs (environment_id, id, name, is_default, settings) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(scope.id())
        .bind(&config.id)
        .bind(&config.name)
        .bind(i64::from(is_default))
        .bind(config.settings.to_string())
        .execute(self.write())
        .await
        .attempt("make a scope configuration")?;
        Ok(config)
    }

    /// Changes what a scope configuration says; whether there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_update(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        settings: &Value,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE scope_configs SET settings = $3 WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(id)
        .bind(settings.to_string())
        .execute(self.write())
        .await
        .attempt("change a scope configuration")?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that what was read of the integrations with a scope configuration is out of date, because it
    /// says something else now: the next sync of each reads everything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integrations_expire(
        &self,
        scope: &EnvironmentScope,
        scope_config_id: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE integrations SET data_expired_at = $3
             WHERE environment_id = $1 AND scope_config_id = $2 AND deleted_at IS NULL",
        )
        .bind(scope.id())
        .bind(scope_config_id)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("note that data is out of date")?;
        Ok(())
    }

    /// The scope configuration of an integration.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_of(
        &self,
        scope: &EnvironmentScope,
        integration: &Integration,
    ) -> Result<ScopeConfig, Error> {
        let row = sqlx::query(
            "SELECT id, name, is_default, settings FROM scope_configs WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(&integration.scope_config_id)
        .fetch_optional(self.read())
        .await
        .attempt("read a scope configuration")?;
        let mut config = match row {
            Some(row) => scope_config(&row)?,
            None => self.scope_config_default(scope).await?,
        };
        config.opted_out.clone_from(&integration.opted_out);
        Ok(config)
    }

    /// A scope configuration of the environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn scope_config_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<ScopeConfig>, Error> {
        let row = sqlx::query(
            "SELECT id, name, is_default, settings FROM scope_configs WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .fetch_optional(self.read())
        .await
        .attempt("read a scope configuration")?;
        row.as_ref().map(scope_config).transpose()
    }
}

/// A scope configuration with what the end customer of an integration opted out of.
pub(crate) fn read(
    id: String,
    name: Option<String>,
    is_default: bool,
    settings: &str,
    integration: &Integration,
) -> Result<ScopeConfig, Error> {
    let settings = serde_json::from_str(settings)
        .map_err(|_| Error::damaged("a scope configuration", settings))?;
    let opted_out = integration.opted_out.clone();
    Ok(ScopeConfig { id, name, is_default, settings, opted_out })
}

pub(crate) fn scope_config(row: &AnyRow) -> Result<ScopeConfig, Error> {
    let settings: String = row.get("settings");
    Ok(ScopeConfig {
        id: row.get("id"),
        name: row.get("name"),
        is_default: row.get::<i64, _>("is_default") != 0,
        settings: serde_json::from_str(&settings)
            .map_err(|_| Error::damaged("a scope configuration", &settings))?,
        opted_out: Vec::new(),
    })
}
