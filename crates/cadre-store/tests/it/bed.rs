//! What every story needs: an empty database, a clock that stands, two environments, a sync.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use cadre_model::fields::Fields;
use cadre_model::mapped::{Issue, Link, Mapped, Record, seal};
use cadre_model::registry::model;
use cadre_model::time::{Clock, FixedClock};
use cadre_store::{
    EndUser, Enqueue, EnvironmentKind, EnvironmentScope, IntegrationScope, Job, ListPage,
    ListQuery, MasterKey, NewIntegration, NewJob, NewRun, OpenOptions, PageOutcome, PageWrite, Run,
    RunEnd, RunKind, RunState, RunTrigger, Store,
};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::postgres::Postgres;

/// An empty database with two environments, each with an integration.
pub struct Bed {
    pub store: Store,
    pub url: String,
    pub clock: Arc<FixedClock>,
    pub key: MasterKey,
    pub tenant: EnvironmentScope,
    pub other: EnvironmentScope,
    /// The tenant's integration.
    pub scope: IntegrationScope,
    /// Somebody else's.
    pub foreign: IntegrationScope,
    _folder: tempfile::TempDir,
}

/// Runs a story on SQLite, and on PostgreSQL where it is installed.
pub async fn on_both<F: AsyncFn(Bed)>(story: F) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = sqlite_url(folder.path().join("test.db"));
    story(Bed::new(url, folder).await).await;
    if let Some(server) = Postgres::start() {
        let database = server.database().await;
        let folder = tempfile::tempdir().expect("a folder");
        let bed = Bed::new(database.url().to_owned(), folder).await;
        let store = bed.store.clone();
        story(bed).await;
        store.close().await;
        database.remove().await;
    }
}

pub fn sqlite_url(path: PathBuf) -> String {
    format!("sqlite:{}", path.display())
}

pub fn options(clock: Arc<FixedClock>, master_key: MasterKey) -> OpenOptions {
    OpenOptions { max_connections: 4, master_key, clock }
}

pub fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::new("2026-03-01T12:00:00Z".parse().expect("a moment")))
}

impl Bed {
    async fn new(url: String, folder: tempfile::TempDir) -> Bed {
        let (clock, key) = (clock(), MasterKey::random());
        let store = Store::open(&url, options(clock.clone(), key.clone())).await.expect("a store");
        let tenant = environment(&store, "production", EnvironmentKind::Production).await;
        let other = environment(&store, "development", EnvironmentKind::Development).await;
        let scope = integration(&store, &tenant, "tool", BTreeMap::new()).await;
        let foreign = integration(&store, &other, "tool", BTreeMap::new()).await;
        Bed { store, url, clock, key, tenant, other, scope, foreign, _folder: folder }
    }

    /// Lets a second pass; the present moment after it.
    pub fn tick(&self) -> i64 {
        self.clock.advance(SignedDuration::from_secs(1));
        self.clock.now_ms()
    }

    /// Begins a sync of the tenant's integration.
    pub async fn sync(&self) -> Sync<'_> {
        self.sync_of(&self.scope).await
    }

    pub async fn sync_of<'a>(&'a self, scope: &'a IntegrationScope) -> Sync<'a> {
        self.tick();
        let new = NewRun { kind: RunKind::Full, trigger: RunTrigger::Schedule };
        let run = self.store.run_create(scope, new).await.expect("a run");
        let job = self.job("sync", scope.id()).await;
        self.store.run_start(scope, &run.id).await.expect("a start");
        self.tick();
        Sync { bed: self, scope, run, job }
    }

    /// A job that is being done.
    pub async fn job(&self, kind: &str, key: &str) -> Job {
        let new = new_job(kind, key);
        let queued = self.store.job_enqueue(new).await.expect("a store");
        assert!(matches!(queued, Enqueue::New(_)), "{queued:?}");
        self.store.job_claim(&[kind], 60_000).await.expect("a store").expect("the job")
    }

    /// One sync of one page.
    pub async fn write(&self, records: &[Record]) -> PageOutcome {
        let sync = self.sync().await;
        let outcome = sync.page("stream", records, None).await;
        sync.end().await;
        outcome
    }

    /// A record of the tenant's integration.
    pub fn record(&self, model: &str, id: &str, fields: Value) -> Record {
        record(&self.scope, model, id, fields, &[])
    }

    pub fn linked(
        &self,
        model: &str,
        id: &str,
        fields: Value,
        links: &[(&'static str, &[&str])],
    ) -> Record {
        record(&self.scope, model, id, fields, links)
    }

    pub async fn page(&self, model_id: &str, query: ListQuery) -> ListPage {
        self.page_without(model_id, query, &[]).await
    }

    pub async fn page_without(
        &self,
        model_id: &str,
        query: ListQuery,
        hidden: &[&str],
    ) -> ListPage {
        let def = model(model_id).expect("a known model");
        let hidden: HashSet<&str> = hidden.iter().copied().collect();
        self.store.records_list(&self.scope, def, &query, &hidden).await.expect("a page")
    }

    /// The records of a page.
    pub async fn list(&self, model_id: &str, query: ListQuery) -> Vec<Value> {
        let page = self.page(model_id, query).await;
        let Value::Array(records) = serde_json::from_str(&page.body).expect("JSON") else {
            panic!("not an array: {}", page.body)
        };
        assert_eq!(records.len(), page.count);
        records
    }

    /// The records of a model by remote id.
    pub async fn all(&self, model_id: &str) -> BTreeMap<String, Value> {
        let records = self.list(model_id, everything()).await;
        records.into_iter().map(|record| (remote_id(&record), record)).collect()
    }

    /// The remote ids of a page, sorted.
    pub async fn found(&self, model_id: &str, query: ListQuery) -> Vec<String> {
        let mut found: Vec<String> =
            self.list(model_id, query).await.iter().map(remote_id).collect();
        found.sort();
        found
    }

    /// The remote ids of the records that `updated_after` finds.
    pub async fn updated_after(&self, model_id: &str, moment: i64) -> Vec<String> {
        self.found(model_id, ListQuery { updated_after_ms: Some(moment), ..everything() }).await
    }
}

pub fn everything() -> ListQuery {
    ListQuery { limit: 250, ..ListQuery::default() }
}

pub fn remote_id(record: &Value) -> String {
    record["remote_id"].as_str().expect("a remote id").to_owned()
}

pub fn new_job(kind: &str, key: &str) -> NewJob {
    NewJob {
        kind: kind.into(),
        key: key.into(),
        payload: json!({"n": 1}),
        run_at: None,
        integration_id: None,
    }
}

/// A record as a mapping yields it.
pub fn record(
    scope: &IntegrationScope,
    model_id: &str,
    id: &str,
    fields: Value,
    links: &[(&'static str, &[&str])],
) -> Record {
    let link = |id: &&str| Link { remote_id: (*id).to_owned(), attributes: Map::new() };
    let links = links.iter().map(|(name, ids)| (*name, ids.iter().map(link).collect())).collect();
    with_links(scope, model_id, id, fields, links)
}

pub fn with_links(
    scope: &IntegrationScope,
    model_id: &str,
    id: &str,
    fields: Value,
    links: Vec<(&'static str, Vec<Link>)>,
) -> Record {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    let model = model(model_id).expect("a known model");
    let fields = Fields::of(model.shape, fields);
    let mapped = Mapped { model, remote_id: id.to_owned(), fields, links, issues: vec![] };
    seal(scope.id(), &mapped)
}

async fn environment(store: &Store, slug: &str, kind: EnvironmentKind) -> EnvironmentScope {
    let made = store.environment_create(slug, kind).await.expect("an environment");
    store.system_scope(&made.id).await.expect("a store").expect("the environment")
}

pub async fn integration(
    store: &Store,
    scope: &EnvironmentScope,
    tool: &str,
    secrets: BTreeMap<String, cadre_model::secret::Secret>,
) -> IntegrationScope {
    let new = NewIntegration {
        tool: tool.into(),
        category: "HRIS".into(),
        suffix: None,
        end_user: EndUser { organization_name: "Acme".into(), ..EndUser::default() },
        settings: json!({"url": "https://example.com"}),
        secrets,
        scope_config_id: None,
        mapping: None,
    };
    let made = store.integration_create(scope, new).await.expect("an integration");
    store.integration_scope(scope, &made.id).await.expect("a store").expect("the integration")
}

/// A sync that is going on.
pub struct Sync<'a> {
    pub bed: &'a Bed,
    pub scope: &'a IntegrationScope,
    pub run: Run,
    pub job: Job,
}

impl Sync<'_> {
    /// Stores a page. Without `next` it is the last one.
    pub async fn page(
        &self,
        stream: &str,
        records: &[Record],
        next: Option<&Value>,
    ) -> PageOutcome {
        self.try_page(stream, records, &[], next, &self.job).await.expect("the page is stored")
    }

    pub async fn try_page(
        &self,
        stream: &str,
        records: &[Record],
        issues: &[Issue],
        next: Option<&Value>,
        job: &Job,
    ) -> Result<PageOutcome, cadre_store::Error> {
        let page = PageWrite {
            run_id: &self.run.id,
            stream,
            rows: records.len() as u64,
            next,
            last: next.is_none(),
            records,
            issues,
            incomplete: &[],
            deleted: &[],
        };
        self.bed.store.records_write_page(self.scope, page, job).await
    }

    /// Marks as deleted what the sync has not seen of a model.
    pub async fn delete_unseen(&self, model: &str) -> u64 {
        let store = &self.bed.store;
        let unseen = store.records_unseen(self.scope, &self.run.id, model).await.expect("a store");
        let deleted = store
            .records_delete_unseen(self.scope, &self.run.id, model, &self.job)
            .await
            .expect("a store");
        assert_eq!(unseen, deleted);
        deleted
    }

    pub async fn end(self) {
        let end =
            RunEnd { state: RunState::Succeeded, reason: None, fault: None, counts: json!({}) };
        self.bed.store.run_end(self.scope, &self.run.id, end).await.expect("an end");
        assert!(self.bed.store.job_finish(&self.job).await.expect("a store"));
        self.bed.tick();
    }
}

impl Bed {
    /// Runs a statement past the store.
    pub async fn execute(&self, statement: &str) {
        use sqlx::Connection;
        let mut connection = sqlx::AnyConnection::connect(&self.url).await.expect("the database");
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .expect("the statement runs");
        connection.close().await.expect("closed");
    }
}
