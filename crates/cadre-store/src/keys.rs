//! API keys. A key is shown once; what is stored is its hash.
//!
//! A key holds 140 bits that nobody can guess, so a plain SHA-256 is enough: there is no word list to
//! try.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::{EnvironmentKind, EnvironmentScope, environment};

/// Characters of a key that lists show.
const SHOWN: usize = 12;

/// A new key.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// Addresses and networks (CIDR) that may use it; empty means all.
    pub allow_list: Vec<String>,
}

/// A key as lists show it.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Addresses and networks that may use it.
    pub allow_list: Vec<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<i64>,
}

/// A key that may be used.
#[derive(Debug, Clone)]
pub struct AuthenticatedKey {
    /// What it proves.
    pub scope: EnvironmentScope,
    /// Its id.
    pub key_id: String,
    /// What it is for.
    pub name: String,
    /// Addresses and networks that may use it.
    pub allow_list: Vec<String>,
    /// Addresses and networks that any key of the environment may be used from.
    pub environment_allow_list: Vec<String>,
}

/// What became of checking a key.
#[derive(Debug, Clone)]
pub enum KeyCheck {
    /// It may be used.
    Valid(AuthenticatedKey),
    /// There is no such key.
    Unknown,
    /// It has ended.
    Expired {
        /// When.
        at: i64,
    },
    /// It was revoked.
    Revoked {
        /// When.
        at: i64,
    },
}

impl Store {
    /// Makes a key; the second part is the key itself, which cannot be had again.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn api_key_create(
        &self,
        scope: &EnvironmentScope,
        new: NewKey,
    ) -> Result<(ApiKey, Secret), Error> {
        let kind = match scope.kind() {
            EnvironmentKind::Production => "prod",
            EnvironmentKind::Development => "dev",
        };
        let plain = format!("ks_{kind}_{}{}", random_id(), &random_id()[..8]);
        let key = ApiKey {
            id: random_id(),
            name: new.name,
            prefix: plain.chars().take(SHOWN).collect(),
            allow_list: new.allow_list,
            created_at: self.now(),
            expires_at: new.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        sqlx::query(
            "INSERT INTO api_keys (environment_id, id, name, prefix, hash, allow_list, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(scope.id())
        .bind(&key.id)
        .bind(storable(&key.name))
        .bind(&key.prefix)
        .bind(hash(&plain))
        .bind(serde_json::json!(key.allow_list).to_string())
        .bind(key.created_at)
        .bind(key.expires_at)
        .execute(self.write())
        .await
        .attempt("make an API key")?;
        Ok((key, Secret::new(plain)))
    }

    /// Checks a key that a caller sent.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn api_key_authenticate(&self, plain: &str) -> Result<KeyCheck, Error> {
        let row = sqlx::query(
            "SELECT k.id AS key_id, k.name AS key_name, k.allow_list AS key_allow_list, k.expires_at,
                 k.revoked_at, e.id AS environment, e.slug, e.kind, e.allow_list AS environment_allow_list
             FROM api_keys k JOIN environments e ON e.id = k.environment_id WHERE k.hash = $1",
        )
        .bind(hash(plain))
        .fetch_optional(self.read())
        .await
        .attempt("check an API key")?;
        row.map_or(Ok(KeyCheck::Unknown), |row| checked(&row, self.now()))
    }

    /// Notes that a key is in use, to the minute.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn api_key_touch(&self, scope: &EnvironmentScope, id: &str) -> Result<(), Error> {
        let now = self.now();
        sqlx::query(
            "UPDATE api_keys SET last_used_at = $3 WHERE environment_id = $1 AND id = $2
             AND (last_used_at IS NULL OR last_used_at < $4)",
        )
        .bind(scope.id())
        .bind(id)
        .bind(now)
        .bind(now - 60_000)
        .execute(self.write())
        .await
        .attempt("note the use of an API key")?;
        Ok(())
    }

    /// The keys of an environment, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn api_key_list(&self, scope: &EnvironmentScope) -> Result<Vec<ApiKey>, Error> {
        let rows = sqlx::query(
            "SELECT id, name, prefix, allow_list, created_at, expires_at, revoked_at, last_used_at
             FROM api_keys WHERE environment_id = $1 ORDER BY created_at DESC, id",
        )
        .bind(scope.id())
        .fetch_all(self.read())
        .await
        .attempt("list the API keys")?;
        rows.iter()
            .map(|row| {
                Ok(ApiKey {
                    id: row.get("id"),
                    name: row.get("name"),
                    prefix: row.get("prefix"),
                    allow_list: allow_list(row, "allow_list")?,
                    created_at: row.get("created_at"),
                    expires_at: row.get("expires_at"),
                    revoked_at: row.get("revoked_at"),
                    last_used_at: row.get("last_used_at"),
                })
            })
            .collect()
    }

    /// Revokes a key at once; whether there was one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn api_key_revoke(&self, scope: &EnvironmentScope, id: &str) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE api_keys SET revoked_at = $3 WHERE environment_id = $1 AND id = $2 AND revoked_at IS NULL",
        )
        .bind(scope.id())
        .bind(id)
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("revoke an API key")?;
        Ok(done.rows_affected() > 0)
    }
}

/// What becomes of a key that is known.
pub(crate) fn checked(row: &AnyRow, now: i64) -> Result<KeyCheck, Error> {
    if let Some(at) = row.get::<Option<i64>, _>("revoked_at") {
        return Ok(KeyCheck::Revoked { at });
    }
    if let Some(at) = row.get::<Option<i64>, _>("expires_at").filter(|at| *at <= now) {
        return Ok(KeyCheck::Expired { at });
    }
    Ok(KeyCheck::Valid(AuthenticatedKey {
        scope: EnvironmentScope::of(environment(row, "environment")?),
        key_id: row.get("key_id"),
        name: row.get("key_name"),
        allow_list: allow_list(row, "key_allow_list")?,
        environment_allow_list: allow_list(row, "environment_allow_list")?,
    }))
}

fn allow_list(row: &AnyRow, column: &str) -> Result<Vec<String>, Error> {
    let text: String = row.get(column);
    serde_json::from_str(&text).map_err(|_| Error::damaged("an allow-list", &text))
}

pub(crate) fn hash(plain: &str) -> Vec<u8> {
    Sha256::digest(plain.as_bytes()).to_vec()
}
