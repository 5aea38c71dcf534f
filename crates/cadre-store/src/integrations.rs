//! Integrations: linked accounts of tools.

use std::collections::BTreeMap;

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::connect_links;
use crate::events;
use crate::grants::StoredGrant;
use crate::setup::Setup;
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::{EnvironmentScope, IntegrationScope};

/// How often an integration is synced unless it says otherwise: every three hours.
const SYNC_INTERVAL_MS: i64 = 3 * 3_600_000;

stored_words! {
    /// Whether an integration is synced.
    pub enum IntegrationStatus {
        /// It is.
        Active = "ACTIVE",
        /// Its credentials no longer hold; it waits for a reconnect.
        Invalid = "INVALID",
        /// It was switched off.
        Inactive = "INACTIVE",
    }
}

stored_words! {
    /// Where the setup of an integration stands.
    pub enum SetupStatus {
        /// The end customer has steps to do.
        Incomplete = "INCOMPLETE",
        /// The steps are done, the sync after them is not.
        FinalSyncPending = "FINAL_SYNC_PENDING",
        /// Done.
        Completed = "COMPLETED",
    }
}

stored_words! {
    /// Where the quality checks of the first sync stand.
    pub enum QaStatus {
        /// Not done.
        Pending = "PENDING",
        /// Something was found.
        Failed = "FAILED",
        /// Nothing was found, or it was accepted.
        Passed = "PASSED",
    }
}

/// Whose account it is.
#[derive(Debug, Clone, Default)]
pub struct EndUser {
    /// The customer.
    pub organization_name: String,
    /// Who linked it.
    pub creator_email: Option<String>,
    /// The customer's id at the caller's.
    pub origin_id: Option<String>,
}

/// A linked account, without its secrets.
#[derive(Debug, Clone)]
pub struct Integration {
    /// `tool:suffix`.
    pub id: String,
    /// The environment it belongs to.
    pub environment_id: String,
    /// Slug of the tool.
    pub tool: String,
    /// `HRIS` or `ATS`.
    pub category: String,
    /// Whether it is synced.
    pub status: IntegrationStatus,
    /// Why it has that status.
    pub status_reason: Option<String>,
    /// Where its setup stands.
    pub setup_status: SetupStatus,
    /// Where its quality checks stand.
    pub qa_status: QaStatus,
    /// Whose account it is.
    pub end_user: EndUser,
    /// Its scope configuration.
    pub scope_config_id: String,
    /// What was typed into the connect form, without secrets.
    pub settings: Value,
    /// Its own mapping, which goes over the connector's.
    pub mapping: Option<Value>,
    /// Whether the next sync may believe that many records are gone.
    pub drop_accepted: bool,
    /// Since when every sync failed on authentication.
    pub auth_failing_since: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// When it was deleted.
    pub deleted_at: Option<i64>,
    /// Since when its data is out of date because its configuration changed.
    pub data_expired_at: Option<i64>,
    /// When its first sync ended well.
    pub first_synced_at: Option<i64>,
    /// When it is to be synced next.
    pub next_sync_at: Option<i64>,
    /// Time between two syncs.
    pub sync_interval_ms: i64,
    /// What the end customer opted out of: models, `model.field`s and actions.
    pub opted_out: Vec<String>,
    /// What the end customer has to do after signing in, and chose.
    pub setup: Setup,
}

/// A new integration.
#[derive(Debug, Clone)]
pub struct NewIntegration {
    /// Slug of the tool.
    pub tool: String,
    /// `HRIS` or `ATS`.
    pub category: String,
    /// What stands after the colon of the id; made up when absent.
    pub suffix: Option<String>,
    /// Whose account it is.
    pub end_user: EndUser,
    /// What was typed into the connect form, without secrets.
    pub settings: Value,
    /// The secrets.
    pub secrets: BTreeMap<String, Secret>,
    /// Its scope configuration; the default one when absent.
    pub scope_config_id: Option<String>,
    /// Its own mapping.
    pub mapping: Option<Value>,
}

/// What an end customer agreed to beside the credentials.
#[derive(Debug, Clone, Default)]
pub struct Agreed {
    /// The id of the link that is used up with it.
    pub link_id: Option<String>,
    /// What they opted out of: models, `model.field`s and actions.
    pub opted_out: Vec<String>,
    /// What the tool granted.
    pub grant: Option<StoredGrant>,
    /// What the end customer is told at the end.
    pub outcome: Value,
    /// What is left to do for a new integration.
    pub setup: Setup,
}

pub(crate) const COLUMNS: &str = "id, environment_id, tool, category, status, status_reason, setup_status, qa_status, \
    organization_name, creator_email, origin_id, scope_config_id, settings, mapping, drop_accepted, \
    auth_failing_since, created_at, deleted_at, data_expired_at, first_synced_at, next_sync_at, sync_interval_ms, \
    opted_out, setup";

impl Store {
    /// Links an account.
    ///
    /// # Errors
    ///
    /// When the database fails, or the id is taken.
    pub async fn integration_create(
        &self,
        scope: &EnvironmentScope,
        new: NewIntegration,
    ) -> Result<Integration, Error> {
        self.integration_create_agreed(scope, new, Agreed::default()).await
    }

    /// Links an account as an end customer agreed to it.
    ///
    /// # Errors
    ///
    /// [`Error::LinkUsed`]; when the database fails, or the id is taken.
    pub async fn integration_create_agreed(
        &self,
        scope: &EnvironmentScope,
        new: NewIntegration,
        agreed: Agreed,
    ) -> Result<Integration, Error> {
        let scope_config_id = match new.scope_config_id {
            Some(id) => id,
            None => self.scope_config_default(scope).await?.id,
        };
        let id = format!("{}:{}", new.tool, new.suffix.unwrap_or_else(random_id));
        let now = self.now();
        let (secrets, data_key) = self.seal_secrets(&id, &new.secrets);
        let integration = Integration {
            id: id.clone(),
            environment_id: scope.id().to_owned(),
            tool: new.tool,
            category: new.category,
            status: IntegrationStatus::Active,
            status_reason: None,
            setup_status: if agreed.setup.is_open() {
                SetupStatus::Incomplete
            } else {
                SetupStatus::FinalSyncPending
            },
            qa_status: QaStatus::Pending,
            end_user: new.end_user,
            scope_config_id,
            settings: new.settings,
            mapping: new.mapping,
            drop_accepted: false,
            auth_failing_since: None,
            created_at: now,
            deleted_at: None,
            data_expired_at: None,
            first_synced_at: None,
            next_sync_at: Some(now + SYNC_INTERVAL_MS),
            sync_interval_ms: SYNC_INTERVAL_MS,
            opted_out: agreed.opted_out,
            setup: agreed.setup,
        };
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO integrations (id, environment_id, tool, category, status, setup_status, qa_status,
                 organization_name, creator_email, origin_id, scope_config_id, settings, mapping, secrets, data_key,
                 drop_accepted, created_at, next_sync_at, sync_interval_ms, opted_out, setup)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, $16, $17, $18, $19, $20)",
        )
        .bind(&integration.id)
        .bind(&integration.environment_id)
        .bind(&integration.tool)
        .bind(&integration.category)
        .bind(integration.status.as_str())
        .bind(integration.setup_status.as_str())
        .bind(integration.qa_status.as_str())
        .bind(storable(&integration.end_user.organization_name))
        .bind(storable_or_null(integration.end_user.creator_email.as_deref()))
        .bind(storable_or_null(integration.end_user.origin_id.as_deref()))
        .bind(&integration.scope_config_id)
        .bind(integration.settings.to_string())
        .bind(integration.mapping.as_ref().map(Value::to_string))
        .bind(secrets)
        .bind(data_key)
        .bind(now)
        .bind(integration.next_sync_at)
        .bind(integration.sync_interval_ms)
        .bind(Value::from(integration.opted_out.clone()).to_string())
        .bind(integration.setup.to_json().to_string())
        .execute(&mut *tx)
        .await
        .attempt("store an integration")?;
        if let Some(grant) = &agreed.grant {
            self.grant_put(&mut tx, &integration.id, grant).await?;
        }
        if let Some(link_id) = &agreed.link_id {
            let link = (scope.id(), link_id.as_str());
            let (id, outcome) = (&integration.id, &agreed.outcome);
            connect_links::complete(&mut tx, link, id, outcome, now).await?;
        }
        events::integration_created(&mut tx, &integration, now).await?;
        tx.commit().await.attempt("store an integration")?;
        Ok(integration)
    }

    /// One integration; also when it was deleted, for jobs that must notice.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_get(
        &self,
        scope: &IntegrationScope,
    ) -> Result<Option<Integration>, Error> {
        let sql =
            format!("SELECT {COLUMNS} FROM integrations WHERE id = $1 AND environment_id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(scope.environment_id())
            .fetch_optional(self.read())
            .await
            .attempt("read an integration")?;
        row.as_ref().map(integration).transpose()
    }

    /// The integration of an environment with this id, and what it proves; none when it was deleted.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_find(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<(IntegrationScope, Integration)>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integrations WHERE id = $1 AND environment_id = $2 AND deleted_at IS NULL"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(storable(id))
            .bind(scope.id())
            .fetch_optional(self.read())
            .await
            .attempt("look for an integration")?;
        let Some(row) = row else { return Ok(None) };
        let found = integration(&row)?;
        Ok(Some((IntegrationScope::of(scope.id().to_owned(), found.id.clone()), found)))
    }

    /// The integrations of an environment, by id, without deleted ones.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_list(
        &self,
        scope: &EnvironmentScope,
    ) -> Result<Vec<Integration>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integrations WHERE environment_id = $1 AND deleted_at IS NULL ORDER BY id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .fetch_all(self.read())
            .await
            .attempt("list the integrations")?;
        rows.iter().map(integration).collect()
    }

    /// Integrations whose next sync is due.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integrations_due(
        &self,
        now: i64,
        limit: u32,
    ) -> Result<Vec<IntegrationScope>, Error> {
        let rows = sqlx::query(
            "SELECT environment_id, id FROM integrations
             WHERE next_sync_at <= $1 AND deleted_at IS NULL AND status = 'ACTIVE' ORDER BY next_sync_at LIMIT $2",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(self.read())
        .await
        .attempt("look for due syncs")?;
        Ok(rows.iter().map(|row| IntegrationScope::of(row.get(0), row.get(1))).collect())
    }

    /// The secrets of an integration.
    ///
    /// # Errors
    ///
    /// When the database fails or the secrets cannot be decrypted with this master key.
    pub async fn integration_secrets(
        &self,
        scope: &IntegrationScope,
    ) -> Result<BTreeMap<String, Secret>, Error> {
        let row = sqlx::query(
            "SELECT secrets, data_key FROM integrations WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .fetch_optional(self.read())
        .await
        .attempt("read credentials")?;
        let Some(row) = row else { return Ok(BTreeMap::new()) };
        let (secrets, data_key): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        let plain = self.master_key().open(&secrets, &data_key, scope.id())?;
        let secrets: BTreeMap<String, Secret> =
            serde_json::from_slice(&plain).map_err(|_| Error::damaged("credentials", "no JSON"))?;
        Ok(secrets)
    }

    /// Replaces the settings and secrets of an integration, as a reconnect does.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_reconnect(
        &self,
        scope: &IntegrationScope,
        settings: &Value,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<(), Error> {
        self.integration_reconnect_agreed(scope, settings, secrets, None, None).await
    }

    /// Replaces the settings and secrets of an integration as an end customer agreed to it; and its
    /// scope configuration, where another one is named.
    ///
    /// # Errors
    ///
    /// [`Error::LinkUsed`], and when the database fails.
    pub async fn integration_reconnect_agreed(
        &self,
        scope: &IntegrationScope,
        settings: &Value,
        secrets: &BTreeMap<String, Secret>,
        scope_config_id: Option<&str>,
        agreed: Option<&Agreed>,
    ) -> Result<(), Error> {
        let (mut tx, before) = self.begin_change(scope).await?;
        if let Some(agreed) = agreed {
            self.agree_anew(&mut tx, scope, scope_config_id, agreed).await?;
        }
        let (secrets, data_key) = self.seal_secrets(scope.id(), secrets);
        sqlx::query(
            "UPDATE integrations SET settings = $3, secrets = $4, data_key = $5, status = 'ACTIVE',
                 status_reason = NULL, auth_failing_since = NULL, next_sync_at = $6
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(settings.to_string())
        .bind(secrets)
        .bind(data_key)
        .bind(self.now())
        .execute(&mut *tx)
        .await
        .attempt("store credentials")?;
        self.commit_change(tx, scope, before).await
    }

    /// Sets whether an integration is synced, and why.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_status_set(
        &self,
        scope: &IntegrationScope,
        status: IntegrationStatus,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let (mut tx, before) = self.begin_change(scope).await?;
        sqlx::query(
            "UPDATE integrations SET status = $3, status_reason = $4,
                 next_sync_at = CASE WHEN $3 = 'ACTIVE' AND next_sync_at IS NULL THEN $5 ELSE next_sync_at END
             WHERE id = $1 AND environment_id = $2 AND deleted_at IS NULL",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(status.as_str())
        .bind(storable_or_null(reason))
        .bind(self.now())
        .execute(&mut *tx)
        .await
        .attempt("change an integration")?;
        self.commit_change(tx, scope, before).await
    }

    /// Replaces the settings that are not secret, unless somebody else has changed them since they
    /// were read as `was`. Returns whether they were replaced.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_settings_set(
        &self,
        scope: &IntegrationScope,
        was: &Value,
        settings: &Value,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE integrations SET settings = $4
             WHERE id = $1 AND environment_id = $2 AND settings = $3",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(was.to_string())
        .bind(settings.to_string())
        .execute(self.write())
        .await
        .attempt("change an integration")?;
        Ok(done.rows_affected() > 0)
    }

    /// Sets where the setup stands.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_setup_status_set(
        &self,
        scope: &IntegrationScope,
        status: SetupStatus,
    ) -> Result<(), Error> {
        self.integration_set_text(
            scope,
            "UPDATE integrations SET setup_status = $3 WHERE id = $1 AND environment_id = $2",
            Some(status.as_str()),
        )
        .await
    }

    /// Sets where the quality checks stand.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_qa_status_set(
        &self,
        scope: &IntegrationScope,
        status: QaStatus,
    ) -> Result<(), Error> {
        self.integration_set_text(
            scope,
            "UPDATE integrations SET qa_status = $3 WHERE id = $1 AND environment_id = $2",
            Some(status.as_str()),
        )
        .await
    }

    /// Sets the integration's own mapping.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_mapping_set(
        &self,
        scope: &IntegrationScope,
        mapping: Option<&Value>,
    ) -> Result<(), Error> {
        let text = mapping.map(Value::to_string);
        self.integration_set_text(
            scope,
            "UPDATE integrations SET mapping = $3 WHERE id = $1 AND environment_id = $2",
            text.as_deref(),
        )
        .await
    }

    /// Sets when the integration is to be synced next; `None` stops the schedule.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_next_sync_set(
        &self,
        scope: &IntegrationScope,
        at: Option<i64>,
    ) -> Result<(), Error> {
        self.integration_set_time(
            scope,
            "UPDATE integrations SET next_sync_at = $3 WHERE id = $1 AND environment_id = $2",
            at,
        )
        .await
    }

    /// Notes that a due sync was queued: the next one is due an interval from now, or a day where the tool
    /// tells by itself what changes.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_next_sync_later(&self, scope: &IntegrationScope) -> Result<(), Error> {
        self.integration_set_time(
            scope,
            "UPDATE integrations SET next_sync_at = $3 + CASE
                 WHEN sync_interval_ms < 86400000 AND EXISTS (SELECT 1 FROM hooks h
                     WHERE h.integration_id = integrations.id AND h.subscribed_at IS NOT NULL)
                 THEN 86400000 ELSE sync_interval_ms END
             WHERE id = $1 AND environment_id = $2 AND next_sync_at <= $3",
            Some(self.now()),
        )
        .await
    }

    /// Notes that a sync that began at `started_at` ended well: the first time stays, a setup that
    /// waited for it is complete, credentials that were taken for invalid hold. It looks at what is
    /// stored now, because somebody may have changed it since the sync began. `used_drop`: an accepted
    /// drop is used up; `whole`: data that was out of date before it began is not any more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_synced(
        &self,
        scope: &IntegrationScope,
        started_at: i64,
        whole: bool,
        used_drop: bool,
    ) -> Result<(), Error> {
        let (mut tx, before) = self.begin_change(scope).await?;
        sqlx::query(
            "UPDATE integrations SET first_synced_at = COALESCE(first_synced_at, $3),
                 setup_status = CASE WHEN setup_status = 'FINAL_SYNC_PENDING'
                         AND (data_expired_at IS NULL OR data_expired_at <= $4)
                     THEN 'COMPLETED' ELSE setup_status END,
                 auth_failing_since = NULL,
                 status_reason = CASE WHEN status = 'INVALID' THEN NULL ELSE status_reason END,
                 next_sync_at = CASE WHEN status = 'INVALID' THEN COALESCE(next_sync_at, $3 + sync_interval_ms)
                     ELSE next_sync_at END,
                 status = CASE WHEN status = 'INVALID' THEN 'ACTIVE' ELSE status END,
                 data_expired_at = CASE WHEN $5 = 1 AND data_expired_at <= $4 THEN NULL ELSE data_expired_at END,
                 drop_accepted = CASE WHEN $6 = 1 THEN 0 ELSE drop_accepted END
             WHERE id = $1 AND environment_id = $2 AND deleted_at IS NULL",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(self.now())
        .bind(started_at)
        .bind(i64::from(whole))
        .bind(i64::from(used_drop))
        .execute(&mut *tx)
        .await
        .attempt("change an integration")?;
        self.commit_change(tx, scope, before).await
    }

    /// Notes that a sync failed on authentication. When nothing else came for `grace_ms`, syncing
    /// stops until a reconnect. A reconnect meanwhile starts the time anew.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_refused(
        &self,
        scope: &IntegrationScope,
        grace_ms: i64,
        reason: &str,
    ) -> Result<(), Error> {
        let now = self.now();
        let (mut tx, before) = self.begin_change(scope).await?;
        sqlx::query(
            "UPDATE integrations SET auth_failing_since = COALESCE(auth_failing_since, $3)
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("change an integration")?;
        sqlx::query(
            "UPDATE integrations SET status = 'INVALID', status_reason = $3, next_sync_at = NULL
             WHERE id = $1 AND environment_id = $2 AND status = 'ACTIVE' AND auth_failing_since <= $4",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(storable(reason))
        .bind(now.saturating_sub(grace_ms))
        .execute(&mut *tx)
        .await
        .attempt("change an integration")?;
        self.commit_change(tx, scope, before).await
    }

    /// Sets since when every sync failed on authentication.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_auth_failing_set(
        &self,
        scope: &IntegrationScope,
        since: Option<i64>,
    ) -> Result<(), Error> {
        self.integration_set_time(
            scope,
            "UPDATE integrations SET auth_failing_since = $3 WHERE id = $1 AND environment_id = $2",
            since,
        )
        .await
    }

    /// Notes that a sync ended well: the first time stays, an accepted drop is used up.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_first_synced(
        &self,
        scope: &IntegrationScope,
        at: i64,
    ) -> Result<(), Error> {
        self.integration_set_time(
            scope,
            "UPDATE integrations SET first_synced_at = COALESCE(first_synced_at, $3), drop_accepted = 0,
                 data_expired_at = NULL WHERE id = $1 AND environment_id = $2",
            Some(at),
        )
        .await
    }

    /// Lets the next sync believe that many records are gone.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_drop_accept(&self, scope: &IntegrationScope) -> Result<(), Error> {
        sqlx::query(
            "UPDATE integrations SET drop_accepted = 1 WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .execute(self.write())
        .await
        .attempt("change an integration")?;
        Ok(())
    }

    /// Deletes an integration: it is gone for callers at once. Its credentials are erased.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn integration_delete(&self, scope: &IntegrationScope) -> Result<(), Error> {
        let (secrets, data_key) = self.seal_secrets(scope.id(), &BTreeMap::new());
        let now = self.now();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE integrations SET deleted_at = $3, status = 'INACTIVE', next_sync_at = NULL,
                 secrets = $4, data_key = $5
             WHERE id = $1 AND environment_id = $2 AND deleted_at IS NULL",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(now)
        .bind(secrets)
        .bind(data_key)
        .execute(&mut *tx)
        .await
        .attempt("delete an integration")?;
        if done.rows_affected() > 0 {
            sqlx::query("DELETE FROM grants WHERE integration_id = $1")
                .bind(scope.id())
                .execute(&mut *tx)
                .await
                .attempt("delete a grant")?;
            events::integration_deleted(&mut tx, scope.environment_id(), scope.id(), now).await?;
        }
        tx.commit().await.attempt("delete an integration")
    }

    /// What an end customer agreed to when they reconnected.
    async fn agree_anew(
        &self,
        tx: &mut Tx,
        scope: &IntegrationScope,
        scope_config_id: Option<&str>,
        agreed: &Agreed,
    ) -> Result<(), Error> {
        let now = self.now();
        if let Some(link_id) = &agreed.link_id {
            let link = (scope.environment_id(), link_id.as_str());
            connect_links::complete(tx, link, scope.id(), &agreed.outcome, now).await?;
        }
        if let Some(grant) = &agreed.grant {
            self.grant_put(tx, scope.id(), grant).await?;
        }
        let opted_out = Value::from(agreed.opted_out.clone()).to_string();
        sqlx::query(
            "UPDATE integrations SET
                 data_expired_at = CASE WHEN opted_out <> $4 OR scope_config_id <> COALESCE($3, scope_config_id)
                     THEN $5 ELSE data_expired_at END,
                 scope_config_id = COALESCE($3, scope_config_id), opted_out = $4
             WHERE id = $1 AND environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .bind(scope_config_id)
        .bind(opted_out)
        .bind(now)
        .execute(&mut **tx)
        .await
        .attempt("change what may be read")?;
        Ok(())
    }

    fn seal_secrets(&self, id: &str, secrets: &BTreeMap<String, Secret>) -> (Vec<u8>, Vec<u8>) {
        let plain: Map<String, Value> =
            secrets.iter().map(|(name, secret)| (name.clone(), secret.expose().into())).collect();
        self.master_key().seal(Value::Object(plain).to_string().as_bytes(), id)
    }

    /// Begins a change of an integration; what callers are told of its state as it is now. The row is
    /// locked, so that no other change comes in between.
    pub(crate) async fn begin_change(
        &self,
        scope: &IntegrationScope,
    ) -> Result<(Tx, [String; 3]), Error> {
        let mut tx = self.begin().await?;
        let states = states(&mut tx, scope).await?;
        Ok((tx, states))
    }

    /// Ends a change; callers are told when the state is another one than before.
    pub(crate) async fn commit_change(
        &self,
        mut tx: Tx,
        scope: &IntegrationScope,
        before: [String; 3],
    ) -> Result<(), Error> {
        if states(&mut tx, scope).await? != before {
            let now = self.now();
            events::state_changed(&mut tx, scope.environment_id(), scope.id(), now).await?;
        }
        tx.commit().await.attempt("change an integration")
    }

    async fn integration_set_text(
        &self,
        scope: &IntegrationScope,
        sql: &'static str,
        value: Option<&str>,
    ) -> Result<(), Error> {
        let (mut tx, before) = self.begin_change(scope).await?;
        sqlx::query(sql)
            .bind(scope.id())
            .bind(scope.environment_id())
            .bind(value)
            .execute(&mut *tx)
            .await
            .attempt("change an integration")?;
        self.commit_change(tx, scope, before).await
    }

    async fn integration_set_time(
        &self,
        scope: &IntegrationScope,
        sql: &'static str,
        at: Option<i64>,
    ) -> Result<(), Error> {
        sqlx::query(sql)
            .bind(scope.id())
            .bind(scope.environment_id())
            .bind(at)
            .execute(self.write())
            .await
            .attempt("change an integration")?;
        Ok(())
    }
}

/// State, setup and quality checks of an integration, whose row stays locked.
async fn states(tx: &mut Tx, scope: &IntegrationScope) -> Result<[String; 3], Error> {
    let row = sqlx::query(
        "UPDATE integrations SET status = status WHERE id = $1 AND environment_id = $2
         RETURNING status, setup_status, qa_status",
    )
    .bind(scope.id())
    .bind(scope.environment_id())
    .fetch_optional(&mut **tx)
    .await
    .attempt("read an integration")?;
    Ok(row.map_or_else(Default::default, |row| [row.get(0), row.get(1), row.get(2)]))
}

/// An integration as it stands in a transaction.
pub(crate) async fn read_in(
    tx: &mut Tx,
    environment_id: &str,
    id: &str,
) -> Result<Option<Integration>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM integrations WHERE id = $1 AND environment_id = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .bind(environment_id)
        .fetch_optional(&mut **tx)
        .await
        .attempt("read an integration")?;
    row.as_ref().map(integration).transpose()
}

pub(crate) fn integration(row: &AnyRow) -> Result<Integration, Error> {
    let (status, setup, qa): (String, String, String) =
        (row.get("status"), row.get("setup_status"), row.get("qa_status"));
    let settings: String = row.get("settings");
    let mapping: Option<String> = row.get("mapping");
    let json = |text: &str| {
        serde_json::from_str::<Value>(text).map_err(|_| Error::damaged("an integration", text))
    };
    Ok(Integration {
        id: row.get("id"),
        environment_id: row.get("environment_id"),
        tool: row.get("tool"),
        category: row.get("category"),
        status: IntegrationStatus::read(&status)?,
        status_reason: row.get("status_reason"),
        setup_status: SetupStatus::read(&setup)?,
        qa_status: QaStatus::read(&qa)?,
        end_user: EndUser {
            organization_name: row.get("organization_name"),
            creator_email: row.get("creator_email"),
            origin_id: row.get("origin_id"),
        },
        scope_config_id: row.get("scope_config_id"),
        settings: json(&settings)?,
        mapping: mapping.as_deref().map(json).transpose()?,
        drop_accepted: row.get::<i64, _>("drop_accepted") != 0,
        auth_failing_since: row.get("auth_failing_since"),
        created_at: row.get("created_at"),
        deleted_at: row.get("deleted_at"),
        data_expired_at: row.get("data_expired_at"),
        first_synced_at: row.get("first_synced_at"),
        next_sync_at: row.get("next_sync_at"),
        sync_interval_ms: row.get("sync_interval_ms"),
        opted_out: json(&row.get::<String, _>("opted_out"))?
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        setup: Setup::of_json(&json(&row.get::<String, _>("setup"))?),
    })
}
