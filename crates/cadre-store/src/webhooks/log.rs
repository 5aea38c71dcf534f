//! Many interactions and exchanges in few statements: a delivery has one of each.

use std::collections::HashSet;

use serde_json::Value;

use crate::interactions::{ExchangeRow, NewInteraction};
use crate::records::sql::chunks;
use crate::store::{Attempt, Backend, Error, Tx, storable, storable_or_null};

/// Stores interactions; of one that is there, what came of it is replaced.
pub(super) async fn insert_interactions(
    tx: &mut Tx,
    backend: Backend,
    all: &[&NewInteraction],
) -> Result<(), Error> {
    // A statement may change a row once only.
    let mut seen = HashSet::new();
    let mut latest: Vec<&NewInteraction> =
        all.iter().rev().filter(|one| seen.insert(&one.id)).copied().collect();
    latest.reverse();
    for chunk in chunks(&latest) {
        let sql = format!(
            "INSERT INTO interactions (environment_id, id, integration_id, kind, title, method, path, status, code,
                 message, hint, request, response, started_at, ended_at) VALUES {}
             ON CONFLICT (environment_id, id) DO UPDATE SET status = excluded.status, code = excluded.code,
                 message = excluded.message, hint = excluded.hint, response = excluded.response,
                 ended_at = excluded.ended_at",
            backend.rows(15, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for one in chunk {
            let fault = one.fault.as_ref();
            query = query
                .bind(&one.environment_id)
                .bind(&one.id)
                .bind(&one.integration_id)
                .bind(one.kind.as_str())
                .bind(storable(&one.title))
                .bind(&one.method)
                .bind(storable_or_null(one.path.as_deref()))
                .bind(one.status.map(i64::from))
                .bind(fault.map(|fault| fault.code.as_str()))
                .bind(fault.map(|fault| storable(&fault.message)))
                .bind(fault.map(|fault| storable(fault.next_step())))
                .bind(one.request.as_ref().map(Value::to_string))
                .bind(one.response.as_ref().map(Value::to_string))
                .bind(one.started_at)
                .bind(one.ended_at);
        }
        query.execute(&mut **tx).await.attempt("write to the log")?;
    }
    Ok(())
}

/// Stores exchanges of interactions, each at the place that it has.
pub(super) async fn insert_exchanges(
    tx: &mut Tx,
    backend: Backend,
    all: &[(&str, &ExchangeRow)],
) -> Result<(), Error> {
    for chunk in chunks(all) {
        let sql = format!(
            "INSERT INTO exchanges (interaction_id, seq, at, method, url, request_headers, request_body, status,
                 response_headers, response_body, duration_ms, error) VALUES {} ON CONFLICT DO NOTHING",
            backend.rows(12, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (interaction_id, row) in chunk {
            query = query
                .bind(*interaction_id)
                .bind(row.seq)
                .bind(row.at)
                .bind(&row.method)
                .bind(storable(&row.url))
                .bind(row.request_headers.to_string())
                .bind(storable_or_null(row.request_body.as_deref()))
                .bind(row.status.map(i64::from))
                .bind(row.response_headers.to_string())
                .bind(storable_or_null(row.response_body.as_deref()))
                .bind(row.duration_ms)
                .bind(storable_or_null(row.error.as_deref()));
        }
        query.execute(&mut **tx).await.attempt("write to the log")?;
    }
    Ok(())
}
