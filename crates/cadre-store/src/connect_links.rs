//! Links for end customers: to link an account, to renew its credentials, to finish its set-up.
//!
//! A link is a bearer of rights, so that only the hash of its token is stored. It can be opened as
//! often as wanted until it ends; what it is for can be done once.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::integrations::EndUser;
use crate::keys::hash;
use crate::store::{Attempt, Error, Store, Tx};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// What a link is for.
    pub enum LinkPurpose {
        /// Linking an account.
        Connect = "connect",
        /// Renewing the credentials of an integration.
        Relink = "relink",
        /// Finishing the set-up of an integration.
        Setup = "setup",
    }
}

stored_words! {
    /// Where a link is opened, which decides how long it lasts.
    pub enum LinkType {
        /// Inside the caller's product, at once.
        Embedded = "EMBEDDED",
        /// Wherever it was sent to.
        MagicLink = "MAGIC_LINK",
    }
}

impl LinkType {
    /// How long a link of the type lasts, in milliseconds: an hour, or a year.
    #[must_use]
    pub const fn lasts_ms(self) -> i64 {
        match self {
            LinkType::Embedded => 3_600_000,
            LinkType::MagicLink => 365 * 24 * 3_600_000,
        }
    }
}

/// A link to be made.
#[derive(Debug, Clone)]
pub struct NewConnectLink {
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Where it is opened.
    pub link_type: LinkType,
    /// The integration that it is about; none where it makes one.
    pub integration_id: Option<String>,
    /// What it was asked for with.
    pub request: LinkRequest,
}

/// What a link was asked for with.
#[derive(Debug, Clone, Default)]
pub struct LinkRequest {
    /// Whose account it will be.
    pub end_user: EndUser,
    /// `HRIS` or `ATS`.
    pub category: String,
    /// The tool, where it is not the end customer's to choose.
    pub tool: Option<String>,
    /// The language of the pages.
    pub language: Option<String>,
    /// The scope configuration that the integration gets.
    pub scope_config_id: Option<String>,
    /// Whether the end customer chooses which employees are read.
    pub filtering: bool,
    /// Whether the end customer says which of their fields fill the custom fields.
    pub field_mapping: bool,
}

/// A link.
#[derive(Debug, Clone)]
pub struct ConnectLink {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Where it is opened.
    pub link_type: LinkType,
    /// The integration that it is about, or that it made.
    pub integration_id: Option<String>,
    /// What it was asked for with.
    pub request: LinkRequest,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: i64,
    /// When it was first opened.
    pub opened_at: Option<i64>,
    /// When what it is for was done.
    pub completed_at: Option<i64>,
    /// What the end customer is told at the end.
    pub outcome: Value,
}

const COLUMNS: &str = "environment_id, id, purpose, link_type, integration_id, request, created_at, expires_at, \
    opened_at, completed_at, outcome";

impl Store {
    /// Makes a link; its token, which is shown now and never again, and when it ends.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connect_link_create(
        &self,
        scope: &EnvironmentScope,
        new: NewConnectLink,
    ) -> Result<(Secret, i64), Error> {
        let token = format!("{}{}", random_id(), random_id());
        let now = self.now();
        let expires_at = now + new.link_type.lasts_ms();
        sqlx::query(
            "INSERT INTO connect_links (environment_id, id, hash, purpose, link_type, integration_id, request,
                 created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(scope.id())
        .bind(random_id())
        .bind(hash(&token))
        .bind(new.purpose.as_str())
        .bind(new.link_type.as_str())
        .bind(new.integration_id)
        .bind(new.request.to_json().to_string())
        .bind(now)
        .bind(expires_at)
        .execute(self.write())
        .await
        .attempt("make a link")?;
        Ok((Secret::new(token), expires_at))
    }

    /// The link of a token, and the environment it belongs to: the token is the proof. Whether the
    /// link has ended or was used is for the caller to look at.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connect_link_open(
        &self,
        token: &str,
    ) -> Result<Option<(EnvironmentScope, ConnectLink)>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM connect_links WHERE hash = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash(token))
            .fetch_optional(self.read())
            .await
            .attempt("read a link")?;
        let Some(row) = row else { return Ok(None) };
        let link = connect_link(&row)?;
        let Some(scope) = self.system_scope(row.get("environment_id")).await? else {
            return Ok(None);
        };
        if link.opened_at.is_none() {
            sqlx::query(
                "UPDATE connect_links SET opened_at = $3
                 WHERE environment_id = $1 AND id = $2 AND opened_at IS NULL",
            )
            .bind(scope.id())
            .bind(&link.id)
            .bind(self.now())
            .execute(self.write())
            .await
            .attempt("note that a link was opened")?;
        }
        Ok(Some((scope, link)))
    }

    /// The latest links of an environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connect_link_list(
        &self,
        scope: &EnvironmentScope,
        limit: u32,
    ) -> Result<Vec<ConnectLink>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connect_links WHERE environment_id = $1
             ORDER BY created_at DESC, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(i64::from(limit))
            .fetch_all(self.read())
            .await
            .attempt("list the links")?;
        rows.iter().map(connect_link).collect()
    }

    /// Keeps what a consent needs when the end customer comes back, under a random word.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn consent_begin(
        &self,
        word: &str,
        content: &[u8],
        lasts_ms: i64,
    ) -> Result<(), Error> {
        let now = self.now();
        sqlx::query("DELETE FROM consents WHERE expires_at < $1")
            .bind(now)
            .execute(self.write())
            .await
            .attempt("remove old consents")?;
        sqlx::query("INSERT INTO consents (hash, sealed, expires_at) VALUES ($1, $2, $3)")
            .bind(hash(word))
            .bind(self.ticket_seal("consent", content))
            .bind(now + lasts_ms)
            .execute(self.write())
            .await
            .attempt("begin a consent")?;
        Ok(())
    }

    /// Reads what a consent kept, without using it up.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn consent_peek(&self, word: &str) -> Result<Option<Vec<u8>>, Error> {
        let row = sqlx::query("SELECT sealed FROM consents WHERE hash = $1 AND expires_at > $2")
            .bind(hash(word))
            .bind(self.now())
            .fetch_optional(self.read())
            .await
            .attempt("read a consent")?;
        Ok(row.and_then(|row| self.ticket_open("consent", &row.get::<Vec<u8>, _>(0))))
    }

    /// Takes what a consent kept; a second time there is nothing.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn consent_take(&self, word: &str) -> Result<Option<Vec<u8>>, Error> {
        let row = sqlx::query(
            "DELETE FROM consents WHERE hash = $1 AND expires_at > $2 RETURNING sealed",
        )
        .bind(hash(word))
        .bind(self.now())
        .fetch_optional(self.write())
        .await
        .attempt("use a consent")?;
        Ok(row.and_then(|row| self.ticket_open("consent", &row.get::<Vec<u8>, _>(0))))
    }
}

/// Notes that what a link is for was done, with which integration.
///
/// [`Error::LinkUsed`] when it was done before.
pub(crate) async fn complete(
    tx: &mut Tx,
    (environment_id, link_id): (&str, &str),
    integration_id: &str,
    outcome: &Value,
    now: i64,
) -> Result<(), Error> {
    let done = sqlx::query(
        "UPDATE connect_links SET completed_at = $3, integration_id = $4, outcome = $5
         WHERE environment_id = $1 AND id = $2 AND completed_at IS NULL AND expires_at > $3",
    )
    .bind(environment_id)
    .bind(link_id)
    .bind(now)
    .bind(integration_id)
    .bind(outcome.to_string())
    .execute(&mut **tx)
    .await
    .attempt("use a link")?;
    if done.rows_affected() == 0 { Err(Error::LinkUsed) } else { Ok(()) }
}

impl LinkRequest {
    fn to_json(&self) -> Value {
        serde_json::json!({
            "organization_name": self.end_user.organization_name,
            "creator_email": self.end_user.creator_email,
            "origin_id": self.end_user.origin_id,
            "category": self.category,
            "tool": self.tool,
            "language": self.language,
            "scope_config_id": self.scope_config_id,
            "filtering": self.filtering,
            "field_mapping": self.field_mapping,
        })
    }

    fn of_json(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Self {
            end_user: EndUser {
                organization_name: text("organization_name").unwrap_or_default(),
                creator_email: text("creator_email"),
                origin_id: text("origin_id"),
            },
            category: text("category").unwrap_or_default(),
            tool: text("tool"),
            language: text("language"),
            scope_config_id: text("scope_config_id"),
            filtering: value["filtering"] == true,
            field_mapping: value["field_mapping"] == true,
        }
    }
}

fn connect_link(row: &AnyRow) -> Result<ConnectLink, Error> {
    let (purpose, link_type): (String, String) = (row.get("purpose"), row.get("link_type"));
    let request: String = row.get("request");
    let outcome: Option<String> = row.get("outcome");
    let request: Value =
        serde_json::from_str(&request).map_err(|_| Error::damaged("a link", "no JSON"))?;
    Ok(ConnectLink {
        id: row.get("id"),
        purpose: LinkPurpose::read(&purpose)?,
        link_type: LinkType::read(&link_type)?,
        integration_id: row.get("integration_id"),
        request: LinkRequest::of_json(&request),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        opened_at: row.get("opened_at"),
        completed_at: row.get("completed_at"),
        outcome: outcome.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
    })
}
