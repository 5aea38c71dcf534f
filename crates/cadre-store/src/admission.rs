//! What a read of records must know before it begins, in one statement.
//!
//! A page that is rendered already costs little more than finding out who asks for it: asked one after the
//! other, the five questions took longer than everything else.

use sqlx::Row;

use crate::integrations::{self, Integration};
use crate::keys::{self, KeyCheck};
use crate::records::Freshness;
use crate::scope_configs::{self, ScopeConfig};
use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::IntegrationScope;

/// Who reads.
#[derive(Debug)]
pub struct Admission {
    /// What became of checking the key.
    pub key: KeyCheck,
    /// What is read; none where the environment of the key has no such integration.
    pub of: Option<Admitted>,
}

/// The integration whose records are read.
#[derive(Debug)]
pub struct Admitted {
    /// What may be seen of it.
    pub scope: IntegrationScope,
    /// The integration.
    pub integration: Integration,
    /// Its scope configuration; none where the environment has none yet.
    pub config: Option<ScopeConfig>,
    /// How fresh its records of the model are.
    pub freshness: Freshness,
}

impl Store {
    /// Checks a key that a caller sent, and looks up the integration of its environment that it names.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn admit(
        &self,
        plain_key: &str,
        integration_id: &str,
        model: &str,
    ) -> Result<Admission, Error> {
        let columns = integrations::COLUMNS;
        let sql = format!(
            "SELECT k.key_id, k.key_name, k.key_allow_list, k.expires_at, k.revoked_at, k.environment,
                 k.slug, k.kind, k.environment_allow_list,
                 s.id AS config_id, s.name AS config_name, s.is_default, s.settings AS config_settings,
                 (SELECT synced_at FROM model_marks WHERE integration_id = i.id AND model = $3) AS synced_at,
                 (SELECT MAX(touched_at) FROM records WHERE integration_id = i.id AND model = $3)
                     AS touched_at,
                 (SELECT version FROM record_versions WHERE integration_id = i.id) AS version, i.*
             FROM (SELECT k.id AS key_id, k.name AS key_name, k.allow_list AS key_allow_list, k.expires_at,
                       k.revoked_at, e.id AS environment, e.slug, e.kind,
                       e.allow_list AS environment_allow_list
                   FROM api_keys k JOIN environments e ON e.id = k.environment_id WHERE k.hash = $1) k
             LEFT JOIN (SELECT {columns} FROM integrations WHERE id = $2 AND deleted_at IS NULL) i
                 ON i.environment_id = k.environment
             LEFT JOIN scope_configs s ON s.environment_id = k.environment AND s.id = i.scope_config_id"
        );
        let mut connection = self.ready().take(self.read()).await.attempt("check an API key")?;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(keys::hash(plain_key))
            .bind(storable(integration_id))
            .bind(model)
            .fetch_optional(&mut *connection)
            .await
            .attempt("check an API key")?;
        self.ready().give_back(connection);
        let Some(row) = row else { return Ok(Admission { key: KeyCheck::Unknown, of: None }) };
        let key = keys::checked(&row, self.now())?;
        let (KeyCheck::Valid(valid), Some(_)) = (&key, row.get::<Option<String>, _>("id")) else {
            return Ok(Admission { key, of: None });
        };
        let integration = integrations::integration(&row)?;
        let config = row.get::<Option<String>, _>("config_id").map(|id| {
            let (name, is_default) = (row.get("config_name"), row.get::<i64, _>("is_default") != 0);
            let settings: String = row.get("config_settings");
            scope_configs::read(id, name, is_default, &settings, &integration)
        });
        let scope = IntegrationScope::of(valid.scope.id().to_owned(), integration.id.clone());
        let freshness = Freshness {
            synced_at: row.get("synced_at"),
            changed_at: row.get("touched_at"),
            version: row.get::<Option<i64>, _>("version").unwrap_or(0),
        };
        let of = Some(Admitted { scope, config: config.transpose()?, integration, freshness });
        Ok(Admission { key, of })
    }
}
