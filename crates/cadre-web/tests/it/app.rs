//! The API over a store of its own, and the kinds of caller it can have.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use cadre_connector::{OAuthClient, Wire, WireOptions};
use cadre_jobs::catalog::Folder;
use cadre_jobs::connect::{Link, link};
use cadre_jobs::{Catalog, Parts, Settings};
use cadre_model::mapped::{Mapped, seal};
use cadre_model::time::{Clock, FixedClock};
use cadre_store::{
    EndUser, EnvironmentKind, EnvironmentScope, IntegrationScope, Job, MasterKey, NewKey,
    OpenOptions, PageWrite, RunEnd, RunState, SetupStatus, Store,
};
use cadre_web::{AppState, WebSettings, router};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// The moment at which every test begins.
pub const START: &str = "2026-03-01T12:00:00Z";

/// An environment with its key and an integration of each category.
pub struct Tenant {
    pub scope: EnvironmentScope,
    pub key: String,
    pub hris: String,
    pub ats: String,
    pub lms: String,
}

impl Tenant {
    /// The integration that a path needs.
    pub fn of_path(&self, path: &str) -> &str {
        match category(path) {
            "ats" => &self.ats,
            "lms" => &self.lms,
            _ => &self.hris,
        }
    }
}

/// The category that a path is of, with `/v1` before it or not.
pub fn category(path: &str) -> &str {
    let path = path.strip_prefix("/v1").unwrap_or(path);
    path.split('/').nth(1).unwrap_or_default()
}

/// The error class of a path.
pub fn class(path: &str) -> &'static str {
    match category(path) {
        "ats" => "ats",
        "lms" => "general",
        _ => "hris",
    }
}

/// The API over a store of its own.
pub struct TestApp {
    pub state: AppState,
    pub router: Router,
    pub store: Store,
    pub clock: Arc<FixedClock>,
    /// The usual caller; both integrations are synced, without records.
    pub tenant: Tenant,
    /// Somebody else.
    pub other: Tenant,
    /// A key of the tenant that does not count any more.
    pub expired_key: String,
    leased: Mutex<HashMap<String, Job>>,
    _directory: tempfile::TempDir,
}

/// Runs a story on SQLite, and on PostgreSQL where the tests have one.
pub async fn on_both<F: AsyncFn(TestApp)>(settings: WebSettings, story: F) {
    on_each(settings, false, story).await;
}

/// The same with a third tool, `sandboxconsent`: the sandbox's HR tool, where people consent to the
/// connection on its page.
pub async fn on_both_with_consent<F: AsyncFn(TestApp)>(settings: WebSettings, story: F) {
    on_each(settings, true, story).await;
}

async fn on_each<F: AsyncFn(TestApp)>(settings: WebSettings, asks_consent: bool, story: F) {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("test.db").display());
    story(TestApp::new(&url, directory, settings.clone(), asks_consent).await).await;
    if let Ok(base) = std::env::var("CADRE_TEST_POSTGRES_URL") {
        let (url, name) = new_database(&base).await;
        let directory = tempfile::tempdir().expect("a directory");
        let app = TestApp::new(&url, directory, settings, asks_consent).await;
        let store = app.store.clone();
        story(app).await;
        store.close().await;
        drop_database(&base, &name).await;
    }
}

async fn admin(base: &str) -> sqlx::PgConnection {
    <sqlx::PgConnection as sqlx::Connection>::connect(base)
        .await
        .expect("the PostgreSQL of the tests")
}

async fn new_database(base: &str) -> (String, String) {
    let name = format!("cadre_web_{}", cadre_model::ids::random_id().to_lowercase());
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin(base).await)
        .await
        .expect("a new database");
    let mut url = url::Url::parse(base).expect("a URL");
    url.set_path(&name);
    (url.to_string(), name)
}

async fn drop_database(base: &str, name: &str) {
    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut admin(base).await)
        .await
        .expect("the database is dropped");
}

impl TestApp {
    async fn new(
        url: &str,
        directory: tempfile::TempDir,
        settings: WebSettings,
        asks_consent: bool,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(FixedClock::new(START.parse().expect("a moment")));
        let options = OpenOptions {
            max_connections: 4,
            master_key: MasterKey::random(),
            clock: clock.clone(),
        };
        let store = Store::open(url, options).await.expect("a store");
        let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
        let mut folders = ["sandboxhris", "sandboxats", "sandboxlms"]
            .map(|tool| Folder::read(&connectors.join(tool)).expect("a connector"))
            .to_vec();
        folders.extend(asks_consent.then(|| by_consent(&folders[0])));
        let catalog = Catalog::load(folders).map_err(|problems| format!("{problems:?}"));
        let parts = Parts {
            store: store.clone(),
            catalog: Arc::new(catalog.expect("connectors")),
            clock: clock.clone(),
            http: Arc::new(wire()),
            settings: Arc::new(settings_of_jobs()),
            standings: Arc::default(),
        };
        let tenant = tenant(&parts, "production", EnvironmentKind::Production).await;
        let other = tenant_named_other(&parts).await;
        let expired = NewKey {
            name: "expired".into(),
            expires_at: Some(clock.now_ms() - 1_000),
            allow_list: vec![],
        };
        let (_, expired_key) = store.api_key_create(&tenant.scope, expired).await.expect("a key");
        let state = AppState::new(parts, settings, Arc::default()).expect("valid settings");
        let app = Self {
            router: router(state.clone()),
            state,
            store,
            clock,
            expired_key: expired_key.expose().to_owned(),
            tenant,
            other,
            leased: Mutex::default(),
            _directory: directory,
        };
        for id in [&app.tenant.hris, &app.tenant.ats, &app.tenant.lms] {
            app.sync(id, &[]).await;
        }
        for id in [&app.other.hris, &app.other.ats, &app.other.lms] {
            app.sync(id, &[]).await;
        }
        app
    }

    /// What may be seen of an integration.
    pub async fn integration(&self, id: &str) -> IntegrationScope {
        self.store.system_integration_scope(id).await.expect("a store").expect("an integration")
    }

    /// Another process over the same database, whose jobs have other settings.
    pub fn replica(&self, web: WebSettings, change: impl FnOnce(&mut Settings)) -> AppState {
        let mut parts = self.state.parts.clone();
        let mut settings = (*parts.settings).clone();
        change(&mut settings);
        parts.settings = Arc::new(settings);
        parts.standings = Arc::default();
        AppState::new(parts, web, Arc::default()).expect("valid settings")
    }

    /// Another process over the same database, which may not ask private addresses.
    pub fn guarded(&self) -> AppState {
        let mut parts = self.state.parts.clone();
        parts.http = Arc::new(Wire::new(WireOptions::default()).expect("a client"));
        parts.standings = Arc::default();
        AppState::new(parts, WebSettings::default(), Arc::default()).expect("valid settings")
    }

    /// Runs a sync by hand that brings these records, each model as a stream of its own.
    pub async fn sync(&self, id: &str, records: &[Mapped]) {
        let scope = self.integration(id).await;
        let run = cadre_jobs::enqueue_sync(
            &self.store,
            &scope,
            cadre_store::RunKind::Full,
            cadre_store::RunTrigger::Setup,
        )
        .await
        .expect("a run");
        let job = self.job_of(id).await;
        self.store.run_start(&scope, &run.run_id).await.expect("a start");
        let mut models: Vec<&str> = records.iter().map(|record| record.model.id).collect();
        models.dedup();
        for model in models {
            let own = records.iter().filter(|record| record.model.id == model);
            let sealed: Vec<_> = own.map(|record| seal(id, record)).collect();
            let write = PageWrite {
                run_id: &run.run_id,
                stream: model,
                rows: sealed.len() as u64,
                next: None,
                last: true,
                records: &sealed,
                issues: &[],
                incomplete: &[],
                deleted: &[],
            };
            self.store.records_write_page(&scope, write, &job).await.expect("a page");
        }
        let end =
            RunEnd { state: RunState::Succeeded, reason: None, fault: None, counts: json!({}) };
        self.store.run_end(&scope, &run.run_id, end).await.expect("an end");
        self.store.job_finish(&job).await.expect("an end");
        let now = self.clock.now_ms();
        self.store.integration_first_synced(&scope, now).await.expect("a store");
        let completed = SetupStatus::Completed;
        self.store.integration_setup_status_set(&scope, completed).await.expect("a store");
    }

    /// Leases the job of an integration; those of others that come up are kept for later.
    async fn job_of(&self, id: &str) -> Job {
        loop {
            if let Some(job) = self.leased.lock().expect("not poisoned").remove(id) {
                return job;
            }
            let job = self.store.job_claim(&["sync"], 60_000).await.expect("a store");
            let job = job.expect("a job");
            let of = job.integration_id.clone().expect("a sync");
            self.leased.lock().expect("not poisoned").insert(of, job);
        }
    }

    /// Links an account of the tenant and syncs it as a worker would; the id of the integration.
    pub async fn connect(&self, tool: &str, form: Value) -> String {
        let link = link(
            &self.state.parts,
            &self.tenant.scope,
            Link {
                tool: tool.into(),
                category: None,
                suffix: None,
                end_user: EndUser {
                    organization_name: "Acme".into(),
                    creator_email: None,
                    origin_id: None,
                },
                form: form.as_object().expect("an object").clone(),
                mapping: None,
                check: true,
            },
        );
        let (integration, _) = link.await.expect("an integration");
        cadre_jobs::worker::drain(&self.state.parts).await.expect("a sync");
        integration.id
    }

    /// Begins a request.
    pub fn request(&self, method: &str, path: &str) -> Call<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        Call {
            router: self.router.clone(),
            app: PhantomData,
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    /// A GET request of the tenant, for its HRIS integration.
    pub async fn hris(&self, path: &str) -> Answer {
        let call = self.request("GET", path).key(&self.tenant.key);
        call.integration(&self.tenant.hris).send().await
    }

    /// A GET request of the tenant, for the integration that the path needs.
    pub async fn list(&self, path: &str) -> Answer {
        let integration = self.tenant.of_path(path);
        self.request("GET", path).key(&self.tenant.key).integration(integration).send().await
    }
}

/// The connector of Sandbox HR, as it would be if the tool were asked for consent only.
fn by_consent(folder: &Folder) -> Folder {
    let manifest = &folder.files["connector.yaml"];
    let (before, rest) = manifest.split_once("    - name: client_id").expect("a form");
    let (_, rest) = rest.split_once("base_url: ").expect("a base URL");
    let (head, rest) = rest.split_once("auth:").expect("a log-in");
    let (_, rest) = rest.split_once("limits:").expect("limits");
    let auth = r"auth:
  type: oauth2_authorization_code
  authorize_url: \($settings.base_url)/hris/oauth/authorize
  token_url: \($settings.base_url)/hris/oauth/token
  scope: people absences
";
    let manifest = format!("{before}\nbase_url: {head}{auth}\nlimits:{rest}")
        .replace("tool: sandboxhris", "tool: sandboxconsent");
    let mut files = folder.files.clone();
    files.insert("connector.yaml".to_owned(), manifest);
    Folder { name: "sandboxconsent".to_owned(), files }
}

/// The sandbox listens on the loopback address.
fn wire() -> Wire {
    let options = WireOptions { allow_private: true, ..WireOptions::default() };
    Wire::new(options).expect("a client")
}

fn settings_of_jobs() -> Settings {
    let mut settings = Settings {
        live_timeout: std::time::Duration::from_secs(8),
        action_timeout: std::time::Duration::from_secs(8),
        ..Settings::default()
    };
    let client_secret = "sandbox-secret-1".into();
    let client = OAuthClient { client_id: "sandbox-client".to_owned(), client_secret };
    settings.oauth_clients.insert("sandboxconsent".to_owned(), client);
    settings.webhook_timeout = std::time::Duration::from_secs(1);
    settings.read.allow_private = true;
    settings.read.first_backoff = std::time::Duration::from_millis(20);
    settings
}

async fn tenant(parts: &Parts, name: &str, kind: EnvironmentKind) -> Tenant {
    let environment = parts.store.environment_create(name, kind).await.expect("an environment");
    let scope = parts.store.system_scope(&environment.id).await.expect("a store").expect("a scope");
    let key = NewKey { name: "test".into(), expires_at: None, allow_list: vec![] };
    let (_, key) = parts.store.api_key_create(&scope, key).await.expect("a key");
    let mut ids = Vec::new();
    for tool in ["sandboxhris", "sandboxats", "sandboxlms"] {
        let form = json!({ "client_id": "c", "client_secret": "s", "api_key": "k" });
        let linked = link(
            parts,
            &scope,
            Link {
                tool: tool.into(),
                category: None,
                suffix: None,
                end_user: EndUser {
                    organization_name: "Acme".into(),
                    creator_email: Some("it@acme.example".into()),
                    origin_id: None,
                },
                form: fitting(parts, tool, &form),
                mapping: None,
                check: false,
            },
        );
        ids.push(linked.await.expect("an integration").0.id);
    }
    let lms = ids.pop().expect("three");
    let ats = ids.pop().expect("three");
    let hris = ids.pop().expect("three");
    Tenant { scope, key: key.expose().to_owned(), hris, ats, lms }
}

async fn tenant_named_other(parts: &Parts) -> Tenant {
    tenant(parts, "development", EnvironmentKind::Development).await
}

/// Those values of the form that the tool asks for.
fn fitting(parts: &Parts, tool: &str, form: &Value) -> serde_json::Map<String, Value> {
    let entry = parts.catalog.get(tool).expect("a connector");
    let asked = &entry.connector.manifest().connect.fields;
    let form = form.as_object().expect("an object").clone();
    form.into_iter().filter(|(name, _)| asked.iter().any(|field| field.name == *name)).collect()
}

/// A request in the making.
pub struct Call<'a> {
    router: Router,
    app: PhantomData<&'a TestApp>,
    request: http::request::Builder,
    body: Body,
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub fn integration(self, id: &str) -> Self {
        self.header("x-integration-id", id)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").raw(body.to_string())
    }

    pub fn raw(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it to another process over the same database.
    pub fn to(mut self, replica: &Router) -> Self {
        self.router = replica.clone();
        self
    }

    /// The address that the request comes from.
    pub fn from(mut self, address: &str) -> Self {
        let address: SocketAddr = address.parse().expect("an address");
        self.request = self.request.extension(ConnectInfo(address));
        self
    }

    pub async fn send(self) -> Answer {
        let request = self.request.body(self.body).expect("a request");
        let response = self.router.oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, json }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The ids of a page of records.
    pub fn ids(&self) -> Vec<&str> {
        let results = self.json["data"]["results"].as_array();
        results.into_iter().flatten().filter_map(|record| record["id"].as_str()).collect()
    }

    /// Holds the answer to be this refusal, with a complete envelope of the class.
    #[track_caller]
    pub fn refused(&self, class: &str, code: &str, status: u16) -> &str {
        assert_eq!(self.header("x-cadre-error-code"), Some(code), "{}", self.text);
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json"));
        crate::contract::assert_error_envelope(class, &self.json);
        self.json["error"]["message"].as_str().expect("a message")
    }
}
