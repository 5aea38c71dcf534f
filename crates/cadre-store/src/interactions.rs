//! Interactions: what happened, and the exchanges with tools that belong to it. What `log_url` opens.

use cadre_model::fault::Fault;
use cadre_model::ids::random_id;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::events;
use crate::integrations::EndUser;
use crate::interaction_state::InteractionState;
use crate::records::chunks;
use crate::store::{Attempt, Error, Store, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// What kind of thing happened.
    pub enum InteractionKind {
        /// A call of the API.
        Api = "api",
        /// A sync.
        Sync = "sync",
        /// A write to a tool, or a live read.
        Action = "action",
        /// A request passed through to a tool.
        Passthrough = "passthrough",
        /// An account being linked.
        ConnectionFlow = "connection_flow",
        /// A webhook to a customer.
        WebhookOut = "webhook_out",
        /// A webhook from a tool.
        WebhookIn = "webhook_in",
    }
}

/// A new interaction.
#[derive(Debug, Clone)]
pub struct NewInteraction {
    /// Its id.
    pub id: String,
    /// The environment it belongs to; empty while nobody is known to have called.
    pub environment_id: String,
    /// The integration it is about.
    pub integration_id: Option<String>,
    /// The interaction it is part of.
    pub parent_id: Option<String>,
    /// What kind of thing happened.
    pub kind: InteractionKind,
    /// What happened, in a few words.
    pub title: String,
    /// Method of the call.
    pub method: Option<String>,
    /// Path and query of the call.
    pub path: Option<String>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// The fault it ended with.
    pub fault: Option<Fault>,
    /// The rule that classified it.
    pub rule: Option<String>,
    /// What was asked, redacted.
    pub request: Option<Value>,
    /// What was answered, redacted.
    pub response: Option<Value>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
}

impl InteractionKind {
    /// Every kind.
    pub const ALL: &'static [InteractionKind] = &[
        InteractionKind::Api,
        InteractionKind::Sync,
        InteractionKind::Action,
        InteractionKind::Passthrough,
        InteractionKind::ConnectionFlow,
        InteractionKind::WebhookOut,
        InteractionKind::WebhookIn,
    ];
}

impl NewInteraction {
    /// An interaction that has just begun.
    #[must_use]
    pub fn new(kind: InteractionKind, started_at: i64) -> Self {
        Self {
            id: random_id(),
            environment_id: String::new(),
            integration_id: None,
            parent_id: None,
            kind,
            title: String::new(),
            method: None,
            path: None,
            status: None,
            fault: None,
            rule: None,
            request: None,
            response: None,
            started_at,
            ended_at: None,
        }
    }
}

/// An interaction.
#[derive(Debug, Clone)]
pub struct Interaction {
    /// Its id.
    pub id: String,
    /// The environment it belongs to.
    pub environment_id: String,
    /// The integration it is about.
    pub integration_id: Option<String>,
    /// The interaction it is part of.
    pub parent_id: Option<String>,
    /// What kind of thing happened.
    pub kind: InteractionKind,
    /// What happened, in a few words.
    pub title: String,
    /// Method of the call.
    pub method: Option<String>,
    /// Path and query of the call.
    pub path: Option<String>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Code of the fault it ended with.
    pub code: Option<String>,
    /// What happened here.
    pub message: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// What only the operator may see.
    pub context: Option<String>,
    /// The rule that classified it.
    pub rule: Option<String>,
    /// What was asked, redacted.
    pub request: Option<Value>,
    /// What was answered, redacted.
    pub response: Option<Value>,
    /// When it began.
    pub started_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// How long it took, in milliseconds, once it has ended.
    pub duration_ms: Option<i64>,
}

/// Which interactions are wanted.
#[derive(Debug, Clone, Default)]
pub struct InteractionFilter {
    /// Only of this kind.
    pub kind: Option<InteractionKind>,
    /// Only about this integration.
    pub integration_id: Option<String>,
    /// Only with this code.
    pub code: Option<String>,
    /// Only parts of this interaction.
    pub parent_id: Option<String>,
    /// Only those that failed.
    pub failed: bool,
    /// Only in this state.
    pub state: Option<InteractionState>,
    /// Only those that began at this moment or later.
    pub since: Option<i64>,
    /// Only those that began before this moment.
    pub before: Option<i64>,
    /// Only those after this one: when it began, and its id.
    pub after: Option<(i64, String)>,
    /// Most of them.
    pub limit: u32,
}

/// A request to a tool and its answer, redacted.
#[derive(Debug, Clone)]
pub struct ExchangeRow {
    /// Place within the interaction.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// Method.
    pub method: String,
    /// URL.
    pub url: String,
    /// Headers of the request, an object.
    pub request_headers: Value,
    /// Body of the request.
    pub request_body: Option<String>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Headers of the answer, an object.
    pub response_headers: Value,
    /// Body of the answer.
    pub response_body: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The rule that classified the answer.
    pub rule: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
}

pub(crate) const COLUMNS: &str = "environment_id, id, integration_id, parent_id, kind, title, method, path, status, code, message, \
    hint, context, rule, request, response, started_at, ended_at";

impl Store {
    /// Stores an interaction; one that is there is replaced.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interaction_write(&self, new: NewInteraction) -> Result<(), Error> {
        let mut connection = self.write().acquire().await.attempt("write to the log")?;
        write(&mut connection, &new).await
    }

    /// Stores interactions in one transaction, all of them or none.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interactions_write(&self, all: &[NewInteraction]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for new in all {
            write(&mut tx, new).await?;
        }
        tx.commit().await.attempt("write to the log")
    }

    /// Stores the interaction of an account that could not be linked, with the event that says so.
    /// `tool` is a slug and a category.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn connection_flow_failed(
        &self,
        new: NewInteraction,
        tool: (&str, &str),
        end_user: &EndUser,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        write(&mut tx, &new).await?;
        let environment_id = &new.environment_id;
        let now = self.now();
        events::connection_flow_failed(&mut tx, environment_id, &new.id, tool, end_user, now)
            .await?;
        tx.commit().await.attempt("write to the log")
    }

    /// One interaction of an environment. Those without environment (nobody known called) are found too.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interaction_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<Interaction>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM interactions WHERE environment_id IN ($1, '') AND id = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .fetch_optional(self.read())
            .await
            .attempt("read the log")?;
        row.as_ref().map(interaction).transpose()
    }

    /// Interactions of an environment, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interaction_list(
        &self,
        scope: &EnvironmentScope,
        filter: &InteractionFilter,
    ) -> Result<Vec<Interaction>, Error> {
        let (after, after_id) = match &filter.after {
            Some((at, id)) => (*at, id.as_str()),
            None => (i64::MAX, ""),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM interactions WHERE environment_id = $1
             AND ($2 = '' OR kind = $2) AND ($3 = '' OR integration_id = $3) AND ($4 = '' OR code = $4)
             AND ($5 = '' OR parent_id = $5) AND ($6 = 0 OR code IS NOT NULL) AND started_at < $7
             AND ($8 = '' OR $8 = CASE WHEN code IS NOT NULL THEN 'failed' WHEN ended_at IS NULL THEN 'running'
                                       ELSE 'succeeded' END)
             AND started_at >= $9 AND (started_at < $10 OR (started_at = $10 AND id > $11))
             ORDER BY started_at DESC, id LIMIT $12"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(filter.kind.map_or("", InteractionKind::as_str))
            .bind(storable(filter.integration_id.as_deref().unwrap_or_default()))
            .bind(storable(filter.code.as_deref().unwrap_or_default()))
            .bind(storable(filter.parent_id.as_deref().unwrap_or_default()))
            .bind(i64::from(filter.failed))
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.state.map_or("", InteractionState::as_str))
            .bind(filter.since.unwrap_or(i64::MIN))
            .bind(after)
            .bind(storable(after_id))
            .bind(i64::from(filter.limit))
            .fetch_all(self.read())
            .await
            .attempt("list the log")?;
        rows.iter().map(interaction).collect()
    }

    /// The interactions that are part of one, in the order of their beginning.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn interaction_children(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Vec<Interaction>, Error> {
        let filter = InteractionFilter {
            parent_id: Some(id.to_owned()),
            limit: 100,
            ..InteractionFilter::default()
        };
        let mut children = self.interaction_list(scope, &filter).await?;
        children.reverse();
        Ok(children)
    }

    /// Stores exchanges of an interaction.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn exchange_write(
        &self,
        interaction_id: &str,
        rows: &[ExchangeRow],
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let next = sqlx::query(
            "SELECT COALESCE(MAX(seq) + 1, 0) FROM exchanges WHERE interaction_id = $1",
        )
        .bind(interaction_id)
        .fetch_one(&mut *tx)
        .await
        .attempt("write to the log")?;
        let mut seq: i64 = next.get(0);
        for chunk in chunks(rows) {
            let sql = format!(
                "INSERT INTO exchanges (interaction_id, seq, at, method, url, request_headers, request_body, status,
                     response_headers, response_body, duration_ms, rule, error) VALUES {}",
                self.backend().rows(13, chunk.len())
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for row in chunk {
                query = query
                    .bind(interaction_id)
                    .bind(seq)
                    .bind(row.at)
                    .bind(&row.method)
                    .bind(storable(&row.url))
                    .bind(row.request_headers.to_string())
                    .bind(storable_or_null(row.request_body.as_deref()))
                    .bind(row.status.map(i64::from))
                    .bind(row.response_headers.to_string())
                    .bind(storable_or_null(row.response_body.as_deref()))
                    .bind(row.duration_ms)
                    .bind(storable_or_null(row.rule.as_deref()))
                    .bind(storable_or_null(row.error.as_deref()));
                seq += 1;
            }
            query.execute(&mut *tx).await.attempt("write to the log")?;
        }
        tx.commit().await.attempt("write to the log")
    }

    /// The exchanges of an interaction of an environment, in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn exchange_list(
        &self,
        scope: &EnvironmentScope,
        interaction_id: &str,
    ) -> Result<Vec<ExchangeRow>, Error> {
        let rows = sqlx::query(
            "SELECT e.seq, e.at, e.method, e.url, e.request_headers, e.request_body, e.status, e.response_headers,
                 e.response_body, e.duration_ms, e.rule, e.error
             FROM exchanges e JOIN interactions i ON i.id = e.interaction_id AND i.environment_id = $1
             WHERE e.interaction_id = $2 ORDER BY e.seq LIMIT 1000",
        )
        .bind(scope.id())
        .bind(storable(interaction_id))
        .fetch_all(self.read())
        .await
        .attempt("read the log")?;
        Ok(rows.iter().map(exchange).collect())
    }
}

async fn write(connection: &mut AnyConnection, new: &NewInteraction) -> Result<(), Error> {
    let fault = new.fault.as_ref();
    sqlx::query(
        "INSERT INTO interactions (environment_id, id, integration_id, parent_id, kind, title, method, path,
             status, code, message, hint, context, rule, request, response, started_at, ended_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (environment_id, id) DO UPDATE SET integration_id = $3, title = $6, status = $9, code = $10,
             message = $11, hint = $12, context = $13, rule = $14, request = $15, response = $16, ended_at = $18",
    )
    .bind(&new.environment_id)
    .bind(&new.id)
    .bind(storable_or_null(new.integration_id.as_deref()))
    .bind(&new.parent_id)
    .bind(new.kind.as_str())
    .bind(storable(&new.title))
    .bind(storable_or_null(new.method.as_deref()))
    .bind(storable_or_null(new.path.as_deref()))
    .bind(new.status.map(i64::from))
    .bind(fault.map(|fault| fault.code.as_str()))
    .bind(fault.map(|fault| storable(&fault.message)))
    .bind(fault.map(|fault| storable(fault.next_step())))
    .bind(storable_or_null(fault.and_then(|fault| fault.context.as_deref())))
    .bind(storable_or_null(new.rule.as_deref()))
    .bind(new.request.as_ref().map(Value::to_string))
    .bind(new.response.as_ref().map(Value::to_string))
    .bind(new.started_at)
    .bind(new.ended_at)
    .execute(connection)
    .await
    .attempt("write to the log")?;
    Ok(())
}

pub(crate) fn interaction(row: &AnyRow) -> Result<Interaction, Error> {
    let kind: String = row.get("kind");
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(Interaction {
        id: row.get("id"),
        environment_id: row.get("environment_id"),
        integration_id: row.get("integration_id"),
        parent_id: row.get("parent_id"),
        kind: InteractionKind::read(&kind)?,
        title: row.get("title"),
        method: row.get("method"),
        path: row.get("path"),
        status: row.get::<Option<i64>, _>("status").and_then(|status| u16::try_from(status).ok()),
        code: row.get("code"),
        message: row.get("message"),
        hint: row.get("hint"),
        context: row.get("context"),
        rule: row.get("rule"),
        request: json(row.get("request")),
        response: json(row.get("response")),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        duration_ms: row
            .get::<Option<i64>, _>("ended_at")
            .map(|ended_at| ended_at - row.get::<i64, _>("started_at")),
    })
}

fn exchange(row: &AnyRow) -> ExchangeRow {
    let json = |text: String| serde_json::from_str(&text).unwrap_or_default();
    ExchangeRow {
        seq: row.get("seq"),
        at: row.get("at"),
        method: row.get("method"),
        url: row.get("url"),
        request_headers: json(row.get("request_headers")),
        request_body: row.get("request_body"),
        status: row.get::<Option<i64>, _>("status").and_then(|status| u16::try_from(status).ok()),
        response_headers: json(row.get("response_headers")),
        response_body: row.get("response_body"),
        duration_ms: row.get("duration_ms"),
        rule: row.get("rule"),
        error: row.get("error"),
    }
}
