//! From the directory to records: at once, of what was pushed, and by the connector's own streams in a sync.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cadre_connector::manifest::Inbound;
use cadre_connector::{HttpRequest, HttpResponse, HttpSend, SendError};
use cadre_model::ids::record_id;
use cadre_model::mapped::Record;
use cadre_store::{DirectoryKind, DirectoryRow, IntegrationScope, Job, NewJob, QaStatus, Store};
use serde_json::{Value, json};

use super::service::Service;
use super::{Request, resource};
use crate::catalog::Entry;
use crate::fields::again::Making;
use crate::hooks::{FETCH, sync};
use crate::settings::Parts;

/// What is pushed within so many milliseconds becomes records together.
const TOGETHER_MS: i64 = 1_000;

/// How long a sync that is going on is waited for, in milliseconds.
const LATER_MS: i64 = 3_000;

/// Resources that become records in one transaction.
const AT_ONCE: u32 = 500;

/// The address that streams of such a connector ask.
const BASE: &str = "http://directory.invalid/v2";

/// Answers the requests of a connector's streams out of the directory of an integration.
struct Inbox {
    parts: Parts,
    scope: IntegrationScope,
}

/// What a connector's requests go through: the directory where it is pushed to, else the network.
pub(crate) fn client(parts: &Parts, scope: &IntegrationScope, entry: &Entry) -> Arc<dyn HttpSend> {
    match entry.connector.manifest().inbound {
        Some(_) => Arc::new(Inbox { parts: parts.clone(), scope: scope.clone() }),
        None => parts.http.clone(),
    }
}

#[async_trait]
impl HttpSend for Inbox {
    async fn send(&self, request: HttpRequest, _: Duration) -> Result<HttpResponse, SendError> {
        let service = Service { parts: &self.parts, scope: &self.scope, base: BASE.to_owned() };
        let path = request.url.path();
        let asked = Request {
            method: request.method.clone(),
            path: path.strip_prefix("/v2").unwrap_or(path).to_owned(),
            query: request.url.query_pairs().map(|(k, v)| (k.into(), v.into())).collect(),
            ..Request::default()
        };
        let answer = service.answer(&asked).await;
        let answer = answer.map_err(|error| SendError::Unanswered(error.to_string()))?;
        let body = answer.body.map(|body| body.to_string()).unwrap_or_default();
        let headers = vec![("Content-Type".to_owned(), "application/scim+json".to_owned())];
        Ok(HttpResponse { status: answer.status, headers, body: body.into() })
    }
}

/// Has what was pushed made records, a moment after the last second in which more may be.
pub(super) async fn ask_to_apply(
    store: &Store,
    scope: &IntegrationScope,
    now: i64,
) -> Result<(), cadre_store::Error> {
    ask_at(store, scope, (now.div_euclid(TOGETHER_MS) + 1) * TOGETHER_MS, now).await
}

async fn ask_at(
    store: &Store,
    scope: &IntegrationScope,
    at: i64,
    since: i64,
) -> Result<(), cadre_store::Error> {
    let new = NewJob {
        kind: FETCH.to_owned(),
        key: format!("{} directory {at}", scope.id()),
        payload: json!({ "directory": true, "since": since }),
        run_at: Some(at),
        integration_id: Some(scope.id().to_owned()),
    };
    store.job_enqueue(new).await.map(drop)
}

/// Does the job: makes records of everything that they do not know yet.
pub(crate) async fn apply(
    parts: &Parts,
    scope: &IntegrationScope,
    job: &Job,
) -> Result<(), String> {
    let words = |error: cadre_store::Error| error.to_string();
    let store = &parts.store;
    let since = job.payload["since"].as_i64().unwrap_or_default();
    let Some(making) = Making::load(parts, scope).await.map_err(words)? else { return Ok(()) };
    let Some(inbound) = &making.entry.connector.manifest().inbound else { return Ok(()) };
    let runs = store.run_list(scope, 5).await.map_err(words)?;
    if runs.iter().any(|run| run.ended_at.is_none()) {
        // A page that the sync has read may be written after what is newer than it.
        let at = parts.clock.now_ms() + LATER_MS;
        return ask_at(store, scope, at, since).await.map_err(words);
    }
    if making.integration.first_synced_at.is_none()
        || making.integration.qa_status != QaStatus::Passed
        // Who may be stored is decided by the whole of what was pushed.
        || making.integration.setup.filtering
    {
        return sync(parts, scope).await;
    }
    let service = Service { parts, scope, base: BASE.to_owned() };
    loop {
        let rows = store.directory_stale(scope, AT_ONCE).await.map_err(words)?;
        if rows.is_empty() {
            break;
        }
        let mut records: Vec<Record> = Vec::new();
        let mut gone: Vec<(&'static str, String)> = Vec::new();
        for (row, shown) in rows.iter().zip(service.shown_all(&rows).await.map_err(words)?) {
            let (stream, model) = stream_of(inbound, row.kind);
            if row.deleted {
                let model =
                    making.entry.maps.iter().map(|map| map.model().id).find(|id| *id == model);
                gone.extend(model.map(|model| (model, record_id(scope.id(), model, &row.id))));
                continue;
            }
            let (made, deleted) = making.made_of(stream, &shown, &Value::Null);
            records.extend(made);
            gone.extend(deleted);
        }
        // Of records that several resources make, such as a department, one is enough.
        let mut known = std::collections::HashSet::new();
        records.reverse();
        records.retain(|record| known.insert((record.model, record.id.clone())));
        store.records_learn(scope, &records).await.map_err(words)?;
        for (model, id) in gone {
            store.records_forget(scope, model, &[id]).await.map_err(words)?;
        }
        store.directory_applied(scope, &rows).await.map_err(words)?;
    }
    match store.records_changed_finish(scope, since, job).await {
        Err(error) if !error.is_lease_lost() => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// The stream and the model that resources of a kind belong to.
fn stream_of(inbound: &Inbound, kind: DirectoryKind) -> (&str, &str) {
    let Inbound::Scim { users, groups } = inbound;
    let of = match kind {
        DirectoryKind::User => users,
        DirectoryKind::Group => groups,
    };
    (&of.stream, &of.model)
}

impl Service<'_> {
    /// Resources as the connector's streams see them; nothing of those that are deleted.
    async fn shown_all(&self, rows: &[DirectoryRow]) -> Result<Vec<Value>, cadre_store::Error> {
        self.shown(rows, &resource::Wanted::without_members()).await
    }
}
